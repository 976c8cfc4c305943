"""Bounces and complaints: a real letter by SMTP comes back, and only what it says is done, once."""

import email
import io
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from adapters.surrogates import Surrogates
from domain.clock import Pace
from services.keys import SCOPES, Keys
from tests.api.conftest import client_of
from tests.api.stories import ANNA, enroll, happens, know_anna, rows, send
from tests.support.factories import SettableClock, compiled, settings_for
from tests.support.mail_server import Mailbox, mail_server
from tests.support.returned_mail import returned
from tests.support.typing_commands import Tropa
from tropa.embedded.ports import free_port
from tropa.serve import api_app
from tropa.wiring import House, build

MAIL_FROM = "Shop <hello@shop.example>"
BOUNCES = "/webhooks/email/bounces"


@dataclass
class Posted:
    """Anna's letter as the mail server got it, and a way to send it back."""

    api: httpx.AsyncClient
    house: House
    mailbox: Mailbox
    send: dict[str, Any]

    def back(self, form: str, *, number: int = -1) -> bytes:
        """The letter, returned in a form; the newest one, unless told otherwise."""
        envelope = self.mailbox.letters[number]
        assert envelope.mail_from is not None and isinstance(envelope.content, bytes)
        message_id = email.message_from_bytes(envelope.content)["Message-ID"]
        return returned(form, return_path=envelope.mail_from, message_id=message_id, recipient=envelope.rcpt_tos[0])

    async def comes_back(self, form: str) -> str:
        """The letter comes back, and the mail server hands it over."""
        answer = await self.api.post(BOUNCES, content=self.back(form), headers={"Content-Type": "message/rfc822"})
        assert answer.status_code == 200, answer.text
        result: str = answer.json()["result"]
        return result

    async def again(self, visit: int = 2) -> Any:
        """The same message once more."""
        return await send(self.house, {"id": self.send["enrollment"]}, "greeting", self.house.clock.now(), visit=visit)

    async def ledger(self) -> dict[str, Any]:
        """The send's row."""
        return (await rows(self.house, "SELECT * FROM sends ORDER BY wished_at, visit LIMIT 1"))[0]

    async def told(self, locale: str = "en") -> list[str]:
        """The timeline's sentences, oldest first."""
        page = await self.api.get(f"/v1/customers/{ANNA}/timeline", params={"locale": locale})
        return [entry["text"] for entry in reversed(page.json()["entries"])]

    async def suppressed(self) -> dict[str, str]:
        """Which of the addresses of these stories are closed, and why."""
        secrets = [secret.get_secret_value() for secret in self.house.settings.secrets]
        keys = {Surrogates(secrets[-1]).address("email", each): each for each in (ANNA, "new@example.com")}
        return {keys[row["address_key"]]: row["reason"] for row in await rows(self.house, "SELECT * FROM suppressions")}

    async def consent(self) -> dict[str, Any]:
        """What Anna said about email."""
        found: dict[str, Any] = (await self.api.get(f"/v1/customers/{ANNA}")).json()["consents"]["email"]
        return found


@pytest.fixture
async def posting(database_url: str, clock: SettableClock) -> AsyncIterator[tuple[House, Mailbox]]:
    mailbox = Mailbox()
    with mail_server(mailbox) as address:
        settings = settings_for(
            database_url, smtp_url=f"smtp://{address}", mail_from=MAIL_FROM, bounce_domain="bounces.shop.example"
        )
        built = await build(settings, clock=clock, pace=Pace(anchor=clock.now()), library=compiled())
        yield built, mailbox
        await built.close()


@pytest.fixture
async def posted(posting: tuple[House, Mailbox]) -> AsyncIterator[Posted]:
    house, mailbox = posting
    key = await Keys(house.database).create("the shop", sorted(SCOPES))
    async with client_of(api_app(house), Authorization=f"Bearer {key}") as api:
        await know_anna(api)
        enrollment = (await enroll(api)).json()
        await send(house, enrollment, "greeting", house.clock.now())
        yield Posted(api, house, mailbox, (await rows(house, "SELECT * FROM sends"))[0])


async def test_each_letter_has_a_return_path_of_its_own(posted: Posted) -> None:
    [envelope] = posted.mailbox.letters

    assert envelope.mail_from is not None
    assert envelope.mail_from.startswith("bounce+") and envelope.mail_from.endswith("@bounces.shop.example")
    assert str(posted.send["id"]) not in envelope.mail_from


@pytest.mark.parametrize("form", ["postfix", "exchange", "gmail", "exim", "exim_plain", "qmail"])
async def test_an_address_where_nobody_is_gets_nothing_more(posted: Posted, form: str) -> None:
    assert await posted.comes_back(form) == "taken"

    assert await posted.suppressed() == {ANNA: "the provider called it dead"}
    assert (await posted.ledger())["delivery"] == "undelivered"
    assert (await posted.again()).rule == "suppressed"
    assert (await posted.consent())["status"] == "granted"


async def test_a_bounce_is_told_in_both_languages(posted: Posted) -> None:
    await posted.comes_back("postfix")

    assert "The address does not exist (email)" in await posted.told()
    assert (await posted.told())[-1] == (
        "“greeting” – it came back: nobody can be reached at this address (5.1.1); nothing more is sent to it"
    )
    assert (await posted.told("ru"))[-1] == (
        "«greeting» – письмо вернулось: по этому адресу никого нет (5.1.1); на него больше не пишем"
    )


async def test_the_address_that_bounced_is_closed_and_not_the_one_that_the_customer_has_by_now(posted: Posted) -> None:
    await posted.api.patch(f"/v1/customers/{ANNA}", json={"email": "new@example.com"})

    await posted.comes_back("postfix")

    assert await posted.suppressed() == {ANNA: "the provider called it dead"}
    assert (await posted.again()).rule != "suppressed"


@pytest.mark.parametrize("form", ["yahoo_complaint", "ses_complaint"])
async def test_a_complaint_closes_the_address_and_the_channel_at_once(posted: Posted, form: str) -> None:
    assert await posted.comes_back(form) == "taken"

    assert await posted.suppressed() == {ANNA: "a complaint"}
    assert (await posted.consent())["status"] == "denied"
    assert (await posted.ledger())["delivery"] == "complained"
    assert "Marked a message as spam (email)" in await posted.told()
    assert (await posted.told())[-1] == "“greeting” – the customer called it spam; no more email goes to them"
    assert (await posted.told("ru"))[-1] == "«greeting» – клиент пометил его как спам; писем по почте больше не будет"


async def test_a_complaint_holds_for_the_address_that_the_customer_has_by_now(posted: Posted) -> None:
    await posted.api.patch(f"/v1/customers/{ANNA}", json={"email": "new@example.com"})

    await posted.comes_back("yahoo_complaint")

    assert await posted.suppressed() == {ANNA: "a complaint"}
    assert (await posted.again()).rule == "opted_out"


@pytest.mark.parametrize(
    ("form", "code"), [("postfix_gave_up", "4.4.1"), ("postfix_spam", "5.7.1"), ("unreadable", "undelivered")]
)
async def test_what_came_back_for_another_reason_closes_nothing(posted: Posted, form: str, code: str) -> None:
    assert await posted.comes_back(form) == "taken"

    assert await posted.suppressed() == {}
    assert (await posted.consent())["status"] == "granted"
    assert (await posted.ledger())["delivery"] == "undelivered"
    assert (await posted.told())[-1] == f"“greeting” – it came back undelivered ({code}); the address stays in use"
    assert (await posted.told("ru"))[-1] == f"«greeting» – письмо вернулось ({code}); адрес остаётся в силе"


async def test_our_bad_name_is_told_to_whoever_reads_the_log(posted: Posted, caplog: pytest.LogCaptureFixture) -> None:
    await posted.comes_back("postfix_spam")

    assert "a mail server turned a letter of ours away by its policy" in caplog.messages


async def test_a_delay_is_kept_on_the_ledger_alone(posted: Posted) -> None:
    before = await posted.told()

    assert await posted.comes_back("postfix_delayed") == "taken"

    row = await posted.ledger()
    assert (row["delivery"], row["delivery_code"]) == ("queued", "4.4.1")
    assert await posted.told() == before


async def test_reports_only_ever_move_a_letter_forward(posted: Posted) -> None:
    for form in ("postfix_delayed", "postfix_gave_up", "postfix_delayed", "yahoo_complaint", "postfix_gave_up"):
        await posted.comes_back(form)

    row = await posted.ledger()
    assert (row["delivery"], row["delivery_code"]) == ("complained", "abuse")


async def test_the_same_mail_again_changes_nothing(posted: Posted) -> None:
    for form in ("postfix", "yahoo_complaint"):
        await posted.comes_back(form)
    told, reports = await posted.told(), await rows(posted.house, "SELECT * FROM reports")

    for form in ("postfix", "yahoo_complaint", "postfix"):
        assert await posted.comes_back(form) == "taken"

    assert await posted.told() == told
    assert await rows(posted.house, "SELECT * FROM reports") == reports
    assert len(reports) == 2 and all(row["applied_at"] for row in reports)


async def test_a_yes_given_after_a_complaint_is_not_taken_back_by_its_repetition(
    posted: Posted, clock: SettableClock
) -> None:
    await posted.comes_back("yahoo_complaint")
    clock.set(clock.now().replace(hour=12))
    await know_anna(posted.api)

    await posted.comes_back("yahoo_complaint")
    await posted.comes_back("ses_complaint")

    assert (await posted.consent())["status"] == "granted"


async def test_a_bounce_proves_that_a_letter_of_unknown_outcome_was_sent(posted: Posted) -> None:
    async with posted.house.database.transaction() as connection:
        await connection.exec_driver_sql("UPDATE sends SET state = 'unknown', provider_id = NULL")

    await posted.comes_back("postfix_gave_up")

    row = await posted.ledger()
    assert (row["state"], row["rule"]) == ("accepted", "resolved_by_report")
    assert row["provider_id"] == f"<{row['id']}@shop.example>"


async def test_a_note_of_absence_is_no_bounce(posted: Posted) -> None:
    assert await posted.comes_back("vacation") == "ignored"

    assert (await posted.ledger())["delivery"] is None
    assert await rows(posted.house, "SELECT * FROM reports") == []


@pytest.mark.parametrize("mail", [returned("postfix"), returned("yahoo_complaint")])
async def test_a_report_of_nobody_knows_which_letter_is_told_so(posted: Posted, mail: bytes) -> None:
    answer = await posted.api.post(BOUNCES, content=mail)

    assert (answer.status_code, answer.json()) == (200, {"result": "unattributed"})
    assert await posted.suppressed() == {}


async def test_a_report_on_a_letter_that_is_not_ours_harms_nobody(posted: Posted) -> None:
    theirs = returned("postfix", message_id="<0198a5c2-7b1e-7c3d-9a40-1f2e3d4c5b6a@shop.example>", recipient=ANNA)

    answer = await posted.api.post(BOUNCES, content=theirs)

    assert (answer.status_code, answer.json()) == (200, {"result": "taken"})
    assert await posted.suppressed() == {}
    assert [row["applied_at"] for row in await rows(posted.house, "SELECT * FROM reports")] == [None]


@pytest.mark.parametrize("mail", [b"", b"\xff\x00" * 50, b"hello"])
async def test_nonsense_is_taken_and_ignored(posted: Posted, mail: bytes) -> None:
    answer = await posted.api.post(BOUNCES, content=mail)

    assert (answer.status_code, answer.json()) == (200, {"result": "ignored"})


async def test_without_the_scope_nothing_is_taken(posted: Posted) -> None:
    narrow = await Keys(posted.house.database).create("narrow", ["events:write"])
    said = {"none": "", "narrow": f"Bearer {narrow}"}
    mail = posted.back("yahoo_complaint")

    codes = [
        (await posted.api.post(BOUNCES, content=mail, headers={"Authorization": said[name]})).status_code
        for name in ("none", "narrow")
    ]

    assert codes == [401, 403]
    assert await posted.suppressed() == {}


# By a mail server's pipe ---------------------------------------------------------------------------------------------


@pytest.fixture
def pipe(posted: Posted, tropa: Tropa, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("TROPA_MAIL_FROM", MAIL_FROM)

    async def pour(mail: bytes) -> tuple[int, str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(mail)))
        code, said, _ = await tropa("bounces")
        return code, said.strip()

    return pour


async def test_a_pipe_takes_a_mail_too(posted: Posted, pipe: Any) -> None:
    assert await pipe(posted.back("qmail")) == (0, "taken")
    assert await pipe(b"hello") == (0, "ignored")

    assert await posted.suppressed() == {ANNA: "the provider called it dead"}


async def test_a_pipe_to_a_database_that_is_down_is_to_be_tried_again(
    posted: Posted, pipe: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TROPA_DATABASE_URL", f"postgresql+asyncpg://u:secret@127.0.0.1:{free_port()}/x")

    code, said = await pipe(posted.back("qmail"))

    assert code == 75
    assert "secret" not in said


async def test_a_pipe_with_wrong_settings_is_to_be_tried_again_once_they_are_mended(
    posted: Posted, pipe: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TROPA_PACE", "fast")

    code, said = await pipe(posted.back("qmail"))

    assert code == 75
    assert "TROPA_PACE" in said


# Told by events ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["hard_bounced", "complained"])
async def test_an_event_closes_the_address_of_the_send_that_it_names(posted: Posted, name: str) -> None:
    await posted.api.patch(f"/v1/customers/{ANNA}", json={"email": "new@example.com"})

    await happens(posted.api, posted.house, name, send=str(posted.send["id"]))

    assert set(await posted.suppressed()) == {ANNA}


async def test_an_event_closes_the_address_that_it_names(posted: Posted) -> None:
    await posted.api.patch(f"/v1/customers/{ANNA}", json={"email": "new@example.com"})

    await happens(posted.api, posted.house, "hard_bounced", address=" Anna@Example.com ")

    assert set(await posted.suppressed()) == {ANNA}


@pytest.mark.parametrize("send", ["not an id", "0198a5c2-7b1e-7c3d-9a40-1f2e3d4c5b6a", 7, None])
async def test_an_event_that_names_no_send_of_ours_closes_the_customers_own_address(posted: Posted, send: Any) -> None:
    await happens(posted.api, posted.house, "hard_bounced", send=send)

    assert set(await posted.suppressed()) == {ANNA}


async def test_an_event_cannot_close_the_address_of_somebody_elses_send(posted: Posted) -> None:
    await know_anna(posted.api, "boris", email="new@example.com", phone=None)

    await happens(posted.api, posted.house, "hard_bounced", "boris", send=str(posted.send["id"]))

    assert set(await posted.suppressed()) == {"new@example.com"}


async def test_an_address_that_is_no_text_is_rejected(posted: Posted) -> None:
    event = {"event_id": "1", "customer_id": ANNA, "name": "hard_bounced", "properties": {"address": ["x"]}}

    answer = await posted.api.post("/v1/events", json={"events": [event]})

    assert "properties.address" in answer.json()["rejected"][0]["problem"]
