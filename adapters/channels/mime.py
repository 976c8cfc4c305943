"""A letter as the bytes of RFC 5322, with the headers that large mailboxes ask of bulk mail."""

import email.policy
import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import Header, decode_header
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, parseaddr
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from domain.deliveries import Letter
from domain.errors import InvalidInput, Misconfigured

_MAILBOX = re.compile(r"[^\s<>()\[\]\\,;:\"@]+@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_LIST_ID = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+")
_ENCODED_WORD = re.compile(r"=\?.*?\?[bBqQ]\?.*?\?=", re.DOTALL)


class _Subject(UnstructuredHeader, BaseHeader):
    """A subject whose blanks survive. The stock folding loses one wherever it begins another encoded word."""

    def fold(self, *, policy: email.policy.Policy) -> str:
        charset = "us-ascii" if self.isascii() else "utf-8"
        value = Header(self, charset, header_name=self.name).encode(linesep=policy.linesep)
        return f"{self.name}: {value}{policy.linesep}"


class _Verbatim(UnstructuredHeader, BaseHeader):
    """A header written on one line as it is. The stock folding turns a long link into an encoded word."""

    def fold(self, *, policy: email.policy.Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


class _Registry(HeaderRegistry):
    """Makes the class of each header once; the library makes it anew for every header of every letter."""

    def __init__(self) -> None:
        super().__init__()
        self._made: dict[str, type] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = super().__getitem__(name)
        return self._made[name]


def _policy() -> "EmailPolicy[EmailMessage]":
    registry = _Registry()
    registry.map_to_type("subject", _Subject)
    for name in ("message-id", "list-unsubscribe", "list-unsubscribe-post", "list-id", "feedback-id"):
        registry.map_to_type(name, _Verbatim)
    return email.policy.SMTP.clone(header_factory=registry)


_POLICY = _policy()


def build_email(letter: Letter) -> EmailMessage:
    """The letter as a message. Raises InvalidInput naming the header that cannot be written."""
    refuse_control_characters("From", letter.sender)  # before it is taken apart, which would drop line breaks
    sender_name, sender = parseaddr(letter.sender)
    to, sender = mailbox(letter.to, "to"), mailbox(sender, "sender")
    domain = sender.rpartition("@")[2]
    headers = {
        "Message-ID": message_id(letter.send_id, sender),
        "Date": format_datetime(datetime.now(UTC)),
        "From": str(Address(sender_name, addr_spec=sender)),
        "To": to,
        "Subject": letter.subject,
        "Auto-Submitted": "auto-generated",
        # Gmail groups its complaint figures by these four; the last, the sender, has 5 to 15 characters.
        "Feedback-ID": f"{letter.message}:{letter.journey}:{_stream(letter)}:{domain[:15]}",
    }
    if letter.unsubscribe_url is not None:
        headers |= _unsubscribe(letter.unsubscribe_url)
    if letter.list_id is not None:
        if not _LIST_ID.fullmatch(letter.list_id):
            raise InvalidInput(["list_id: write it like a host name, news.example.com"])
        headers["List-Id"] = f"<{letter.list_id}>"

    policy = _POLICY if to.isascii() else _POLICY.clone(utf8=True)
    message = EmailMessage(policy=policy)
    for name, value in headers.items():
        refuse_control_characters(name, value)
        message[name] = value
        # What the library made of it: its decoding is laxer than the one above.
        refuse_control_characters(name, str(message[name]))
    # Base64: no relay has a reason to re-encode it and break the DKIM signature, and the other safe encoding,
    # quoted-printable, is written in pure Python and takes several milliseconds a letter.
    message.set_content(letter.text, cte="base64")
    message.add_alternative(letter.html, subtype="html", cte="base64")
    return message


def message_id(send: UUID, sender: str) -> str:
    """The Message-ID of a send's letter, which bounces and complaints quote."""
    return f"<{send}@{sender.rpartition('@')[2]}>"


def sender_mailbox(mail_from: str) -> str:
    """The bare address in From, as `mailbox` writes it. Raises Misconfigured."""
    try:
        return mailbox(parseaddr(mail_from)[1], "mail_from")
    except InvalidInput:
        raise Misconfigured("TROPA_MAIL_FROM must hold an address: Shop <hello@shop.example>.") from None


def mailbox(address: str, field: str) -> str:
    """The address with its domain in ASCII, as SMTP wants it. Raises InvalidInput without repeating it."""
    local, at, domain = address.rpartition("@")
    try:
        ascii_domain = domain if domain.isascii() else domain.encode("idna").decode("ascii")
        # An old encoding writes straße as strasse, which may be somebody else's.
        same = ascii_domain == domain or ascii_domain.encode().decode("idna") == unicodedata.normalize(
            "NFC", domain.lower()
        )
    except UnicodeError:
        same = False
    # An address that looks like an encoded word would be decoded into another one.
    if not (
        at and same and "=?" not in local and len(address) <= 254 and _MAILBOX.fullmatch(f"{local}@{ascii_domain}")
    ):
        raise InvalidInput([f"{field}: it is not one email address"])
    return f"{local}@{ascii_domain}"


def refuse_control_characters(name: str, value: str) -> None:
    """Raise InvalidInput if the value, or what a reader may decode it to, could begin another header."""
    for text in _decodings(value):
        if any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in text):
            raise InvalidInput([f"{name}: it has a control character or a line break in it"])


def _decodings(value: str) -> Iterator[str]:
    """The value, and the value with its encoded words decoded, over and over: one may hide in another."""
    for _ in range(5):
        yield value
        if not _ENCODED_WORD.search(value):
            return
        try:
            value = "".join(
                part.decode(charset or "latin-1", "replace") if isinstance(part, bytes) else part
                for word in _ENCODED_WORD.findall(value)
                for part, charset in decode_header(word)
            )
        except (HeaderParseError, LookupError, ValueError):
            break
    raise InvalidInput(["a header has an encoded word in it that cannot be read"])


def _unsubscribe(url: str) -> dict[str, str]:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc or re.search(r"[\s<>]", url) or not url.isascii():
        raise InvalidInput(["unsubscribe_url: it is not a web address"])
    headers = {"List-Unsubscribe": f"<{url}>"}
    if parts.scheme == "https":  # RFC 8058 promises one click over https only
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


def _stream(letter: Letter) -> str:
    return "transactional" if letter.unsubscribe_url is None else "journey"
