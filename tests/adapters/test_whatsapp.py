"""WhatsApp by Twilio: the same library and simulator, other addresses, and templates that were approved beforehand."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from adapters.channels.twilio import TwilioAccount, TwilioGateway
from adapters.channels.twilio_codes import CODES, Verdict
from adapters.links import Links
from domain.deliveries import Letter, Lost, Receipt
from domain.messages import Content
from tests.support.twilio_simulator import SENDER, SID, TOKEN, Fault, Twilio, simulating

LINKS = Links(["a secret of the tests"], "https://shop.test")
PHONE = "+4930901820"
GREETING = Content(sid="HX" + "d4" * 16, variables={"1": "Анна", "2": "10%"})


@pytest.fixture(scope="module")
async def serving() -> AsyncIterator[Twilio]:
    async with simulating() as simulator:
        yield simulator


@pytest.fixture
def twilio(serving: Twilio) -> Twilio:
    serving.forget()
    serving.approved = {GREETING.sid: "Hello {{1}}, {{2}} off today."}
    return serving


def gateway_to(twilio: Twilio, **changes: str) -> TwilioGateway:
    account: dict[str, Any] = {"sid": SID, "token": TOKEN, "sender": SENDER}
    account |= {"prefix": "whatsapp:", "base_url": twilio.base_url}
    return TwilioGateway(TwilioAccount(**{**account, **changes}), LINKS.status_report, timeout=httpx.Timeout(0.5))


@pytest.fixture
async def gateway(twilio: Twilio) -> AsyncIterator[TwilioGateway]:
    made = gateway_to(twilio)
    yield made
    await made.close()


def a_letter(text: str = "Hello!", content: Content | None = None) -> Letter:
    return Letter(
        send_id=uuid4(), to=PHONE, sender="", subject="", html="", text=text, unsubscribe_url=None, list_id=None,
        journey="trial", message="note", content=content,
    )  # fmt: skip


async def deliver(gateway: TwilioGateway, letter: Letter) -> Receipt:
    async with gateway.connection() as connection:
        return await connection.deliver(letter)


def lost(letter: Letter) -> Lost:
    by_content = letter.content is not None
    return Lost(
        send_id=letter.send_id, to=letter.to, text=letter.text, handed_at=datetime.now(UTC), by_content=by_content
    )


async def test_free_words_go_from_our_whatsapp_to_theirs(twilio: Twilio, gateway: TwilioGateway) -> None:
    receipt = await deliver(gateway, a_letter("Привет!"))

    message = twilio.messages[0]
    assert (receipt.outcome, receipt.provider_id) == ("accepted", message["sid"])
    assert (message["from"], message["to"]) == (f"whatsapp:{SENDER}", f"whatsapp:{PHONE}")
    assert (message["body"], twilio.contents[message["sid"]]) == ("Привет!", None)


async def test_an_approved_template_goes_by_its_id_with_its_gaps_filled(twilio: Twilio, gateway: TwilioGateway) -> None:
    receipt = await deliver(gateway, a_letter("ours", GREETING))

    assert receipt.outcome == "accepted"
    assert twilio.messages[0]["body"] == "Hello Анна, 10% off today."


async def test_a_service_may_choose_the_sender(twilio: Twilio) -> None:
    gateway = gateway_to(twilio, sender="", messaging_service="MG" + "b2" * 16)

    assert (await deliver(gateway, a_letter("ours", GREETING))).outcome == "accepted"

    assert (twilio.messages[0]["from"], twilio.messages[0]["to"]) == (None, f"whatsapp:{PHONE}")
    await gateway.close()


async def test_a_template_that_nobody_approved_is_refused(twilio: Twilio, gateway: TwilioGateway) -> None:
    twilio.approved = {}

    receipt = await deliver(gateway, a_letter("ours", GREETING))

    assert (receipt.outcome, receipt.code) == ("refused", "21655")
    assert not receipt.permanent_for_address


@pytest.mark.parametrize("code", [63005, 63013, 63016, 63021, 63027, 63028, 63032, 63049])
async def test_whatsapps_own_refusals_end_the_send_and_leave_number_and_consent(
    twilio: Twilio, gateway: TwilioGateway, code: int
) -> None:
    twilio.faults = [Fault(status=400, code=code)]

    receipt = await deliver(gateway, a_letter())

    assert CODES[code] is Verdict.FAIL
    assert (receipt.outcome, receipt.permanent_for_address, receipt.opted_out) == ("refused", False, False)
    assert twilio.requests == 1


@pytest.mark.parametrize("takes", [True, False])
async def test_free_words_whose_answer_was_lost_are_found_by_what_they_say(
    twilio: Twilio, gateway: TwilioGateway, takes: bool
) -> None:
    twilio.faults = [Fault(kind="cut", takes=takes)]
    letter = a_letter("Hello!")

    receipt = await deliver(gateway, letter)

    assert receipt.outcome == "unknown"
    assert (await gateway.look_up(lost(letter))).outcome == ("accepted" if takes else "absent")


async def test_a_look_up_does_not_see_texts_by_sms_to_the_same_number(twilio: Twilio, gateway: TwilioGateway) -> None:
    letter = a_letter("Hello!")
    by_sms = gateway_to(twilio, prefix="")
    await deliver(by_sms, letter)
    await by_sms.close()

    assert (await gateway.look_up(lost(letter))).outcome == "absent"


@pytest.mark.parametrize(
    ("ours", "takes", "outcome"),
    [
        ("Hello Анна, 10% off today.", True, "accepted"),
        ("Hello Анна, ten percent off!", True, "unknown"),
        ("Hello Анна, ten percent off!", False, "absent"),
    ],
    ids=["our words are the template's", "ours differ, so it may be this one", "nothing went to the number"],
)
async def test_a_template_whose_answer_was_lost_is_never_called_absent_while_it_may_be_there(
    twilio: Twilio, gateway: TwilioGateway, ours: str, takes: bool, outcome: str
) -> None:
    twilio.faults = [Fault(kind="cut", takes=takes)]
    letter = a_letter(ours, GREETING)
    await deliver(gateway, letter)

    assert (await gateway.look_up(lost(letter))).outcome == outcome
