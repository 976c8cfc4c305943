"""What comes back by mail: bounces and complaints, in the standard formats and in those that people really use.

Delivery status notifications (RFC 3464), feedback reports (ARF, RFC 5965), and the plain words of qmail, of older Exim
and of whatever else calls itself a mail server. Whose letter it is about, `adapters/return_paths.py` reads.
"""

import email
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.utils import parseaddr

from domain.deliveries import Delivery, blames_the_address

LARGEST = 512 * 1024  # bytes that are looked at; the rest is the letter itself
_MOST_BOUNDARIES = 40  # the parser's time grows with depth times length, and anybody may write to us


@dataclass(frozen=True, kw_only=True)
class MailReport:
    """What became of a letter. `code` is its status (RFC 3463) or the kind of complaint; empty where none was found.

    `delivery` is QUEUED (still tried), UNDELIVERED or COMPLAINED. `dead`: nobody is to be reached at the address.
    """

    delivery: Delivery
    code: str = ""
    dead: bool = False


_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?!\.?\d)")
_ANSWER = re.compile(r"(?:\b[45]\d\d[ -]#?|\(#|#)([45]\.\d{1,3}\.\d{1,3})(?!\.?\d)")
_NOBODY = re.compile(
    r"(?:user|recipient|mailbox|address|account) (?:is |was )?(?:unknown|not found|does not exist|doesn't exist)"
    r"|(?:unknown|no such|invalid) (?:local |virtual )?(?:user|recipient|mailbox|address|account)"
    r"|no mailbox here by that name|unrouteable address",
    re.IGNORECASE,
)
_SERVERS = ("mailer-daemon", "postmaster")
_WARNS = re.compile(r"delay|warning", re.IGNORECASE)
_COPY_BELOW = re.compile(r"^-{2,} ?(?:below this line|this is a copy|original message|returned message).*", re.I | re.M)
# Reports of these kinds (RFC 5965 and its registry) are no word of the reader against us.
_NO_COMPLAINTS = ("not-spam", "auth-failure", "dmarc", "virus", "dkim")
_KIND = re.compile(r"[a-z-]{1,32}")


def read_mail(raw: bytes) -> tuple[MailReport | None, bytes]:
    """What a mail says of an earlier letter, and its text, decoded, in which to look for whose letter that was.

    None for any other mail: answers, notes of absence, spam, nonsense.
    """
    raw = raw[:LARGEST]
    if raw.lower().count(b"boundary") > _MOST_BOUNDARIES:
        return None, raw
    try:
        message = email.message_from_bytes(raw)
        return _report(message), b"\n".join([raw, *_decoded(message)])
    except Exception:  # the parser of the standard library has its weak spots
        return None, raw


def _report(message: Message) -> MailReport | None:
    for part in _parts(message):
        kind = part.get_content_type()
        if kind == "message/feedback-report":
            return _complaint(part)
        if kind in ("message/delivery-status", "message/global-delivery-status"):
            told = [_recipient(block) for block in _blocks(part) if block.get("Action")]
            # Several recipients are somebody's alias: it came as far as the luckiest of them.
            return min(told, key=_badness) if told else _plain_words(message)
    return _plain_words(message)


def _complaint(part: Message) -> MailReport | None:
    kind = str(_blocks(part)[0].get("Feedback-Type", "")).strip().lower()
    if not _KIND.fullmatch(kind) or kind in _NO_COMPLAINTS:
        return None
    return MailReport(delivery=Delivery.COMPLAINED, code=kind)


def _badness(report: MailReport | None) -> tuple[bool, bool, bool]:
    if report is None:
        return (False, False, False)
    return (report.delivery is Delivery.UNDELIVERED, report.code.startswith("5"), report.dead)


def _recipient(block: Message) -> MailReport | None:
    action = str(block["Action"]).strip().lower()
    if action not in ("failed", "delayed"):
        return None
    said = " ".join(str(block.get("Diagnostic-Code", "")).split())
    status = _code(str(block.get("Status", "")))
    if not status or status.endswith(".0.0"):  # Exim says no more than that it failed
        status = _code(said) or status
    if action == "delayed":
        return MailReport(delivery=Delivery.QUEUED, code=status)
    return _failure(status, said)


def _plain_words(message: Message) -> MailReport | None:
    """A bounce for people to read. Only what a mail server wrote: a note of absence comes back here, too."""
    sender = parseaddr(str(message.get("From", "")))[1].lower()
    if not sender.startswith(_SERVERS) and "X-Failed-Recipients" not in message:
        return None
    texts = (_words(part) for part in _parts(message) if part.get_content_type() == "text/plain")
    said = _COPY_BELOW.split(next(texts, ""))[0]
    if _WARNS.search(str(message.get("Subject", ""))):
        return MailReport(delivery=Delivery.QUEUED, code=_answer(said))
    return _failure(_answer(said), said)


def _failure(status: str, said: str) -> MailReport:
    dead = blames_the_address(status) or (status in ("", "5.0.0") and bool(_NOBODY.search(said)))
    return MailReport(delivery=Delivery.UNDELIVERED, code=status, dead=dead)


def _code(text: str) -> str:
    found = _STATUS.search(text)
    return found[0] if found else ""


def _answer(text: str) -> str:
    found = _ANSWER.search(text)
    return found[1] if found else ""


def _parts(message: Message) -> Iterator[Message]:
    """The parts of the report itself: not those of the letter that it returns."""
    if message.is_multipart() and message.get_content_maintype() == "multipart":
        for part in message.get_payload():
            if isinstance(part, Message):
                yield from _parts(part)
    else:
        yield message


def _blocks(part: Message) -> list[Message]:
    payload = part.get_payload()
    blocks = payload if isinstance(payload, list) else [email.message_from_string(str(payload))]
    return [block for block in blocks if isinstance(block, Message)]


def _decoded(message: Message) -> Iterator[bytes]:
    for part in message.walk():
        if part.get_content_maintype() == "text" and part.get("Content-Transfer-Encoding"):
            yield _bytes(part)


def _words(part: Message) -> str:
    return _bytes(part).decode(part.get_content_charset("utf-8"), "replace")


def _bytes(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""
