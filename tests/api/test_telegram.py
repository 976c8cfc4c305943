"""Telegram from the start link to a message in the chat, and every way out of it."""

import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from activities.sending import TryLater
from adapters.channels.telegram import webhook_secret
from adapters.templates import MESSAGES, MessageLibrary
from domain.clock import Pace
from domain.sends import SendResult, SendState
from tests.api.conftest import client_of
from tests.api.stories import ANNA, enroll, know_anna, rows, send
from tests.support.factories import SettableClock, settings_for
from tests.support.telegram_simulator import BOT, TOKEN, Fault, Telegram, simulating
from tropa.serve import api_app
from tropa.wiring import House, build

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CHAT, OTHER = 5550001, 5550002
WORDS = "Hello, {{ customer.first_name or 'friend' }}!"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> MessageLibrary:
    """The real messages, but greetings go by Telegram, and tips by email offer it."""
    folder = tmp_path_factory.mktemp("templates") / "messages"
    shutil.copytree(MESSAGES, folder)
    greeting = folder / "welcome_chain" / "greeting"
    declared = (greeting / "message.toml").read_text()
    (greeting / "message.toml").write_text(declared.replace('["email"]', '["telegram"]'))
    for language in ("en", "ru"):
        (greeting / f"email.{language}.mjml").unlink()
        (greeting / f"telegram.{language}.txt").write_text(WORDS)
    return MessageLibrary(folder)


@pytest.fixture(scope="module")
async def serving() -> AsyncIterator[Telegram]:
    async with simulating() as simulator:
        yield simulator


@pytest.fixture
def telegram(serving: Telegram) -> Telegram:
    serving.forget()
    return serving


@pytest.fixture
async def house(
    database_url: str, clock: SettableClock, library: MessageLibrary, telegram: Telegram
) -> AsyncIterator[House]:
    settings = settings_for(
        database_url,
        public_url="https://shop.test",
        telegram_token=TOKEN,
        telegram_bot=BOT,
        telegram_base_url=telegram.base_url,
    )
    built = await build(settings, clock=clock, pace=Pace(anchor=clock.now()), library=library)
    yield built
    await built.close()


@pytest.fixture
async def anna(app: FastAPI, api: httpx.AsyncClient, telegram: Telegram) -> dict[str, Any]:
    """Anna, whom we know by email, and her walk; the bot reports to the app."""

    async def post(body: bytes, headers: dict[bytes, bytes]) -> httpx.Response:
        async with client_of(app) as client:
            return await client.post("/webhooks/telegram", content=body, headers=headers)

    telegram.post, telegram.webhook = post, {"secret_token": webhook_secret(TOKEN)}
    await know_anna(api)
    walk: dict[str, Any] = (await enroll(api)).json()
    return walk


async def link(api: httpx.AsyncClient, customer_id: str = ANNA) -> str:
    """What a customer's start link makes the app send to the bot."""
    found: str = (await api.get(f"/v1/customers/{customer_id}/links")).json()["telegram"]
    assert found.startswith(f"https://t.me/{BOT}?start=")
    return "/start " + found.rpartition("=")[2]


async def consent(api: httpx.AsyncClient, customer_id: str = ANNA) -> dict[str, Any]:
    consents: dict[str, dict[str, Any]] = (await api.get(f"/v1/customers/{customer_id}")).json()["consents"]
    return consents.get("telegram", {})


async def greet(house: House, walk: dict[str, Any], visit: int = 1) -> SendResult:
    return await send(house, walk, "greeting", house.clock.now(), visit=visit)


async def told(api: httpx.AsyncClient, locale: str = "en") -> list[str]:
    page = await api.get(f"/v1/customers/{ANNA}/timeline", params={"locale": locale})
    return [entry["text"] for entry in reversed(page.json()["entries"])]


# The way in ----------------------------------------------------------------------------------------------------------


async def test_without_start_there_is_no_way_to_anna(house: House, anna: dict[str, Any]) -> None:
    assert (await greet(house, anna)).rule == "unreachable"


async def test_start_binds_the_chat_is_a_yes_and_the_next_message_arrives_there(
    house: House, api: httpx.AsyncClient, anna: dict[str, Any], telegram: Telegram
) -> None:
    assert await telegram.writes(CHAT, await link(api)) == 200

    result = await greet(house, anna)

    assert (result.state, result.channel) == (SendState.ACCEPTED, "telegram")
    assert [(m["chat"]["id"], m["text"]) for m in telegram.messages] == [(CHAT, "Hello, Anna!")]
    assert (await consent(api))["source"] == "telegram_start"
    assert telegram.said == [
        {
            "method": "sendMessage",
            "chat_id": str(CHAT),
            "text": "Hello! Example Company will write to you here. Send /stop at any time, and it ends at once.",
        }
    ]
    assert "Started our Telegram bot" in await told(api)
    assert "“greeting” – sent by Telegram: Telegram took it" in await told(api)
    listed = (await api.get(f"/v1/customers/{ANNA}/addresses")).json()["addresses"]
    assert [(each["channel"], each["address"]) for each in listed] == [("telegram", str(CHAT))]


async def test_the_bot_answers_in_the_customers_language(
    api: httpx.AsyncClient, anna: dict[str, Any], telegram: Telegram
) -> None:
    await api.patch(f"/v1/customers/{ANNA}", json={"locale": "ru-KZ"})

    await telegram.writes(CHAT, await link(api))
    await telegram.writes(OTHER, "/start wrong", lang="ru")

    assert [said["text"].split()[0] for said in telegram.said] == ["Здравствуйте!", "Откройте"]


async def test_a_new_chat_takes_the_place_of_the_old_one(
    house: House, api: httpx.AsyncClient, anna: dict[str, Any], telegram: Telegram
) -> None:
    start = await link(api)
    await telegram.writes(CHAT, start)
    await telegram.writes(OTHER, start)

    await greet(house, anna)

    assert [m["chat"]["id"] for m in telegram.messages] == [OTHER]


@pytest.mark.parametrize("spoil", [lambda t: "/start", lambda t: t[:-2], lambda t: t + "AA", lambda t: "/start x"])
async def test_a_start_without_a_good_token_binds_nobody_and_is_told_so(
    house: House, api: httpx.AsyncClient, anna: dict[str, Any], telegram: Telegram, spoil: Any
) -> None:
    assert await telegram.writes(CHAT, spoil(await link(api))) == 200

    assert telegram.said[0]["text"].startswith("Please open this chat by the link")
    assert await rows(house, "SELECT * FROM addresses") == []
    assert await consent(api) == {}


async def test_a_start_link_ends_after_thirty_days(
    house: House, api: httpx.AsyncClient, clock: SettableClock, anna: dict[str, Any], telegram: Telegram
) -> None:
    start = await link(api)
    clock.pass_(31 * DAY)

    await telegram.writes(CHAT, start)

    assert await rows(house, "SELECT * FROM addresses") == []


async def test_the_same_start_told_again_does_not_undo_a_later_stop(
    api: httpx.AsyncClient, clock: SettableClock, anna: dict[str, Any], telegram: Telegram
) -> None:
    start = await link(api)
    await telegram.writes(CHAT, start, number=7)
    clock.pass_(HOUR)
    await telegram.writes(CHAT, "/stop")
    clock.pass_(HOUR)

    await telegram.writes(CHAT, start, number=7)

    assert (await consent(api))["status"] == "denied"


async def test_a_chat_that_the_company_knows_already_may_be_set_and_is_no_consent(
    house: House, api: httpx.AsyncClient, anna: dict[str, Any], telegram: Telegram
) -> None:
    telegram.chats = {CHAT}
    address = f"/v1/customers/{ANNA}/addresses/telegram"

    wrong = await api.put(address, json={"chat_id": "-100123"})
    good = await api.put(address, json={"chat_id": str(CHAT)})
    before = await greet(house, anna)
    await api.patch(f"/v1/customers/{ANNA}", json={"consents": {"telegram": {"status": "granted"}}})
    after = await greet(house, anna, visit=2)

    assert (wrong.status_code, good.status_code) == (422, 200)
    assert (before.rule, after.state) == ("no_consent", SendState.ACCEPTED)


# The ways out --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["/stop", "СТОП", "Unsubscribe"])
async def test_stop_ends_it_at_once_and_leaves_email_alone(
    house: House, api: httpx.AsyncClient, anna: dict[str, Any], telegram: Telegram, word: str
) -> None:
    await telegram.writes(CHAT, await link(api))

    await telegram.writes(CHAT, word)

    assert (await greet(house, anna)).rule == "opted_out"
    assert telegram.messages == []
    assert telegram.said[-1]["text"].startswith("Done: Example Company will not write to you here again.")
    assert (await api.get(f"/v1/customers/{ANNA}")).json()["consents"]["email"]["status"] == "granted"
    assert "Said no to Telegram" in await told(api)


async def test_blocking_the_bot_ends_it_in_the_transaction_that_hears_of_it(
    house: House, api: httpx.AsyncClient, anna: dict[str, Any], telegram: Telegram
) -> None:
    await telegram.writes(CHAT, await link(api))

    assert await telegram.blocks(CHAT) == 200

    written = await rows(
        house,
        """SELECT c.status, c.xmin = e.xmin AS same FROM consents c, events e
           WHERE c.channel = 'telegram' AND e.name = 'opted_out'""",
    )
    assert written == [{"status": "denied", "same": True}]
    assert (await greet(house, anna)).rule == "opted_out"


async def test_a_block_that_only_the_send_meets_is_an_opt_out_too(
    house: House, api: httpx.AsyncClient, anna: dict[str, Any], telegram: Telegram
) -> None:
    await telegram.writes(CHAT, await link(api))
    telegram.blocked = {CHAT}

    first, second = await greet(house, anna), await greet(house, anna, visit=2)

    assert (first.state, second.rule, telegram.requests) == (SendState.FAILED, "opted_out", 1)
    assert (await consent(api))["status"] == "denied"


async def test_letting_the_bot_back_is_no_yes_but_start_is(
    api: httpx.AsyncClient, clock: SettableClock, anna: dict[str, Any], telegram: Telegram
) -> None:
    await telegram.writes(CHAT, await link(api))
    clock.pass_(HOUR)
    await telegram.blocks(CHAT)
    clock.pass_(HOUR)
    await telegram.blocks(CHAT, "member")
    between = await consent(api)

    await telegram.writes(CHAT, "/start")

    assert (between["status"], (await consent(api))["status"]) == ("denied", "granted")


async def test_a_chat_that_is_gone_is_never_written_to_again(
    house: House, api: httpx.AsyncClient, anna: dict[str, Any], telegram: Telegram
) -> None:
    await telegram.writes(CHAT, await link(api))
    telegram.chats = set()

    first, second = await greet(house, anna), await greet(house, anna, visit=2)

    assert (first.state, second.rule, telegram.requests) == (SendState.FAILED, "suppressed", 1)


# Between -------------------------------------------------------------------------------------------------------------


async def test_f17_a_busy_bot_keeps_the_send_for_when_telegram_says(
    house: House, api: httpx.AsyncClient, anna: dict[str, Any], telegram: Telegram
) -> None:
    await telegram.writes(CHAT, await link(api))
    telegram.faults = [Fault(status=429, description="Too Many Requests", parameters={"retry_after": 9})]

    with pytest.raises(TryLater) as raised:
        await greet(house, anna)
    result = await greet(house, anna)

    assert (raised.value.after, result.state) == (timedelta(seconds=9), SendState.ACCEPTED)
    assert len(telegram.messages) == 1


@pytest.mark.parametrize("takes", [True, False])
async def test_a_lost_answer_stays_unknown_and_is_never_sent_again(
    house: House, api: httpx.AsyncClient, clock: SettableClock, anna: dict[str, Any], telegram: Telegram, takes: bool
) -> None:
    await telegram.writes(CHAT, await link(api))
    telegram.faults = [Fault(kind="cut", takes=takes)]

    first = await greet(house, anna)
    clock.pass_(DAY)
    again = await greet(house, anna)

    assert (first.state, again.state) == (SendState.UNKNOWN, SendState.UNKNOWN)
    assert (telegram.requests, len(telegram.messages)) == (1, int(takes))


async def test_what_anna_writes_is_an_event_for_people_and_dates_her_chat(
    house: House, api: httpx.AsyncClient, clock: SettableClock, anna: dict[str, Any], telegram: Telegram
) -> None:
    await telegram.writes(CHAT, await link(api))
    clock.pass_(HOUR)

    await telegram.writes(CHAT, "Когда доставка?")

    found = await rows(house, "SELECT properties FROM events WHERE name = 'replied'")
    assert found == [{"properties": {"channel": "telegram", "means": "other", "text": "Когда доставка?"}}]
    assert "Ответ клиента: Telegram" in await told(api, "ru")
    assert (await rows(house, "SELECT last_inbound_at FROM addresses"))[0]["last_inbound_at"] == clock.now()
    assert len(telegram.said) == 1  # nothing of ours answers a question


@pytest.mark.parametrize("secret", ["", "wrong", "ы"])
async def test_a_call_without_telegrams_secret_is_turned_down(
    house: House, api: httpx.AsyncClient, anna: dict[str, Any], telegram: Telegram, secret: str
) -> None:
    update = {"update_id": 1, "message": {"chat": {"id": CHAT, "type": "private"}, "text": await link(api)}}

    assert await telegram.tells(update, secret) == 403
    assert await rows(house, "SELECT * FROM addresses") == []


@pytest.mark.parametrize(
    ("update", "status"),
    [
        ([], 422),
        ({"message": {}}, 422),
        ({"update_id": 1}, 200),
        ({"update_id": 1, "message": "x"}, 200),
        ({"update_id": 1, "message": {"chat": {"id": "x", "type": "private"}}}, 200),
        ({"update_id": 1, "message": {"chat": {"id": -100, "type": "group"}, "text": "/start"}}, 200),
        ({"update_id": 1, "edited_message": {"chat": {"id": CHAT, "type": "private"}, "text": "/stop"}}, 200),
        ({"update_id": 1, "message": {"chat": {"id": CHAT, "type": "private"}, "sticker": {}}}, 200),
    ],
)
async def test_updates_of_other_kinds_do_nothing(
    house: House, anna: dict[str, Any], telegram: Telegram, update: Any, status: int
) -> None:
    before = await rows(house, "SELECT count(*) FROM events")

    assert await telegram.tells(update) == status
    assert (await rows(house, "SELECT count(*) FROM events"), telegram.said) == (before, [])


async def test_without_a_bot_there_is_nothing_at_this_address(untouched: House, asking: httpx.AsyncClient) -> None:
    async with client_of(api_app(untouched)) as client:
        answer = await client.post("/webhooks/telegram", json={"update_id": 1})
    await know_anna(asking, "nobody@example.com")

    assert answer.status_code == 404
    assert (await asking.get("/v1/customers/nobody@example.com/links")).json()["telegram"] is None
