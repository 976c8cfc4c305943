"""Webhooks to other systems: signed, repeated with patience, ended by 410, and never inside our own network."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from adapters.standard_webhooks import new_secret, signed
from domain.clock import Pace
from services.announcing import WAITS
from tests.api.stories import ANNA, enroll, happens, know_anna, rows, send
from tests.support.factories import SettableClock, compiled, settings_for
from tests.support.push_simulator import HOST, PushService, a_certificate
from tests.support.serving import serving
from tropa.wiring import House, build

EVERYTHING = ["message.sent", "message.refused", "journey.converted", "customer.opted_out", "task.created"]


class Receiver:
    """Another system, which checks what it gets by the specification and answers as it is told."""

    def __init__(self) -> None:
        self.port = 0
        self.forget()

    def forget(self) -> None:
        self.secret = ""
        self.answers: list[int] = []
        self.got: list[dict[str, Any]] = []
        self.ids: list[str] = []

    async def take(self, request: Request) -> Response:
        body = await request.body()
        name, at = request.headers["webhook-id"], request.headers["webhook-timestamp"]
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        mac = hmac.new(key, f"{name}.{at}.".encode() + body, hashlib.sha256).digest()
        if request.headers["webhook-signature"] != "v1," + base64.b64encode(mac).decode():
            return Response("who are you?", 401)
        self.ids.append(name)
        self.got.append(json.loads(body))
        status = self.answers.pop(0) if self.answers else 200
        return RedirectResponse("https://127.0.0.1/inside") if status == 307 else Response("", status)

    @property
    def types(self) -> list[str]:
        return [each["type"] for each in self.got]


@pytest.fixture(scope="module")
async def peer(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Receiver, PushService]]:
    certificate, key = a_certificate(tmp_path_factory.mktemp("tls"))
    receiver = Receiver()
    routes = [Route("/hook", receiver.take, methods=["POST"])]
    async with serving(routes, ssl_certfile=str(certificate), ssl_keyfile=str(key)) as port:
        receiver.port = port
        yield receiver, PushService(port=port, authority=str(certificate))


@pytest.fixture
def receiver(peer: tuple[Receiver, PushService]) -> Receiver:
    peer[0].forget()
    return peer[0]


@pytest.fixture
async def house(database_url: str, clock: SettableClock, peer: tuple[Receiver, PushService]) -> AsyncIterator[House]:
    pace = Pace(anchor=clock.now())
    settings = settings_for(database_url)
    built = await build(settings, clock=clock, pace=pace, library=compiled(), outward=peer[1].outward())
    yield built
    await built.close()


async def listen(api: httpx.AsyncClient, receiver: Receiver, *events: str) -> dict[str, Any]:
    made = await api.post(
        "/v1/webhooks", json={"url": f"https://{HOST}:{receiver.port}/hook", "events": list(events or EVERYTHING)}
    )
    assert made.status_code == 201, made.text
    webhook: dict[str, Any] = made.json()
    receiver.secret = webhook["secret"]
    return webhook


async def announce(house: House, *, waiting: timedelta | None = None) -> None:
    """One round, after some time by the machine's clock."""
    async with house.database.transaction() as connection:
        if waiting is not None:
            await connection.execute(
                text("UPDATE webhook_deliveries SET due_at = due_at - cast(:waiting AS interval)"),
                {"waiting": waiting},
            )
    await house.announcing.announce_some()


def test_signatures_are_those_of_the_specification() -> None:
    headers = signed(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert len(base64.b64decode(new_secret().removeprefix("whsec_"))) == 32


async def test_the_secret_is_shown_once_and_the_list_tells_how_it_goes(
    api: httpx.AsyncClient, house: House, receiver: Receiver
) -> None:
    made = await listen(api, receiver, "message.sent")
    tested = await api.post(f"/v1/webhooks/{made['id']}/test")
    before = (await api.get("/v1/webhooks")).json()["webhooks"]

    await announce(house)

    after = (await api.get("/v1/webhooks")).json()["webhooks"]
    assert (tested.status_code, receiver.types) == (202, ["webhook.test"])
    assert "secret" not in before[0] and made["secret"] not in str(before)
    assert [(each["waiting"], each["last_result"]) for each in (before[0], after[0])] == [(1, None), (0, "200")]


async def test_what_happens_is_told_by_our_ids_and_words_alone(
    api: httpx.AsyncClient, house: House, receiver: Receiver, clock: SettableClock
) -> None:
    await listen(api, receiver)
    await know_anna(api)
    walk = (await enroll(api)).json()
    sent = await send(house, walk, "greeting", clock.now())
    await api.patch(f"/v1/customers/{ANNA}", json={"consents": {"email": {"status": "denied"}}})
    clock.pass_(timedelta(hours=5))
    await send(house, walk, "basics", clock.now())
    await happens(api, house, "activated")

    await announce(house)

    by_type = {each["type"]: each for each in receiver.got}
    assert sent.state == "accepted"
    assert sorted(by_type) == ["customer.opted_out", "journey.converted", "message.refused", "message.sent"]
    told = by_type["message.sent"]["data"]
    assert (told["customer_id"], told["journey"], told["message"], told["channel"]) == (
        ANNA,
        "WelcomeChain",
        "greeting",
        "email",
    )
    assert by_type["customer.opted_out"]["data"]["channel"] == "email"
    assert by_type["message.refused"]["data"]["why"].startswith("The customer said no to email")
    assert not any(word in json.dumps(receiver.got) for word in ("Petrova", "+4930901820", "Anna"))
    assert len(set(receiver.ids)) == 4


async def test_who_does_not_listen_for_it_is_not_told(
    api: httpx.AsyncClient, house: House, receiver: Receiver, clock: SettableClock
) -> None:
    await listen(api, receiver, "task.created")
    await know_anna(api)
    await send(house, (await enroll(api)).json(), "greeting", clock.now())

    await announce(house)

    assert receiver.types == []


async def test_what_is_rolled_back_is_told_to_nobody(api: httpx.AsyncClient, house: House, receiver: Receiver) -> None:
    await listen(api, receiver)
    await know_anna(api)

    refused = await api.patch(
        f"/v1/customers/{ANNA}",
        json={"consents": {"email": {"status": "denied"}}, "attributes": {"x": "y" * 40_000}},
    )
    await announce(house)

    assert (refused.status_code, receiver.types) == (422, [])


@pytest.mark.parametrize("status", [500, 404, 307, 429])
async def test_what_was_not_taken_comes_again_with_the_same_id(
    api: httpx.AsyncClient, house: House, receiver: Receiver, status: int
) -> None:
    made = await listen(api, receiver, "message.sent")
    await api.post(f"/v1/webhooks/{made['id']}/test")
    receiver.answers = [status, status]

    await announce(house)
    await announce(house)  # five seconds are not over yet
    early = len(receiver.ids)
    await announce(house, waiting=timedelta(seconds=6))
    await announce(house, waiting=timedelta(seconds=6))  # five minutes are not over yet
    later = len(receiver.ids)
    await announce(house, waiting=timedelta(minutes=5))

    assert (early, later, len(receiver.ids)) == (1, 2, 3)
    assert len(set(receiver.ids)) == 1
    assert (await api.get("/v1/webhooks")).json()["webhooks"][0]["failing_since"] is None


async def test_after_eight_attempts_it_is_given_up(api: httpx.AsyncClient, house: House, receiver: Receiver) -> None:
    made = await listen(api, receiver, "message.sent")
    await api.post(f"/v1/webhooks/{made['id']}/test")
    receiver.answers = [500] * 20

    await announce(house)
    for wait in (*WAITS, timedelta(days=1)):
        await announce(house, waiting=wait)

    assert len(receiver.ids) == 8
    left = await rows(house, "SELECT attempts, result, done_at IS NULL AS waits FROM webhook_deliveries")
    assert left == [{"attempts": 8, "result": "500", "waits": False}]
    assert timedelta(hours=27) < sum(WAITS, timedelta()) < timedelta(hours=28)


async def test_410_ends_it_for_good(
    api: httpx.AsyncClient, house: House, receiver: Receiver, clock: SettableClock
) -> None:
    made = await listen(api, receiver)
    await api.post(f"/v1/webhooks/{made['id']}/test")
    receiver.answers = [410]

    await announce(house)
    await announce(house, waiting=timedelta(days=1))
    await know_anna(api)
    await send(house, (await enroll(api)).json(), "greeting", clock.now())

    listed = (await api.get("/v1/webhooks")).json()["webhooks"][0]
    assert (len(receiver.ids), listed["disabled_why"]) == (1, "it answered 410: gone")
    assert len(await rows(house, "SELECT 1 FROM webhook_deliveries")) == 1


async def test_five_days_without_a_success_disable_it(api: httpx.AsyncClient, house: House, receiver: Receiver) -> None:
    made = await listen(api, receiver, "message.sent")
    await rows(house, "UPDATE webhook_endpoints SET failing_since = now() - interval '121 hours' RETURNING 1")
    await api.post(f"/v1/webhooks/{made['id']}/test")
    receiver.answers = [500]

    await announce(house)

    assert (await api.get("/v1/webhooks")).json()["webhooks"][0]["disabled_why"] == "it failed for five days"


async def test_whoever_dies_in_the_middle_leaves_it_to_the_next(
    api: httpx.AsyncClient, house: House, receiver: Receiver
) -> None:
    made = await listen(api, receiver, "message.sent")
    await api.post(f"/v1/webhooks/{made['id']}/test")
    # Leased, and never recorded.
    await rows(house, "UPDATE webhook_deliveries SET attempts = 1, due_at = now() + interval '60 seconds' RETURNING 1")

    await announce(house)
    early = len(receiver.ids)
    await announce(house, waiting=timedelta(seconds=61))

    assert (early, len(receiver.ids)) == (0, 1)


async def test_four_workers_tell_each_once(api: httpx.AsyncClient, house: House, receiver: Receiver) -> None:
    made = await listen(api, receiver, "message.sent")
    [await api.post(f"/v1/webhooks/{made['id']}/test") for _ in range(10)]

    await asyncio.gather(*(house.announcing.announce_some() for _ in range(4)))

    assert (len(receiver.ids), len(set(receiver.ids))) == (10, 10)


@pytest.mark.parametrize(
    ("body", "taught"),
    [
        ({"url": "http://crm.example/hook"}, "https"),
        ({"url": "https://169.254.169.254/latest/meta-data"}, "public network"),
        ({"url": "https://2852039166/"}, "public network"),
        ({"url": "https://[::ffff:10.0.0.1]/"}, "public network"),
        ({"url": "https://crm.example:22/"}, "port"),
        ({"events": ["message.read"]}, "there is no message.read"),
        ({"events": []}, "name at least one"),
    ],
)
async def test_what_cannot_be_told_is_refused_in_words(
    asking: httpx.AsyncClient, body: dict[str, Any], taught: str
) -> None:
    answer = await asking.post("/v1/webhooks", json={"url": "https://crm.example/", "events": ["message.sent"], **body})

    assert answer.status_code == 422
    assert taught in str(answer.json()["problems"])


async def test_a_name_that_leads_inside_by_now_is_not_called(
    api: httpx.AsyncClient, house: House, receiver: Receiver
) -> None:
    made = await listen(api, receiver, "message.sent")
    await rows(house, "UPDATE webhook_endpoints SET url = 'https://10.0.0.7/hook' RETURNING 1")
    await api.post(f"/v1/webhooks/{made['id']}/test")

    await announce(house)

    listed = (await api.get("/v1/webhooks")).json()["webhooks"][0]
    assert (receiver.ids, listed["last_result"]) == ([], "its address does not lead to the public network")


async def test_a_deleted_one_is_gone_with_what_it_was_to_be_told(
    app: FastAPI, api: httpx.AsyncClient, house: House, receiver: Receiver
) -> None:
    made = await listen(api, receiver, "message.sent")
    await api.post(f"/v1/webhooks/{made['id']}/test")

    answers = [(await api.delete(f"/v1/webhooks/{made['id']}")).status_code for _ in range(2)]
    await announce(house)

    assert (answers, receiver.ids) == ([204, 404], [])
    assert (await api.post(f"/v1/webhooks/{made['id']}/test")).status_code == 404
