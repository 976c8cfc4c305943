"""What comes back by mail, in the formats that mail servers and mailbox providers write."""

import random
import re
from uuid import UUID

import pytest

from adapters.channels.mail_reports import LARGEST, MailReport, read_mail
from adapters.channels.mime import message_id
from adapters.return_paths import ReturnPaths
from domain.deliveries import Delivery, blames_the_address
from tests.support.returned_mail import FORMS, returned

SEND = UUID("0198a5c2-7b1e-5c3d-9a40-1f2e3d4c5b6a")
SENDER = "hello@shop.example"
PATHS = ReturnPaths(["new secret", "old secret"], bounce_domain="bounces.shop.example", sender=SENDER)
OURS = message_id(SEND, SENDER)


def dead(code: str) -> MailReport:
    return MailReport(delivery=Delivery.UNDELIVERED, code=code, dead=True)


def back(code: str) -> MailReport:
    return MailReport(delivery=Delivery.UNDELIVERED, code=code)


READ: dict[str, MailReport | None] = {
    "postfix": dead("5.1.1"),
    "exchange": dead("5.1.10"),
    "gmail": dead("5.1.1"),
    "exim": dead("5.0.0"),  # its words say it: no such user here
    "exim_plain": dead(""),
    "qmail": dead("5.1.1"),
    "postfix_gave_up": back("4.4.1"),
    "postfix_spam": back("5.7.1"),
    "unreadable": back(""),
    "postfix_delayed": MailReport(delivery=Delivery.QUEUED, code="4.4.1"),
    "yahoo_complaint": MailReport(delivery=Delivery.COMPLAINED, code="abuse"),
    "ses_complaint": MailReport(delivery=Delivery.COMPLAINED, code="abuse"),
    "vacation": None,
}
QUOTE_NO_RETURN_PATH = {"ses_complaint"}
QUOTE_NO_MESSAGE_ID = {"unreadable"}


def read(mail: bytes) -> MailReport | None:
    return read_mail(mail)[0]


def about(mail: bytes) -> UUID | None:
    return PATHS.find(read_mail(mail)[1])


def test_every_form_is_listed_here() -> None:
    assert {file.stem for file in FORMS.glob("*.eml")} == set(READ)


@pytest.mark.parametrize("form", READ)
def test_a_returned_mail_is_understood(form: str) -> None:
    assert read(returned(form)) == READ[form]


@pytest.mark.parametrize("form", sorted(set(READ) - QUOTE_NO_RETURN_PATH))
def test_the_return_path_says_which_send_it_is_about(form: str) -> None:
    assert about(returned(form, return_path=PATHS.of(SEND))) == SEND
    assert about(returned(form)) is None


@pytest.mark.parametrize("form", sorted(set(READ) - QUOTE_NO_MESSAGE_ID))
def test_the_message_id_of_the_returned_letter_says_it_too(form: str) -> None:
    assert about(returned(form, message_id=OURS)) == SEND


@pytest.mark.parametrize(
    "wrapped",
    [
        "SRS0=hhhh=TT=bounces.shop.example={local}@forwarder.example",
        "prvs=0123456789={path}",
        "{upper}",
        "<{path}>",
    ],
)
def test_a_return_path_is_known_however_servers_wrap_it(wrapped: str) -> None:
    path = PATHS.of(SEND)
    told = wrapped.format(path=path, local=path.partition("@")[0], upper=path.upper())

    assert PATHS.find(f"To: {told}\r\n".encode()) == SEND


def test_a_return_path_fits_into_an_address() -> None:
    local = PATHS.of(SEND).partition("@")[0]

    assert len(local) <= 64
    assert re.fullmatch(r"[a-z0-9+]+", local)


def test_a_return_path_that_nobody_signed_is_nobodys() -> None:
    path = PATHS.of(SEND)
    forged = [path.replace(path[20], "b" if path[20] != "b" else "c", 1), path.replace("@", "a@"), "bounce+@x.example"]

    assert [PATHS.find(f"<{each}>".encode()) for each in forged] == [None, None, None]
    stranger = ReturnPaths(["another"], bounce_domain="bounces.shop.example", sender=SENDER)
    assert stranger.find(path.encode()) is None


def test_a_rotated_secret_still_reads_what_it_signed() -> None:
    before = ReturnPaths(["old secret"], bounce_domain="bounces.shop.example", sender=SENDER)

    assert PATHS.find(before.of(SEND).encode()) == SEND


def test_a_signed_return_path_wins_over_a_message_id_that_anybody_may_write() -> None:
    other = UUID("0198a5c2-0000-5c3d-9a40-1f2e3d4c5b6a")
    mail = returned("postfix", return_path=PATHS.of(SEND), message_id=message_id(other, SENDER))

    assert about(mail) == SEND


def test_a_message_id_of_another_domain_is_not_ours() -> None:
    assert about(returned("postfix", message_id=message_id(SEND, "hello@elsewhere.example"))) is None


def test_without_a_bounce_domain_the_sender_is_the_return_path() -> None:
    assert ReturnPaths(["secret"], bounce_domain="", sender=SENDER).of(SEND) == SENDER


# The finer points ----------------------------------------------------------------------------------------------------


def changed(form: str, *pairs: tuple[str, str]) -> MailReport | None:
    mail = returned(form)
    for old, new in pairs:
        assert old.encode() in mail
        mail = mail.replace(old.encode(), new.encode())
    return read(mail)


@pytest.mark.parametrize(
    ("status", "nobody"),
    [
        ("5.1.1", True), ("5.1.2", True), ("5.1.10", True), ("5.2.1", True),
        ("5.1.7", False), ("5.1.8", False), ("5.1.9", False), ("5.2.2", False), ("5.2.10", False), ("5.4.1", False),
        ("5.7.1", False), ("5.7.515", False), ("4.1.1", False), ("4.2.1", False), ("5.0.0", False), ("", False),
    ],
)  # fmt: skip
def test_only_some_codes_say_that_nobody_is_there(status: str, nobody: bool) -> None:
    assert blames_the_address(status) is nobody


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded"])
def test_good_news_is_no_bounce(action: str) -> None:
    assert changed("postfix", ("Action: failed", f"Action: {action}")) is None


@pytest.mark.parametrize(("kind", "is_one"), [("fraud", True), ("other", True), ("opt-out", True), ("not-spam", False)])
def test_what_counts_as_a_complaint(kind: str, is_one: bool) -> None:
    found = changed("yahoo_complaint", ("Feedback-Type: abuse", f"Feedback-Type: {kind}"))

    assert (found and found.code) == (kind if is_one else None)


@pytest.mark.parametrize("kind", ["auth-failure", "dmarc", "", "x" * 40, "a\tb"])
def test_a_feedback_report_that_is_no_word_of_the_reader_is_no_complaint(kind: str) -> None:
    sender = ("feedback@arf.mailbox.example>\r\nTo", "postmaster@arf.mailbox.example>\r\nTo")

    assert changed("yahoo_complaint", ("Feedback-Type: abuse", f"Feedback-Type: {kind}"), sender) is None


def test_an_alias_is_as_alive_as_the_luckiest_of_its_people() -> None:
    full = "Final-Recipient: rfc822; b@inner.example\r\nAction: failed\r\nStatus: 5.2.2\r\n\r\n--4FzQ"
    two = changed("postfix", ("User unknown in virtual mailbox table\r\n\r\n--4FzQ", f"User unknown\r\n\r\n{full}"))

    assert two == back("5.2.2")


def test_a_vague_code_gives_way_to_the_servers_own_answer() -> None:
    found = changed("exim", ("Diagnostic-Code: smtp; 550 No Such User Here", "Diagnostic-Code: smtp; 550 5.7.1 Spam"))

    assert found == back("5.7.1")


def test_a_network_address_is_no_code() -> None:
    found = changed("exim", ("Diagnostic-Code: smtp; 550 No Such User Here", "Diagnostic-Code: smtp; 550 [5.1.1.9] no"))

    assert found == back("5.0.0")


def test_words_of_the_returned_letter_are_not_the_servers() -> None:
    assert b"452 4.2.2" in returned("exim_plain")
    assert read(returned("exim_plain")) == READ["exim_plain"]


def test_a_warning_in_plain_words_is_no_failure() -> None:
    subject = ("Subject: failure notice", "Subject: Warning: message delayed 24 hours")

    assert changed("qmail", subject) == MailReport(delivery=Delivery.QUEUED, code="5.1.1")


# Nonsense ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "mail", [b"", b"\x00", b"\xff" * 1000, b"From: MAILER-DAEMON", b"Content-Type: multipart/report"]
)
def test_what_is_no_mail_tells_nothing_or_no_more_than_that_it_came_back(mail: bytes) -> None:
    assert read(mail) in (None, back(""))
    assert about(mail) is None


def test_a_mail_within_a_mail_within_a_mail_is_given_up() -> None:
    deep = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n" for n in range(3000))
    mail = b"From: MAILER-DAEMON@x.example\r\n" + deep.encode() + PATHS.of(SEND).encode()

    assert (read(mail), about(mail)) == (None, SEND)


def test_no_damage_on_the_way_breaks_the_reading() -> None:
    """A thousand mails, cut and scrambled: whatever is read keeps to its words."""
    chance = random.Random(7)
    for form in READ:
        whole = returned(form, return_path=PATHS.of(SEND), message_id=OURS)
        for _ in range(80):
            mail = bytearray(whole[: chance.randrange(len(whole))])
            for _ in range(chance.randrange(12)):
                if mail:
                    mail[chance.randrange(len(mail))] = chance.choice(b'\x00\r\n\x80:;=-"\xff?')
            found = read(bytes(mail))
            assert found is None or re.fullmatch(r"([245](\.\d{1,3}){2}|[a-z-]{1,32})?", found.code)
            assert about(bytes(mail)) in (None, SEND)


def test_no_more_is_looked_at_than_a_report_needs() -> None:
    assert about(b"x" * LARGEST + PATHS.of(SEND).encode()) is None
