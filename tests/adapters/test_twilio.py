"""Texts by Twilio's own library against a stateful simulator: what each answer, or none, means."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from adapters.channels.twilio import TwilioAccount, TwilioGateway
from adapters.channels.twilio_codes import CODES, DELIVERIES, Verdict, report_of, verdict
from adapters.links import Links
from domain.deliveries import Delivery, Letter, Lost, Receipt
from domain.errors import Unavailable
from domain.messages import Channel
from tests.support.twilio_simulator import SENDER, SID, TOKEN, Fault, Twilio, simulating

LINKS = Links(["a secret of the tests"], "https://shop.test")
PHONE = "+4930901820"


@pytest.fixture(scope="module")
async def serving() -> AsyncIterator[Twilio]:
    async with simulating() as simulator:
        yield simulator


@pytest.fixture
def twilio(serving: Twilio) -> Twilio:
    serving.forget()
    return serving


def gateway_to(base_url: str, patience: float = 0.5, **changes: Any) -> TwilioGateway:
    account: dict[str, Any] = {"sid": SID, "token": TOKEN, "sender": SENDER, "base_url": base_url, "per_second": 1000}
    return TwilioGateway(TwilioAccount(**account | changes), LINKS.status_report, timeout=httpx.Timeout(patience))


@pytest.fixture
async def gateway(twilio: Twilio) -> AsyncIterator[TwilioGateway]:
    made = gateway_to(twilio.base_url)
    yield made
    await made.close()


def a_letter(text: str = "Hello!", to: str = PHONE) -> Letter:
    return Letter(
        send_id=uuid4(), to=to, sender="", subject="", html="", text=text, unsubscribe_url=None, list_id=None,
        journey="trial", message="note",
    )  # fmt: skip


async def deliver(gateway: TwilioGateway, letter: Letter | None = None) -> Receipt:
    async with gateway.connection() as connection:
        return await connection.deliver(letter or a_letter())


def lost(letter: Letter, at: datetime | None = None) -> Lost:
    return Lost(send_id=letter.send_id, to=letter.to, text=letter.text, handed_at=at or datetime.now(UTC))


# Handing over --------------------------------------------------------------------------------------------------------


async def test_a_text_is_taken_with_its_signed_send_in_the_address_for_reports(
    twilio: Twilio, gateway: TwilioGateway
) -> None:
    letter = a_letter("Привет, Анна!")

    receipt = await deliver(gateway, letter)

    message = twilio.messages[0]
    assert (receipt.outcome, receipt.provider_id) == ("accepted", message["sid"])
    assert (message["to"], message["body"], message["from"]) == (PHONE, "Привет, Анна!", SENDER)
    address = httpx.URL(twilio.reports_to[message["sid"]])
    assert (address.host, address.path) == ("shop.test", "/webhooks/twilio/status")
    assert LINKS.read_status_report(address.params["send"]) == letter.send_id


async def test_a_messaging_service_may_choose_the_sender(twilio: Twilio) -> None:
    service = "MG" + "b2" * 16
    gateway = gateway_to(twilio.base_url, sender="", messaging_service=service)

    assert (await deliver(gateway)).outcome == "accepted"

    assert (twilio.messages[0]["messaging_service_sid"], twilio.messages[0]["from"]) == (service, None)
    await gateway.close()


@pytest.mark.parametrize(("text", "code"), [("x" * 1601, "21617"), (" \n", "21602")])
async def test_a_text_that_cannot_be_one_is_refused_without_a_call(
    twilio: Twilio, gateway: TwilioGateway, text: str, code: str
) -> None:
    receipt = await deliver(gateway, a_letter(text))

    assert (receipt.outcome, receipt.code, twilio.requests) == ("refused", code, 0)


async def test_the_longest_text_goes(gateway: TwilioGateway) -> None:
    assert (await deliver(gateway, a_letter("x" * 1600))).outcome == "accepted"


@pytest.mark.parametrize(
    ("lasts", "seconds"),
    [
        (timedelta(days=3), 3600),
        (timedelta(minutes=20), 1200),
        (timedelta(seconds=2), 6),
        (timedelta(seconds=-1), 6),
        (None, 3600),
    ],
)
async def test_twilio_keeps_a_text_for_as_long_as_it_is_worth_delivering_and_never_into_the_night(
    twilio: Twilio, gateway: TwilioGateway, lasts: timedelta | None, seconds: int
) -> None:
    await deliver(gateway, replace(a_letter(), lasts=lasts))

    assert list(twilio.keeps_for.values()) == [seconds]


# How fast ------------------------------------------------------------------------------------------------------------


async def test_texts_are_handed_over_evenly_at_the_senders_rate(twilio: Twilio) -> None:
    gateway, began = gateway_to(twilio.base_url, per_second=20), time.monotonic()

    await asyncio.gather(*(deliver(gateway) for _ in range(11)))

    assert time.monotonic() - began >= 0.5  # ten gaps of a twentieth
    assert twilio.requests == 11
    await gateway.close()


async def test_who_would_wait_too_long_for_a_turn_tries_again_later(twilio: Twilio) -> None:
    gateway = gateway_to(twilio.base_url, per_second=0.01)
    await deliver(gateway)

    with pytest.raises(Unavailable):
        await deliver(gateway)
    assert twilio.requests == 1
    await gateway.close()


async def test_f17_two_hundred_texts_put_off_for_a_while_all_go_and_hardly_one_asks_twice(twilio: Twilio) -> None:
    """A second instead of a minute. Each is tried again as soon as it may be, which is sooner than Temporal would."""
    gateway, gate = gateway_to(twilio.base_url, patience=30), asyncio.Semaphore(20)
    twilio.busy_until = time.monotonic() + 1.5

    async def send(letter: Letter) -> Receipt:
        async with gate:
            return await tried_until_taken(letter)

    async def tried_until_taken(letter: Letter) -> Receipt:
        while True:
            try:
                receipt = await deliver(gateway, letter)
            except Unavailable:
                await asyncio.sleep(0.05)
                continue
            if receipt.outcome != "retry":
                return receipt
            await asyncio.sleep((receipt.retry_after or timedelta(0)).total_seconds())

    receipts = await asyncio.gather(*(send(a_letter()) for _ in range(200)))

    assert {receipt.outcome for receipt in receipts} == {"accepted"}
    assert set(twilio.per_send().values()) == {1}
    assert (len(twilio.messages), twilio.requests <= 400) == (200, True)
    await gateway.close()


# Answers -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("code", "found"), [(c, v) for c, v in CODES.items() if v not in ("retry", "stop_channel")])
async def test_f19_each_permanent_code_does_what_the_table_says(
    twilio: Twilio, gateway: TwilioGateway, code: int, found: Verdict
) -> None:
    twilio.faults = [Fault(status=400, code=code)]

    receipt = await deliver(gateway)

    assert (receipt.outcome, receipt.code, twilio.requests) == ("refused", str(code), 1)
    assert receipt.opted_out is (found is Verdict.OPT_OUT)
    assert receipt.permanent_for_address is (found is Verdict.SUPPRESS)


@pytest.mark.parametrize(
    ("status", "code", "headers", "wait"),
    [
        (429, 20429, {"Retry-After": "7"}, timedelta(seconds=7)),
        (429, None, {"Retry-After": "0"}, timedelta(seconds=1)),
        (429, 20429, {"Retry-After": "999999"}, timedelta(hours=1)),
        (429, 20429, {"Retry-After": "soon"}, None),
        (429, 20429, {}, None),
        (400, 21611, {}, None),
    ],
)
async def test_f17_a_busy_twilio_is_tried_later_when_it_says(
    twilio: Twilio, gateway: TwilioGateway, status: int, code: int | None, headers: dict[str, str], wait: timedelta
) -> None:
    twilio.faults = [Fault(status=status, code=code, headers=headers)]

    receipt = await deliver(gateway)

    assert (receipt.outcome, receipt.retry_after, twilio.requests) == ("retry", wait, 1)


@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [
        (400, 29999, Verdict.FAIL),
        (404, None, Verdict.FAIL),
        (401, None, Verdict.STOP_CHANNEL),
        (429, None, Verdict.RETRY),
        (408, None, None),
        (500, None, None),
        (503, 20503, None),
        (302, None, None),
    ],
)
def test_a_code_that_is_not_in_the_table_is_judged_by_its_status(
    status: int, code: int | None, outcome: Verdict | None
) -> None:
    assert verdict(status, code) is outcome


async def test_an_account_that_is_turned_down_stops_the_channel(twilio: Twilio) -> None:
    gateway = gateway_to(twilio.base_url, token="a wrong one")

    receipt = await deliver(gateway)

    assert (receipt.outcome, receipt.code) == ("retry", "20003")
    with pytest.raises(Unavailable):
        await deliver(gateway)
    await gateway.close()


# No answers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("takes", [True, False])
@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind="silent", lasting=0.8),
        Fault(kind="cut"),
        Fault(kind="garbage"),
        Fault(status=500),
        Fault(status=503, code=20503),
    ],
    ids=["silent", "cut", "garbage", "500", "503"],
)
async def test_f13_f14_f18_an_answer_that_is_lost_leaves_the_outcome_unknown_and_is_not_tried_again(
    twilio: Twilio, gateway: TwilioGateway, fault: Fault, takes: bool
) -> None:
    twilio.faults = [Fault(**{**vars(fault), "takes": takes})]
    letter = a_letter()

    receipt = await deliver(gateway, letter)
    trace = await gateway.look_up(lost(letter))

    assert (receipt.outcome, twilio.requests) == ("unknown", 1)
    assert trace.outcome == ("accepted" if takes else "absent")
    assert trace.provider_ids == tuple(message["sid"] for message in twilio.messages)


async def test_the_timeout_works(twilio: Twilio, gateway: TwilioGateway) -> None:
    twilio.faults = [Fault(kind="silent", lasting=0.9)]

    async with asyncio.timeout(0.8):
        assert (await deliver(gateway)).outcome == "unknown"


async def test_a_connection_that_is_refused_has_carried_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    gateway = gateway_to(f"http://127.0.0.1:{port}")

    assert (await deliver(gateway)).outcome == "retry"
    await gateway.close()


async def test_what_is_between_claim_and_call_fails_closed_when_twilio_cannot_be_asked(
    twilio: Twilio, gateway: TwilioGateway
) -> None:
    stranger = gateway_to(twilio.base_url, token="a wrong one")

    with pytest.raises(Unavailable):
        await stranger.look_up(lost(a_letter()))
    with pytest.raises(Unavailable):
        await stranger.report("SM" + "0" * 32)
    await stranger.close()


# Asking afterwards ---------------------------------------------------------------------------------------------------


async def test_a_look_up_finds_its_own_text_to_its_own_number_of_its_own_time(
    twilio: Twilio, gateway: TwilioGateway
) -> None:
    letter, other = a_letter("one"), a_letter("two")
    for each in (letter, other, a_letter("one", to="+4930901821")):
        await deliver(gateway, each)
    twilio.messages[0]["date_created"] = "Mon, 02 Mar 2026 10:00:00 +0000"

    then = datetime(2026, 3, 2, 10, 1, tzinfo=UTC)
    assert (await gateway.look_up(lost(letter, then))).provider_ids == (twilio.messages[0]["sid"],)
    assert (await gateway.look_up(lost(letter))).outcome == "absent"
    assert (await gateway.look_up(lost(other))).provider_ids == (twilio.messages[1]["sid"],)


async def test_a_look_up_reads_on_past_the_first_page(twilio: Twilio, gateway: TwilioGateway) -> None:
    letter = a_letter("first")
    await deliver(gateway, letter)
    twilio.messages += [{**twilio.messages[0], "sid": f"SM{n:032x}", "body": "later"} for n in range(60)]

    assert (await gateway.look_up(lost(letter))).provider_ids == (twilio.messages[0]["sid"],)


async def test_a_look_up_that_cannot_see_far_enough_back_does_not_say_absent(
    twilio: Twilio, gateway: TwilioGateway
) -> None:
    await deliver(gateway, a_letter("first"))
    twilio.messages += [{**twilio.messages[0], "sid": f"SM{n:032x}", "body": "later"} for n in range(300)]

    assert (await gateway.look_up(lost(a_letter("never")))).outcome == "unknown"


async def test_a_text_can_be_asked_how_far_it_has_come(twilio: Twilio, gateway: TwilioGateway) -> None:
    await deliver(gateway)
    twilio.messages[0] |= {"status": "undelivered", "error_code": 30005}
    sid = twilio.messages[0]["sid"]

    report = await gateway.report(sid)

    assert report == report_of(sid, "undelivered", 30005)
    assert report is not None and report.permanent_for_address and report.delivery is Delivery.UNDELIVERED
    assert await gateway.report("SM" + "0" * 32) is None


# The tables ----------------------------------------------------------------------------------------------------------


def test_every_code_has_five_digits_and_every_status_a_rank() -> None:
    assert all(10000 <= code <= 99999 for code in CODES)
    assert {delivery.rank for delivery in DELIVERIES.values()} == {1, 2, 3, 4, 6, 7}
    assert [Delivery(word).final for word in ("sent", "unknown", "delivered")] == [False, True, True]


def test_a_token_of_a_report_is_ours_or_nothing() -> None:
    send = UUID(int=7)
    token = LINKS.status_report(send).rpartition("=")[2]

    assert LINKS.read_status_report(token) == send
    assert LINKS.read_status_report(token[:-1]) is None
    assert LINKS.read_status_report(LINKS.unsubscribe("cus_1", Channel.SMS).rpartition("/")[2]) is None
