"""The SMTP gateway against a real mail server on this machine, well-behaved and not."""

import asyncio
import email
import email.policy
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import pytest
from aiosmtpd.smtp import SMTP, Envelope

from adapters.channels.email import EmailGateway, build_email
from domain.deliveries import Letter
from domain.errors import InvalidInput, Misconfigured, Unavailable
from tests.support.mail_server import DropsWithinContent, Mailbox, RefusesWithinContent, mail_server

pytestmark = pytest.mark.asyncio

SEND_ID = UUID("0198a5c2-7b1e-7c3d-9a40-1f2e3d4c5b6a")


@asynccontextmanager
async def a_gateway(url: str, **options: Any) -> AsyncIterator[EmailGateway]:  # the constructor's own options
    gateway = EmailGateway(url, "Shop <bounce@shop.example>", **options)
    try:
        yield gateway
    finally:
        await gateway.close()


def a_letter(**changes: Any) -> Letter:  # any field of Letter
    fields: dict[str, Any] = {
        "send_id": SEND_ID,
        "to": "anna@example.com",
        "sender": "Shop <hello@shop.example>",
        "subject": "Your first steps",
        "html": "<p>Hello</p>",
        "text": "Hello",
        "unsubscribe_url": "https://shop.example/u/" + "t" * 120,
        "list_id": "welcome-chain.shop.example",
        "journey": "welcome_chain",
        "message": "greeting",
    }
    return Letter(**(fields | changes))


def parsed(envelope: Envelope) -> EmailMessage:
    assert isinstance(envelope.content, bytes)
    return email.message_from_bytes(envelope.content, policy=email.policy.default)


async def test_an_accepted_letter_arrives_with_the_headers_of_bulk_mail() -> None:
    mailbox = Mailbox()
    with mail_server(mailbox) as address:
        async with a_gateway(f"smtp://{address}") as gateway, gateway.connection() as connection:
            receipt = await connection.deliver(a_letter())

    [envelope] = mailbox.letters
    letter = parsed(envelope)
    assert (receipt.outcome, receipt.code) == ("accepted", "250")
    assert receipt.provider_id == letter["Message-ID"] == f"<{SEND_ID}@shop.example>"
    assert (envelope.mail_from, envelope.rcpt_tos) == ("bounce@shop.example", ["anna@example.com"])
    assert (letter["From"], letter["To"]) == ("Shop <hello@shop.example>", "anna@example.com")
    assert isinstance(envelope.content, bytes)  # the raw line: a link in an encoded word is no link to Gmail
    assert b"\r\nList-Unsubscribe: <https://shop.example/u/" + b"t" * 120 + b">\r\n" in envelope.content
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert letter["List-Id"] == "<welcome-chain.shop.example>"
    assert letter["Feedback-ID"] == "greeting:welcome_chain:journey:shop.example"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Date"].datetime.utcoffset() is not None
    assert letter.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in letter.iter_parts()] == ["text/plain", "text/html"]
    assert [part.get_content().strip() for part in letter.iter_parts()] == ["Hello", "<p>Hello</p>"]


@pytest.mark.parametrize(
    ("answer", "outcome", "code", "permanent", "retry_after"),
    [
        ("550 5.1.1 no such anna@example.com here", "refused", "550 5.1.1", True, None),
        ("553 5.1.3 bad address", "refused", "553 5.1.3", True, None),
        ("550 5.7.1 we do not like you", "refused", "550 5.7.1", False, None),
        ("550 5.1.8 your domain does not exist", "refused", "550 5.1.8", False, None),
        ("550 no", "refused", "550", False, None),
        ("554 5.1.1 an odd pair", "refused", "554 5.1.1", False, None),
        ("550 4.1.1 muddled", "refused", "550", False, None),
        ("452 4.2.2 mailbox full", "retry", "452 4.2.2", False, timedelta(hours=1)),
        ("451 4.7.1 greylisted", "retry", "451 4.7.1", False, timedelta(minutes=5)),
        ("421 4.3.2 closing down", "retry", "421 4.3.2", False, timedelta(minutes=5)),
    ],
)
async def test_an_answer_to_the_recipient_is_understood(
    answer: str, outcome: str, code: str, permanent: bool, retry_after: timedelta | None
) -> None:
    mailbox = Mailbox()
    mailbox.refusals["anna@example.com"] = answer
    with mail_server(mailbox) as address:
        async with a_gateway(f"smtp://{address}") as gateway, gateway.connection() as connection:
            receipt = await connection.deliver(a_letter())

    assert mailbox.letters == []
    assert (receipt.outcome, receipt.code, receipt.permanent_for_address) == (outcome, code, permanent)
    assert receipt.retry_after == retry_after
    assert "anna" not in receipt.detail


async def test_a_refused_sender_says_nothing_about_the_customer() -> None:
    mailbox = Mailbox()
    mailbox.at_mail = "550 5.1.1 who are you"
    with mail_server(mailbox) as address:
        async with a_gateway(f"smtp://{address}") as gateway, gateway.connection() as connection:
            receipt = await connection.deliver(a_letter())

    assert (receipt.outcome, receipt.permanent_for_address) == ("refused", False)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [("554 5.7.1 spam", "refused"), ("451 4.3.0 try later", "retry"), ("354 what", "unknown")],
)
async def test_an_answer_to_the_content_is_understood(answer: str, outcome: str) -> None:
    async def at_dot(server: SMTP) -> str:
        return answer

    mailbox = Mailbox()
    mailbox.at_dot = at_dot
    with mail_server(mailbox) as address:
        async with a_gateway(f"smtp://{address}") as gateway, gateway.connection() as connection:
            receipt = await connection.deliver(a_letter())

    assert receipt.outcome == outcome


async def test_f16_a_connection_lost_within_the_content_may_be_tried_again() -> None:
    with mail_server(Mailbox(), kind=DropsWithinContent) as address:
        async with a_gateway(f"smtp://{address}") as gateway, gateway.connection() as connection:
            receipt = await connection.deliver(a_letter(text="x" * 12_000_000))

    assert (receipt.outcome, receipt.provider_id) == ("retry", None)


async def test_a_refusal_within_the_content_is_heard_before_the_final_dot() -> None:
    with mail_server(Mailbox(), kind=RefusesWithinContent) as address:
        async with a_gateway(f"smtp://{address}") as gateway, gateway.connection() as connection:
            receipt = await connection.deliver(a_letter(text="x" * 12_000_000))

    assert (receipt.outcome, receipt.code) == ("refused", "552 5.3.4")


async def test_f15_a_connection_lost_after_the_final_dot_leaves_the_outcome_unknown() -> None:
    async def hang_up(server: SMTP) -> str:
        assert server.transport is not None
        server.transport.close()
        return "250 never seen"

    mailbox = Mailbox()
    mailbox.at_dot = hang_up
    with mail_server(mailbox) as address:
        async with a_gateway(f"smtp://{address}") as gateway, gateway.connection() as connection:
            receipt = await connection.deliver(a_letter())

    assert len(mailbox.letters) == 1
    assert receipt.outcome == "unknown"


async def test_f15_silence_after_the_final_dot_leaves_the_outcome_unknown() -> None:
    async def stall(server: SMTP) -> str:
        await asyncio.sleep(1)
        return "250 too late"

    mailbox = Mailbox()
    mailbox.at_dot = stall
    patience = timedelta(milliseconds=200)
    with mail_server(mailbox) as address:
        async with a_gateway(f"smtp://{address}", final_timeout=patience) as gateway:
            async with gateway.connection() as connection:
                receipt = await connection.deliver(a_letter())
            async with gateway.connection() as connection:  # the late 250 must not be taken for this one's
                mailbox.refusals["boris@example.com"] = "550 5.1.1 no"
                second = await connection.deliver(a_letter(to="boris@example.com"))

    assert receipt.outcome == "unknown"
    assert second.outcome == "refused"
    assert mailbox.greetings == 2


async def test_f23_a_refused_recipient_does_not_harm_the_next_letter() -> None:
    mailbox = Mailbox()
    mailbox.refusals["anna@example.com"] = "550 5.1.1 no"
    with mail_server(mailbox) as address:
        async with a_gateway(f"smtp://{address}") as gateway:
            async with gateway.connection() as connection:
                first = await connection.deliver(a_letter())
                second = await connection.deliver(a_letter(to="boris@example.com"))
            async with gateway.connection() as connection:
                third = await connection.deliver(a_letter(to="vera@example.com"))

    assert [first.outcome, second.outcome, third.outcome] == ["refused", "accepted", "accepted"]
    assert [e.rcpt_tos for e in mailbox.letters] == [["boris@example.com"], ["vera@example.com"]]
    assert mailbox.greetings == 1


async def test_a_connection_that_went_stale_is_replaced() -> None:
    mailbox = Mailbox()
    with mail_server(mailbox) as address:
        async with a_gateway(f"smtp://{address}") as gateway:
            async with gateway.connection() as connection:
                await connection.deliver(a_letter())
            gateway._idle[0][1].transport.abort()  # type: ignore[union-attr]  # as a server that hangs up does
            async with gateway.connection() as connection:
                receipt = await connection.deliver(a_letter())

    assert (receipt.outcome, len(mailbox.letters), mailbox.greetings) == ("accepted", 2, 2)


async def test_no_more_connections_are_open_than_allowed() -> None:
    mailbox = Mailbox()
    with mail_server(mailbox) as address:
        async with a_gateway(f"smtp://{address}", connections=1) as gateway:
            async with gateway.connection():
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.1), gateway.connection():
                        pass
            async with gateway.connection() as connection:
                receipt = await connection.deliver(a_letter())

    assert (receipt.outcome, mailbox.greetings) == ("accepted", 1)


async def test_nobody_listening_is_unavailable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with a_gateway(f"smtp://127.0.0.1:{port}") as gateway:
        with pytest.raises(Unavailable, match="SMTPConnectError"):
            async with gateway.connection():
                pass


async def test_a_login_goes_out_decoded_and_a_wrong_one_is_told_without_the_password() -> None:
    mailbox = Mailbox()
    with mail_server(mailbox, login=True) as address:
        right = a_gateway(f"smtp://tropa:p%40ss%2Fword@{address}")
        async with right as gateway, gateway.connection() as connection:
            receipt = await connection.deliver(a_letter())
        async with a_gateway(f"smtp://tropa:mistaken@{address}") as gateway:
            with pytest.raises(Unavailable, match="535") as refusal:
                async with gateway.connection():
                    pass

    assert receipt.outcome == "accepted"
    assert "mistaken" not in str(refusal.value) and "tropa" not in str(refusal.value)


async def test_a_password_never_leaves_this_machine_unencrypted() -> None:
    mailbox = Mailbox()
    with mail_server(mailbox, login=True, host="127.0.0.2") as address:  # not one of the names of this machine
        async with a_gateway(f"smtp://tropa:p%40ss%2Fword@{address}") as gateway:
            with pytest.raises(Unavailable):
                async with gateway.connection():
                    pass

    assert mailbox.greetings == 1
    assert mailbox.logins == []


@pytest.mark.parametrize("url", ["http://mail", "smtp://", "smtp://user:secret@host:none"])
async def test_a_wrong_url_is_told_without_repeating_it(url: str) -> None:
    with pytest.raises(Misconfigured, match="TROPA_SMTP_URL") as error:
        EmailGateway(url, "hello@shop.example")

    assert "secret" not in str(error.value)


@pytest.mark.parametrize("field", ["subject", "sender", "to", "unsubscribe_url", "list_id"])
@pytest.mark.parametrize("attack", ["\r\nBcc: eve@example.com", "\nBcc: eve@example.com", "\r", "\x00"])
async def test_a_control_character_in_a_header_is_refused(field: str, attack: str) -> None:
    good = getattr(a_letter(), field)

    with pytest.raises(InvalidInput):
        build_email(a_letter(**{field: good[:4] + attack + good[4:]}))


@pytest.mark.parametrize(
    "subject",
    [
        "=?utf-8?q?Hello=0D=0ABcc:_eve@example.com?=",
        "Hello =?utf-8?b?DQpCY2M6IGV2ZUBleGFtcGxlLmNvbQ==?= there",
        "=?utf-8?q?=3D=3Futf-8=3Fq=3Fx=3D0ABcc:_eve=3F=3D?=",
        "=?utf-8?q?Hel lo=0ABcc: eve?=",
        "=?nonsense?q?=0ABcc:_eve?=",
    ],
)
async def test_a_header_hidden_in_an_encoded_word_is_refused(subject: str) -> None:
    with pytest.raises(InvalidInput, match=r"Subject|header"):
        build_email(a_letter(subject=subject))
    with pytest.raises(InvalidInput, match=r"From|header"):
        build_email(a_letter(sender=f'"{subject}" <hello@shop.example>'))


async def test_a_letter_that_cannot_be_written_is_refused_with_nothing_sent() -> None:
    mailbox = Mailbox()
    with mail_server(mailbox) as address:
        async with a_gateway(f"smtp://{address}") as gateway, gateway.connection() as connection:
            receipt = await connection.deliver(a_letter(subject="Hello\nBcc: eve@example.com"))

    assert (receipt.outcome, mailbox.letters) == ("refused", [])
    assert "eve" not in receipt.detail


@pytest.mark.parametrize(
    "to", ["", "anna", "anna@", "a@b@example.com", "a@x.example,b@x.example", "=?utf-8?q?eve?=@x.example"]
)
async def test_what_is_not_one_address_is_refused(to: str) -> None:
    with pytest.raises(InvalidInput, match="to: it is not one email address"):
        build_email(a_letter(to=to))


async def test_cyrillic_survives_the_journey() -> None:
    subject = "Анна, с чего начать: три небольших шага, на всё минут десять — и готово! " + "Очень длинная тема " * 4
    mailbox = Mailbox()
    with mail_server(mailbox) as address:
        async with a_gateway(f"smtp://{address}") as gateway, gateway.connection() as connection:
            await connection.deliver(
                a_letter(
                    to="anna@почта.example",
                    sender="Магазин Ромашка <hello@shop.example>",
                    subject=subject.strip(),
                    text="Привет.\n.точка в начале\n.",
                    html="<p>Привет, ёж</p>",
                )
            )

    [envelope] = mailbox.letters
    letter = parsed(envelope)
    assert letter["Subject"] == subject.strip()
    assert letter["From"].addresses[0].display_name == "Магазин Ромашка"
    assert envelope.rcpt_tos == ["anna@xn--80a1acny.example"]
    assert [part.get_content().splitlines() for part in letter.iter_parts()] == [
        ["Привет.", ".точка в начале", "."],
        ["<p>Привет, ёж</p>"],
    ]
    assert isinstance(envelope.content, bytes)
    assert max(len(line) for line in envelope.content.split(b"\r\n")) <= 998


async def test_one_click_is_promised_over_https_only_and_no_link_means_no_headers() -> None:
    plain = build_email(a_letter(unsubscribe_url="http://127.0.0.1:8080/u/token"))
    transactional = build_email(a_letter(unsubscribe_url=None, list_id=None))

    assert plain["List-Unsubscribe"] == "<http://127.0.0.1:8080/u/token>"
    assert plain["List-Unsubscribe-Post"] is None
    assert [transactional[name] for name in ("List-Unsubscribe", "List-Id")] == [None, None]
    assert transactional["Feedback-ID"] == "greeting:welcome_chain:transactional:shop.example"
