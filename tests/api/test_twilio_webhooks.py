"""Reports and replies by Twilio: proven by their signature, each once, in any order."""

import random
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import permutations
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.datastructures import FormData
from twilio.request_validator import RequestValidator

from activities.sending import TryLater
from adapters.templates import MessageLibrary
from domain.sends import SendState
from tests.api.conftest import client_of
from tests.api.stories import ANNA, rows
from tests.api.texting import PHONE, PUBLIC, Texting, connect, texting_house, texts_in
from tests.support.factories import SettableClock
from tests.support.twilio_simulator import TOKEN, Fault, Twilio, simulating
from tropa.serve import api_app
from tropa.wiring import House

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
INCOMING = f"{PUBLIC}/webhooks/twilio/incoming"
STATUS = f"{PUBLIC}/webhooks/twilio/status"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> MessageLibrary:
    return texts_in(tmp_path_factory.mktemp("templates") / "messages")


@pytest.fixture(scope="module")
async def serving() -> AsyncIterator[Twilio]:
    async with simulating() as simulator:
        yield simulator


@pytest.fixture
def twilio(serving: Twilio) -> Twilio:
    serving.forget()
    return serving


@pytest.fixture
async def house(
    database_url: str, clock: SettableClock, library: MessageLibrary, twilio: Twilio
) -> AsyncIterator[House]:
    async for built in texting_house(database_url, clock, library, twilio):
        yield built


@pytest.fixture
def texting(app: FastAPI, api: httpx.AsyncClient, house: House, clock: SettableClock, twilio: Twilio) -> Texting:
    connect(twilio, app)
    return Texting(api=api, house=house, clock=clock, twilio=twilio)


# Signatures ----------------------------------------------------------------------------------------------------------


async def test_a_signed_report_on_the_public_address_is_taken(texting: Texting, twilio: Twilio) -> None:
    await texting.greet()

    assert await twilio.report(twilio.messages[0], "sent") == 204
    assert (await texting.ledger())["delivery"] == "sent"


@pytest.mark.parametrize(
    "spoil",
    [
        {"token": "another token"},
        {"url": f"http://shop.test/webhooks/twilio/status?send={'x' * 8}"},
        {"url": "https://other.test/webhooks/twilio/status"},
        {"url": f"{STATUS}?send=other"},
        {"fields": {"MessageStatus": "delivered"}},
        {"headers": {}},
        {"headers": {"X-Twilio-Signature": "nonsense"}},
        {"headers": {"X-Twilio-Signature": "äöü".encode("latin-1")}},
    ],
    ids=["token", "scheme", "host", "query", "field", "none", "nonsense", "not ascii"],
)
async def test_what_twilio_did_not_sign_is_turned_down_with_a_problem(
    app: FastAPI, texting: Texting, twilio: Twilio, spoil: dict[str, Any]
) -> None:

    fields = {"MessageSid": "SM" + "0" * 32, "MessageStatus": "sent"}
    signature = RequestValidator(spoil.get("token", TOKEN)).compute_signature(spoil.get("url", STATUS), fields)
    headers = spoil.get("headers", {"X-Twilio-Signature": signature})
    async with client_of(app) as client:
        answer = await client.post("/webhooks/twilio/status", data=fields | spoil.get("fields", {}), headers=headers)

    assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")
    assert await rows(texting.house, "SELECT * FROM reports") == []


async def test_blank_and_repeated_fields_belong_to_the_signature(
    app: FastAPI, texting: Texting, twilio: Twilio
) -> None:

    pairs = [("MessageSid", "SM" + "0" * 32), ("MessageStatus", "sent"), ("To", ""), ("Tag", "b"), ("Tag", "a")]
    signature = RequestValidator(TOKEN).compute_signature(STATUS, FormData([*pairs]))
    body = "&".join(f"{name}={value}" for name, value in pairs)
    headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
    async with client_of(app) as client:
        answer = await client.post("/webhooks/twilio/status", content=body, headers=headers)

    assert answer.status_code == 204


@pytest.mark.parametrize("fields", [{}, {"MessageSid": "x", "MessageStatus": "sent"}, {"MessageSid": "SM" + "0" * 32}])
async def test_a_signed_call_that_is_no_report_is_told_so(
    texting: Texting, twilio: Twilio, fields: dict[str, str]
) -> None:
    assert await twilio.call(STATUS, fields) == 422


async def test_without_twilio_there_is_nothing_at_these_addresses(stranger_of_sandbox: httpx.AsyncClient) -> None:
    assert (await stranger_of_sandbox.post("/webhooks/twilio/status")).status_code == 404
    assert (await stranger_of_sandbox.post("/webhooks/twilio/incoming")).status_code == 404


@pytest.fixture
async def stranger_of_sandbox(untouched: House) -> AsyncIterator[httpx.AsyncClient]:

    async with client_of(api_app(untouched)) as client:
        yield client


# Reports -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("takes", [True, False])
async def test_f11_f12_a_lost_answer_is_looked_up_and_never_sent_again(
    texting: Texting, twilio: Twilio, takes: bool
) -> None:
    twilio.faults = [Fault(kind="cut", takes=takes)]

    result = await texting.greet()
    texting.clock.pass_(timedelta(minutes=14))
    await texting.reconcile()
    early = (await texting.ledger())["state"]
    texting.clock.pass_(timedelta(minutes=2))
    await texting.reconcile()

    row = await texting.ledger()
    assert result.state is SendState.UNKNOWN
    assert (early, row["state"], row["rule"]) == (
        ("accepted", "accepted", "resolved_by_look_up") if takes else ("unknown", "failed", "never_arrived")
    )
    assert row["provider_id"] == (twilio.messages[0]["sid"] if takes else None)
    assert (twilio.requests, len(twilio.messages)) == (1, int(takes))
    assert (await texting.told())[-1].startswith(
        "“greeting” – Twilio was asked afterwards" if takes else "“greeting” was not sent. Twilio has no trace of it"
    )


async def test_f11_f12_f13_f14_f18_whatever_is_lost_the_ledger_ends_as_the_sink_says(
    texting: Texting, twilio: Twilio
) -> None:
    kinds = [
        Fault(kind="cut", takes=True),
        Fault(kind="cut"),
        Fault(kind="garbage", takes=True),
        Fault(kind="garbage"),
        Fault(status=500, takes=True),
        Fault(status=503, code=20503),
        Fault(status=400, code=30007),
    ]
    twilio.faults = random.Random(7).choices(kinds, k=70)

    [await texting.greet(f"customer-{n}", f"+49309018{n:02}") for n in range(70)]
    texting.clock.pass_(HOUR)
    await texting.reconcile()

    ledger = {str(row["id"]): row["state"] for row in await rows(texting.house, "SELECT id, state FROM sends")}
    sink = {str(texting.house.links.read_status_report(token)): n for token, n in twilio.per_send().items()}
    assert (len(ledger), twilio.requests) == (70, 70)
    assert set(ledger.values()) == {"accepted", "failed"}
    assert {send: 1 for send, state in ledger.items() if state == "accepted"} == sink


async def test_f17_a_busy_twilio_keeps_the_send_for_later(texting: Texting, twilio: Twilio) -> None:
    twilio.faults = [Fault(status=429, code=20429, headers={"Retry-After": "1"})]

    with pytest.raises(TryLater) as raised:
        await texting.greet()
    result = await texting.again(visit=1)

    assert raised.value.after == timedelta(seconds=1)
    assert (result.state, len(twilio.messages)) == (SendState.ACCEPTED, 1)


async def test_f12_a_report_proves_what_nobody_recorded(texting: Texting, twilio: Twilio) -> None:
    twilio.faults = [Fault(kind="cut", takes=True)]
    await texting.greet()

    await twilio.report(twilio.messages[0], "sent")

    row = await texting.ledger()
    assert (row["state"], row["provider_id"]) == ("accepted", twilio.messages[0]["sid"])
    assert (await texting.told())[-1] == "“greeting” – Twilio reported on it afterwards, so it has it"
    assert twilio.per_send() == {parse(twilio): 1}


def parse(twilio: Twilio) -> str:
    return httpx.URL(next(iter(twilio.reports_to.values()))).params["send"]


async def test_f12_a_report_is_right_even_against_never_arrived(texting: Texting, twilio: Twilio) -> None:
    twilio.faults = [Fault(kind="cut", takes=True)]
    await texting.greet()
    hidden, twilio.messages = twilio.messages, []
    texting.clock.pass_(HOUR)
    await texting.reconcile()
    before = (await texting.ledger())["state"]

    await twilio.report(hidden[0], "delivered")

    assert (before, (await texting.ledger())["state"]) == ("failed", "accepted")


async def test_two_lost_texts_that_say_the_same_are_not_taken_for_one_another(texting: Texting, twilio: Twilio) -> None:
    twilio.faults = [Fault(kind="cut", takes=True), Fault(kind="cut", takes=False)]
    await texting.greet()
    await texting.greet("bob")
    texting.clock.pass_(HOUR)

    await texting.reconcile()

    states = await rows(texting.house, "SELECT state FROM sends ORDER BY state")
    assert [row["state"] for row in states] == ["accepted", "failed"]


async def test_f29_a_report_before_our_own_record_is_applied_at_once(texting: Texting, twilio: Twilio) -> None:
    async def early(message: dict[str, Any]) -> None:
        assert await twilio.report(message, "delivered") == 204

    twilio.before_answering = early
    result = await texting.greet()

    assert result.state is SendState.ACCEPTED
    assert (await texting.ledger())["delivery"] == "delivered"
    assert await texting.told() == [
        "“greeting” – sent by SMS: Twilio took it",
        "“greeting” – delivered to the phone",
    ]


async def test_f27_five_times_the_same_report_is_one_line(texting: Texting, twilio: Twilio) -> None:
    await texting.greet()

    answers = [await twilio.report(twilio.messages[0], "delivered") for _ in range(5)]

    assert answers == [204] * 5
    assert (await texting.told()).count("“greeting” – delivered to the phone") == 1
    assert await texting.told("ru") == [
        "«greeting» – отправлено (SMS), шлюз: Twilio",
        "«greeting» – доставлено на телефон",
    ]


async def test_f28_all_orders_of_reports_end_the_same(texting: Texting, twilio: Twilio) -> None:
    orders = list(permutations(["queued", "sending", "sent", "delivered"]))

    ends = [await ended(texting, n, order) for n, order in enumerate(orders)]

    assert ends == [("accepted", "delivered", 4, 1)] * 24


async def ended(texting: Texting, number: int, order: tuple[str, ...]) -> tuple[Any, ...]:
    """How a text ends whose reports come in an order: state, delivery, raw reports, lines about its delivery."""
    await texting.greet(f"customer-{number}", f"+49309018{number:02}")
    message = texting.twilio.messages[-1]
    for status in order:
        assert await texting.twilio.report(message, status) == 204
    found = await rows(
        texting.house,
        f"""SELECT state, delivery, (SELECT count(*) FROM reports WHERE provider_id = s.provider_id) AS raw,
            (SELECT count(*) FROM decisions WHERE send = s.id AND rule = 'delivered') AS lines
            FROM sends s WHERE provider_id = '{message["sid"]}'""",
    )
    return tuple(found[0].values())


async def test_f28_a_final_word_stays(texting: Texting, twilio: Twilio) -> None:
    await texting.greet()

    await twilio.report(twilio.messages[0], "delivered")
    await twilio.report(twilio.messages[0], "undelivered", "30008")

    assert (await texting.ledger())["delivery"] == "delivered"


async def test_f30_a_report_on_nothing_of_ours_is_parked_and_given_up_after_a_day(
    texting: Texting, twilio: Twilio
) -> None:
    stray = {"MessageSid": "SM" + "9" * 32, "MessageStatus": "delivered"}

    answer = await twilio.call(STATUS, stray)
    texting.clock.pass_(DAY - HOUR)
    await texting.reconcile()
    parked = await rows(texting.house, "SELECT orphaned_at FROM reports")
    texting.clock.pass_(2 * HOUR)
    await texting.reconcile()

    assert (answer, parked) == (204, [{"orphaned_at": None}])
    assert (await rows(texting.house, "SELECT orphaned_at FROM reports"))[0]["orphaned_at"] is not None


async def test_f30_a_parked_report_is_applied_once_its_text_is_known(texting: Texting, twilio: Twilio) -> None:
    async def unsigned(message: dict[str, Any]) -> None:
        twilio.reports_to[message["sid"]] = STATUS
        await twilio.report(message, "delivered")

    twilio.before_answering = unsigned
    await texting.greet()
    before = (await texting.ledger())["delivery"]

    await texting.reconcile()

    assert (before, (await texting.ledger())["delivery"]) == (None, "delivered")


async def test_f29_reports_that_are_quicker_than_our_own_record_are_all_applied(
    texting: Texting, twilio: Twilio
) -> None:
    """The catalogue says 500; each is a story of its own, so 25 show it as well."""

    async def early(message: dict[str, Any]) -> None:
        assert await twilio.report(message, "delivered") == 204

    twilio.before_answering = early
    [await texting.greet(f"customer-{n}", f"+49309018{n:02}") for n in range(25)]

    found = await rows(texting.house, "SELECT state, delivery, count(*) AS n FROM sends GROUP BY 1, 2")
    assert found == [{"state": "accepted", "delivery": "delivered", "n": 25}]


async def test_f31_when_every_report_is_lost_asking_ends_them_all(texting: Texting, twilio: Twilio) -> None:
    [await texting.greet(f"customer-{n}", f"+49309018{n:02}") for n in range(20)]
    for message in twilio.messages:
        message["status"] = "delivered"
    texting.clock.pass_(HOUR + HOUR / 60)

    await texting.reconcile()

    found = await rows(texting.house, "SELECT delivery, count(*) AS n FROM sends GROUP BY 1")
    assert found == [{"delivery": "delivered", "n": 20}]


async def test_f31_silence_is_ended_by_asking(texting: Texting, twilio: Twilio) -> None:
    await texting.greet()
    twilio.messages[0]["status"] = "delivered"
    texting.clock.pass_(HOUR / 2)
    await texting.reconcile()
    before = (await texting.ledger())["delivery"]
    texting.clock.pass_(HOUR)

    await texting.reconcile()

    assert (before, (await texting.ledger())["delivery"]) == (None, "delivered")


async def test_f32_what_is_never_reported_is_said_to_be_unknown_after_three_days(
    texting: Texting, twilio: Twilio
) -> None:
    await texting.greet()
    twilio.messages[0]["status"] = "sent"
    texting.clock.pass_(3 * DAY + HOUR)

    await texting.reconcile()
    await texting.reconcile()

    assert (await texting.ledger())["delivery"] == "unknown"
    assert (await texting.told())[1:] == ["“greeting” – Twilio never said whether it was delivered"]


# What codes say of an address ----------------------------------------------------------------------------------------


async def test_f19_a_number_that_nobody_has_is_never_written_to_again(texting: Texting, twilio: Twilio) -> None:
    await texting.greet()

    await twilio.report(twilio.messages[0], "undelivered", "30005")
    texting.clock.pass_(DAY)
    following = await texting.again()

    assert (following.state, following.rule) == (SendState.REFUSED, "suppressed")
    assert "“greeting” – Twilio could not deliver it (30005)" in await texting.told()
    assert twilio.requests == 1


async def test_f19_the_number_that_it_went_to_is_suppressed_not_the_one_of_today(
    texting: Texting, twilio: Twilio
) -> None:
    await texting.greet()
    await texting.api.patch(f"/v1/customers/{ANNA}", json={"phone": "+4930901899"})

    await twilio.report(twilio.messages[0], "undelivered", "30005")
    texting.clock.pass_(DAY)

    assert (await texting.again()).state is SendState.ACCEPTED


@pytest.mark.parametrize("late", [True, False])
async def test_f19_f49_a_stop_that_only_twilio_heard_is_an_opt_out_of_the_channel(
    texting: Texting, twilio: Twilio, late: bool
) -> None:
    twilio.opted_out = set() if late else {PHONE}
    await texting.greet()
    reports = [("failed", "21610"), ("undelivered", "21610")] if late else []
    [await twilio.report(twilio.messages[0], *report) for report in reports]
    await texting.house.projector.project_some()
    texting.clock.pass_(DAY)

    assert (await texting.again()).rule == "opted_out"
    assert (await texting.consent())["status"] == "denied"
    events = await rows(texting.house, "SELECT properties, number FROM events WHERE name = 'opted_out'")
    assert [event["properties"] for event in events] == [{"channel": "sms"}]
    assert events[0]["number"] is not None
    assert twilio.requests == 1


async def test_f50_an_old_refusal_told_again_does_not_undo_a_later_start(texting: Texting, twilio: Twilio) -> None:
    await texting.greet()
    await twilio.report(twilio.messages[0], "failed", "21610")
    texting.clock.pass_(HOUR)
    await twilio.reply(INCOMING, PHONE, "START")
    texting.clock.pass_(HOUR)

    await twilio.report(twilio.messages[0], "undelivered", "21610")

    assert (await texting.consent())["status"] == "granted"


async def test_f19_the_opt_out_is_written_with_the_refusal(texting: Texting, twilio: Twilio) -> None:
    twilio.opted_out = {PHONE}

    await texting.greet()

    written = await rows(
        texting.house, "SELECT (SELECT xmin FROM sends) = xmin AS same FROM consents WHERE status = 'denied'"
    )
    assert written == [{"same": True}]  # one transaction


# Replies -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["STOP", " stop. ", "Unsubscribe", "СТОП!", "«Отписаться»", "тоқта", "ТОКТАТУ"])
async def test_a_stop_ends_texts_to_everybody_with_the_number_at_once(
    texting: Texting, twilio: Twilio, word: str
) -> None:
    await texting.greet()
    await texting.greet("husband@example.com")

    assert await twilio.reply(INCOMING, PHONE, word) == 200

    assert (await texting.consent())["status"] == "denied"
    assert (await texting.consent("husband@example.com"))["status"] == "denied"


async def test_the_same_stop_twice_is_one(texting: Texting, twilio: Twilio) -> None:
    await texting.greet()
    sid = "SM" + "5" * 32

    await twilio.reply(INCOMING, PHONE, "STOP", sid)
    texting.clock.pass_(HOUR)
    await twilio.reply(INCOMING, PHONE, "STOP", sid)

    assert len(await rows(texting.house, "SELECT 1 FROM events WHERE name = 'opted_out'")) == 1


async def test_start_is_an_explicit_yes_and_its_repeat_does_not_undo_a_later_stop(
    texting: Texting, twilio: Twilio
) -> None:
    await texting.greet()
    await twilio.reply(INCOMING, PHONE, "STOP")
    texting.clock.pass_(HOUR)
    await twilio.reply(INCOMING, PHONE, "Start", "SM" + "6" * 32)
    granted = await texting.consent()
    texting.clock.pass_(HOUR)
    await twilio.reply(INCOMING, PHONE, "STOP")
    texting.clock.pass_(HOUR)

    await twilio.reply(INCOMING, PHONE, "Start", "SM" + "6" * 32)

    assert (granted["status"], granted["source"]) == ("granted", "reply by text message")
    assert (await texting.consent())["status"] == "denied"


async def test_what_twilio_took_a_text_for_counts_more_than_our_table(texting: Texting, twilio: Twilio) -> None:
    await texting.greet()

    await twilio.reply(INCOMING, PHONE, "arret", OptOutType="STOP")

    assert (await texting.consent())["status"] == "denied"


@pytest.mark.parametrize(
    ("text", "means"),
    [("please don't stop", "other"), ("yes", "other"), ("HELP", "help"), ("Когда доставка?", "other")],
)
async def test_anything_else_is_an_event_for_people(texting: Texting, twilio: Twilio, text: str, means: str) -> None:
    await texting.greet()

    await twilio.reply(INCOMING, PHONE, text)

    found = await rows(texting.house, "SELECT properties FROM events WHERE name = 'replied'")
    assert found == [{"properties": {"channel": "sms", "means": means, "text": text}}]
    assert (await texting.consent())["status"] == "granted"
    assert await texting.told(kind="event") != []
    asked = await rows(texting.house, "SELECT title FROM tasks WHERE cause = 'reply'")
    assert asked == ([{"title": "Answer Anna Petrova"}] if means == "other" else [])


async def test_a_number_that_nobody_has_is_answered_all_the_same(texting: Texting, twilio: Twilio) -> None:
    assert await twilio.reply(INCOMING, "+15550199", "STOP") == 200
    assert await twilio.reply(INCOMING, "whatsapp:+15550199", "STOP") == 200
    assert await rows(texting.house, "SELECT 1 FROM events WHERE name = 'opted_out'") == []


async def test_the_answer_to_a_reply_is_empty_twiml(app: FastAPI, texting: Texting) -> None:

    fields = {"MessageSid": "SM" + "1" * 32, "From": PHONE, "Body": "Hi"}
    headers = {"X-Twilio-Signature": RequestValidator(TOKEN).compute_signature(INCOMING, fields)}
    async with client_of(app) as client:
        answer = await client.post("/webhooks/twilio/incoming", data=fields, headers=headers)

    assert answer.headers["content-type"].startswith("text/xml")
    assert answer.text.endswith("<Response/>")
