"""WhatsApp from a journey's step to a phone and back: two ways to speak, a consent of its own, and Meta's reports."""

import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from adapters.templates import MESSAGES, MessageLibrary
from domain.messages import Channel
from domain.sends import SendResult, SendState
from tests.api.conftest import client_of
from tests.api.stories import ANNA, enroll, know_anna, rows, send
from tests.api.texting import PHONE, PUBLIC, connect, texting_house
from tests.support.factories import SettableClock
from tests.support.twilio_simulator import SENDER, Fault, Twilio, simulating
from tropa.wiring import House

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
INCOMING = f"{PUBLIC}/webhooks/twilio/incoming"
HERS = f"whatsapp:{PHONE}"
SID = "HX" + "e5" * 16
GRANTED = {"whatsapp": {"status": "granted", "source": "check-out"}}
FILE = f"""
content_sid = "{SID}"
text = "Hello, {{{{ customer.first_name or 'friend' }}}}! Nice to hear from you."

[variables]
1 = "{{{{ customer.first_name or 'friend' }}}}"
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> MessageLibrary:
    """The real messages, but greetings go by WhatsApp."""
    folder = tmp_path_factory.mktemp("templates") / "messages"
    shutil.copytree(MESSAGES, folder)
    by_whatsapp(folder / "welcome_chain" / "greeting")
    return MessageLibrary(folder)


def by_whatsapp(greeting: Path) -> None:
    declared = (greeting / "message.toml").read_text()
    (greeting / "message.toml").write_text(declared.replace('["email"]', '["whatsapp"]'))
    for language in ("en", "ru"):
        (greeting / f"email.{language}.mjml").unlink()
        (greeting / f"whatsapp.{language}.toml").write_text(FILE)


@pytest.fixture(scope="module")
async def serving() -> AsyncIterator[Twilio]:
    async with simulating() as simulator:
        yield simulator


@pytest.fixture
def twilio(serving: Twilio, clock: SettableClock) -> Twilio:
    serving.forget()
    serving.approved, serving.now = {SID: "Hello, {{1}}! Your account is ready."}, clock.now
    return serving


@pytest.fixture
async def house(
    database_url: str, clock: SettableClock, library: MessageLibrary, twilio: Twilio
) -> AsyncIterator[House]:
    async for built in texting_house(database_url, clock, library, twilio, twilio_from="", twilio_whatsapp_from=SENDER):
        yield built


@pytest.fixture
async def anna(app: FastAPI, api: httpx.AsyncClient, twilio: Twilio) -> dict[str, Any]:
    """Anna, who said yes to WhatsApp, and her walk."""
    connect(twilio, app)
    await know_anna(api, phone=PHONE, consents=GRANTED)
    walk: dict[str, Any] = (await enroll(api)).json()
    return walk


async def greet(house: House, walk: dict[str, Any], visit: int = 1) -> SendResult:
    return await send(house, walk, "greeting", house.clock.now(), visit=visit)


async def told(api: httpx.AsyncClient, locale: str = "en") -> list[str]:
    page = await api.get(f"/v1/customers/{ANNA}/timeline", params={"locale": locale})
    return [entry["text"] for entry in reversed(page.json()["entries"]) if entry["kind"] == "send"]


async def test_to_somebody_who_never_wrote_goes_the_approved_template(
    house: House, api: httpx.AsyncClient, anna: dict[str, Any], twilio: Twilio
) -> None:
    result = await greet(house, anna)
    await twilio.becomes(twilio.messages[0], "sent", "delivered", "read")

    assert (result.state, result.channel) == (SendState.ACCEPTED, "whatsapp")
    assert (twilio.messages[0]["to"], twilio.messages[0]["body"]) == (HERS, "Hello, Anna! Your account is ready.")
    assert await told(api) == [
        "“greeting” – sent by WhatsApp: Twilio took it",
        "“greeting” – delivered to the phone",
        "“greeting” – read",
    ]
    assert (await told(api, "ru"))[0] == "«greeting» – отправлено (WhatsApp), шлюз: Twilio"
    assert (await rows(house, "SELECT delivery, rendered ->> 'content' AS content FROM sends"))[0] == {
        "delivery": "read",
        "content": SID,
    }


@pytest.mark.parametrize(
    ("after", "body"),
    [
        (timedelta(minutes=1), "Hello, Anna! Nice to hear from you.\n"),
        (timedelta(hours=23, minutes=54), "Hello, Anna! Nice to hear from you.\n"),
        (timedelta(hours=23, minutes=56), "Hello, Anna! Your account is ready."),
        (timedelta(hours=25), "Hello, Anna! Your account is ready."),
    ],
)
async def test_free_words_go_within_a_day_of_her_last_message(
    house: House,
    clock: SettableClock,
    anna: dict[str, Any],
    twilio: Twilio,
    after: timedelta,
    body: str,
) -> None:
    clock.pass_(HOUR)
    assert await twilio.reply(INCOMING, HERS, "Где заказ?") == 200
    clock.pass_(after)

    await greet(house, anna)
    await twilio.becomes(twilio.messages[0], "delivered")

    assert twilio.messages[0]["body"] == body
    assert (await rows(house, "SELECT delivery FROM sends"))[0]["delivery"] == "delivered"


async def test_the_window_belongs_to_the_number_that_wrote(
    house: House, api: httpx.AsyncClient, anna: dict[str, Any], twilio: Twilio
) -> None:
    await twilio.reply(INCOMING, HERS, "Hi")
    await api.patch(f"/v1/customers/{ANNA}", json={"phone": "+4930901899"})

    await greet(house, anna)

    assert (twilio.messages[0]["to"], twilio.messages[0]["body"]) == (
        "whatsapp:+4930901899",
        "Hello, Anna! Your account is ready.",
    )


async def test_a_message_told_again_later_opens_no_window(
    house: House, clock: SettableClock, anna: dict[str, Any], twilio: Twilio
) -> None:
    await twilio.reply(INCOMING, HERS, "Hi", "SM" + "7" * 32)
    clock.pass_(20 * HOUR)
    await twilio.reply(INCOMING, HERS, "Hi", "SM" + "7" * 32)
    clock.pass_(6 * HOUR)

    await greet(house, anna)

    assert twilio.contents[twilio.messages[0]["sid"]] == SID


async def test_a_text_by_sms_opens_no_window(house: House, anna: dict[str, Any], twilio: Twilio) -> None:
    await twilio.reply(INCOMING, PHONE, "Hi")

    await greet(house, anna)

    assert twilio.contents[twilio.messages[0]["sid"]] == SID


@pytest.mark.parametrize("code", ["63016", "63049"])
async def test_what_meta_does_not_deliver_is_final_with_its_code_and_stays_open_for_the_next_time(
    house: House, api: httpx.AsyncClient, clock: SettableClock, anna: dict[str, Any], twilio: Twilio, code: str
) -> None:
    await greet(house, anna)

    await twilio.report(twilio.messages[0], "undelivered", code)
    clock.pass_(DAY)
    again = await greet(house, anna, visit=2)

    assert (await rows(house, "SELECT delivery_code FROM sends WHERE visit = 1"))[0]["delivery_code"] == code
    assert f"“greeting” – Twilio could not deliver it ({code})" in await told(api)
    assert (again.state, twilio.requests) == (SendState.ACCEPTED, 2)


async def test_what_twilio_refuses_at_once_ends_the_send_without_another_try(
    house: House, anna: dict[str, Any], twilio: Twilio
) -> None:
    twilio.faults = [Fault(status=400, code=63016)]

    first, second = await greet(house, anna), await greet(house, anna)

    assert (first.state, first.rule, second.state) == (SendState.FAILED, "provider_refused", SendState.FAILED)
    assert twilio.requests == 1


async def test_nobody_on_whatsapp_closes_whatsapp_alone(house: House, anna: dict[str, Any], twilio: Twilio) -> None:
    await greet(house, anna)

    await twilio.report(twilio.messages[0], "undelivered", "63024")

    assert [row["channel"] for row in await rows(house, "SELECT channel FROM suppressions")] == ["whatsapp"]


async def test_a_yes_to_texts_is_no_yes_to_whatsapp(
    house: House, app: FastAPI, api: httpx.AsyncClient, twilio: Twilio
) -> None:
    connect(twilio, app)
    await know_anna(api, phone=PHONE, consents={"sms": {"status": "granted", "source": "check-out"}})

    result = await greet(house, (await enroll(api)).json())

    assert (result.state, result.rule, twilio.requests) == (SendState.REFUSED, "no_consent", 0)
    assert (await told(api))[0].startswith("“greeting” was not sent. The customer has not said yes to WhatsApp")


async def test_stop_by_whatsapp_ends_whatsapp_alone_and_start_is_a_yes_again(
    house: House, api: httpx.AsyncClient, clock: SettableClock, anna: dict[str, Any], twilio: Twilio
) -> None:
    await api.patch(f"/v1/customers/{ANNA}", json={"consents": {"sms": {"status": "granted"}}})

    await twilio.reply(INCOMING, HERS, "СТОП")
    refused = await greet(house, anna)
    said = (await api.get(f"/v1/customers/{ANNA}")).json()["consents"]
    clock.pass_(HOUR)
    await twilio.reply(INCOMING, HERS, "старт")
    after = (await api.get(f"/v1/customers/{ANNA}")).json()["consents"]

    assert refused.rule == "opted_out"
    assert (said["whatsapp"]["status"], said["sms"]["status"]) == ("denied", "granted")
    assert (after["whatsapp"]["status"], after["whatsapp"]["source"]) == ("granted", "reply by WhatsApp")


async def test_an_answer_is_an_event_of_its_channel(
    house: House, api: httpx.AsyncClient, anna: dict[str, Any], twilio: Twilio
) -> None:
    await twilio.reply(INCOMING, HERS, "Где заказ?")

    entries = (await api.get(f"/v1/customers/{ANNA}/timeline", params={"locale": "ru"})).json()["entries"]
    assert "Ответ клиента: WhatsApp" in [entry["text"] for entry in entries]


async def test_a_preview_shows_both_ways_to_speak(api: httpx.AsyncClient) -> None:
    shown = await api.post(
        "/v1/messages/WelcomeChain/greeting/preview",
        json={"channel": "whatsapp", "attributes": {"first_name": "Bob"}},
    )

    assert shown.json()["text"] == "Hello, Bob! Nice to hear from you.\n"
    assert shown.json()["content"] == {"sid": SID, "variables": {"1": "Bob"}}


async def test_the_way_out_of_whatsapp_by_a_link_names_it(house: House, app: FastAPI, anna: dict[str, Any]) -> None:
    customer = (await rows(house, "SELECT customer FROM enrollments"))[0]["customer"]
    address = house.links.unsubscribe(customer, Channel.WHATSAPP).removeprefix(PUBLIC)
    async with client_of(app) as browser:
        shown = await browser.get(address)
        await browser.post(address, data={"List-Unsubscribe": "One-Click"})

    assert "No more WhatsApp messages from" in shown.text
    assert (await rows(house, "SELECT channel, status FROM consents")) == [{"channel": "whatsapp", "status": "denied"}]
