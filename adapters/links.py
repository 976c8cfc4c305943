"""Signed links to public pages. They carry our ids only, and change nothing when they are merely fetched."""

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from itsdangerous import BadData, Signer, URLSafeSerializer
from itsdangerous.encoding import base64_decode, base64_encode

from domain.errors import NotFound
from domain.messages import Channel

OURS = "cus_"
START_LASTS = timedelta(days=30)
NOTICES_LAST = timedelta(days=1)
VISITOR_LASTS = timedelta(days=1)
_MAC = 16  # bytes; Telegram takes 64 characters in all
_OWN_PAGE = re.compile(r"/[a-z]/")


@dataclass(frozen=True, kw_only=True)
class Unsubscribe:
    """Who wants to leave which channel."""

    customer: str
    channel: Channel


@dataclass(frozen=True, kw_only=True)
class Confirm:
    """Who was asked to confirm an address, which only its keyed `mark` tells."""

    customer: str
    mark: str


class Links:
    """Makes and reads links. Signed with the newest secret, read with all; one salt for each purpose."""

    def __init__(self, secrets: list[str], public_url: str, *, telegram_bot: str = "", web_push: bool = False) -> None:
        # itsdangerous signs with the last key of the list.
        self._keys, self._public_url = list(reversed(secrets)), public_url.rstrip("/")
        self._telegram_bot, self._web_push = telegram_bot, web_push

    def unsubscribe(self, customer: str, channel: Channel) -> str:
        """The one-click address of RFC 8058. It has no expiry: an old letter must still let its reader go."""
        return f"{self._public_url}/u/{self._serializer('unsubscribe').dumps([customer, channel.value])}"

    def read_unsubscribe(self, token: str) -> Unsubscribe:
        """What a token means. Raises NotFound when it is not ours."""
        try:
            customer, channel = self._serializer("unsubscribe").loads(token)
            return Unsubscribe(customer=customer, channel=Channel(channel))
        except (BadData, ValueError, TypeError):
            raise NotFound("link", token[:12]) from None

    def preferences(self, customer: str) -> str:
        """A customer's own page of choices. It has no expiry, as `unsubscribe`."""
        return f"{self._public_url}/f/{self._serializer('preferences').dumps(customer)}"

    def read_preferences(self, token: str) -> str:
        """Whose page it is. Raises NotFound when the token is not ours."""
        try:
            return str(self._serializer("preferences").loads(token))
        except BadData:
            raise NotFound("link", token[:12]) from None

    def confirm(self, customer: str, email: str, now: datetime) -> str:
        """The page where the owner of an address confirms what was asked with it, and gets what it promised, good for
        thirty days.

        For this address alone: who has read an old letter proves nothing about the customer's new one.
        """
        said = [customer, _mark(self._keys[-1], email)]
        return f"{self._public_url}/y/{self._lasting('confirm', said, now + START_LASTS)}"

    def read_confirm(self, token: str, now: datetime) -> Confirm:
        """Who is to confirm which address. Raises NotFound when the token is not ours or no longer good."""
        customer, mark = self._read_lasting("confirm", token, now)
        return Confirm(customer=customer, mark=mark)

    def is_for(self, link: Confirm, email: str | None) -> bool:
        """Whether a link to confirm went to this address."""
        marks = (_mark(key, email) for key in self._keys) if email else ()
        return any(hmac.compare_digest(link.mark, mark) for mark in marks)

    def status_report(self, send: UUID) -> str:
        """Where a provider reports on a send. The signature makes the report itself a proof of which send it was."""
        return f"{self._public_url}/webhooks/twilio/status?send={self._serializer('status report').dumps(str(send))}"

    def read_status_report(self, token: str) -> UUID | None:
        """Which send a report is about; None when the token is not ours."""
        try:
            return UUID(self._serializer("status report").loads(token))
        except (BadData, ValueError, TypeError, AttributeError):
            return None

    def telegram_start(self, customer: str, now: datetime) -> str | None:
        """The link that binds a Telegram chat to a customer, good for thirty days. None without a bot.

        Telegram hands on at most 64 of A-Z, a-z, 0-9, _ and -: the id's 16 bytes, 4 of the instant, and 16 of a MAC.
        """
        if not self._telegram_bot:
            return None
        body = bytes.fromhex(customer.removeprefix(OURS)) + int((now + START_LASTS).timestamp()).to_bytes(4, "big")
        token = base64.urlsafe_b64encode(body + _mac(self._keys[-1], body)).decode().rstrip("=")
        return f"https://t.me/{self._telegram_bot}?start={token}"

    def read_telegram_start(self, token: str, now: datetime) -> str:
        """Whose chat it is to be. Raises NotFound when the token is not ours or no longer good."""
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        body, mac = raw[:20], raw[20:]
        ours = any(hmac.compare_digest(mac, _mac(key, body)) for key in self._keys)
        if not ours or int.from_bytes(body[16:], "big") < now.timestamp():
            raise NotFound("link", token[:12])
        return OURS + body[:16].hex()

    def web_push(self, customer: str, now: datetime) -> str | None:
        """The page where a customer turns a browser's notifications on, good for thirty days. None without a key."""
        if not self._web_push:
            return None
        return f"{self._public_url}/p/{self._lasting('web push', customer, now + START_LASTS)}"

    def read_web_push(self, token: str, now: datetime) -> str:
        """Whose browser it is to be. Raises NotFound when the token is not ours or no longer good."""
        return str(self._read_lasting("web push", token, now))

    def in_app(self, customer: str, now: datetime) -> str:
        """Where a customer's browser reads and marks the notices on your site, good for a day."""
        return f"{self._public_url}/n/{self._lasting('in app', customer, now + NOTICES_LAST)}"

    def read_in_app(self, token: str, now: datetime) -> str:
        """Whose notices they are. Raises NotFound when the token is not ours or no longer good."""
        return str(self._read_lasting("in app", token, now))

    def visitor(self, customer: str, now: datetime) -> str:
        """The word by which a page tells that its visitor is this customer, good for a day. It is no address."""
        return self._lasting("visitor", customer, now + VISITOR_LASTS)

    def read_visitor(self, token: str, now: datetime) -> str:
        """Who the visitor is. Raises NotFound when the token is not ours or no longer good."""
        return str(self._read_lasting("visitor", token, now))

    def click(self, send: UUID, number: int) -> str:
        """A link of a letter: which send, which of its links. Where it leads is stored, and never in it."""
        return f"{self._public_url}/c/{self._packed('click', send.bytes + number.to_bytes(2))}"

    def read_click(self, token: str) -> tuple[UUID, int]:
        """The send and the number of the link. Raises NotFound when it is not ours."""
        packed = self._unpacked("click", token, 18)
        return UUID(bytes=packed[:16]), int.from_bytes(packed[16:])

    def open(self, send: UUID) -> str:
        """The picture whose loading tells that a letter was opened."""
        return f"{self._public_url}/o/{self._packed('open', send.bytes)}.gif"

    def read_open(self, token: str) -> UUID:
        """The send. Raises NotFound when it is not ours."""
        return UUID(bytes=self._unpacked("open", token, 16))

    def survey(self, send: UUID) -> str:
        """The page where a send's survey is answered. It has no expiry: who answers late is heard late."""
        return f"{self._public_url}/s/{self._packed('survey', send.bytes)}"

    def read_survey(self, token: str) -> UUID:
        """The send. Raises NotFound when it is not ours."""
        return UUID(bytes=self._unpacked("survey", token, 16))

    def is_own(self, url: str) -> bool:
        """Whether an address is one of our pages for customers, whose paths all begin with a single letter: /u/…"""
        return url.startswith(self._public_url) and bool(_OWN_PAGE.match(url, len(self._public_url)))

    def _lasting(self, purpose: str, said: object, until: datetime) -> str:
        return str(self._serializer(purpose).dumps([said, int(until.timestamp())]))

    def _read_lasting(self, purpose: str, token: str, now: datetime) -> Any:
        """What a link says that lasts for a while. Raises NotFound when it is not ours or no longer good."""
        try:
            said, until = self._serializer(purpose).loads(token)
        except (BadData, ValueError, TypeError):
            raise NotFound("link", token[:12]) from None
        if until < now.timestamp():
            raise NotFound("link", token[:12])
        return said

    def _packed(self, purpose: str, content: bytes) -> str:
        """As short as a signed thing gets: it stands in every link of a letter."""
        return Signer(self._keys, salt=purpose).sign(base64_encode(content)).decode()

    def _unpacked(self, purpose: str, token: str, length: int) -> bytes:
        try:
            content = base64_decode(Signer(self._keys, salt=purpose).unsign(token))
        except (BadData, ValueError):
            raise NotFound("link", token[:12]) from None
        if len(content) != length:
            raise NotFound("link", token[:12])
        return content

    def _serializer(self, purpose: str) -> URLSafeSerializer:
        return URLSafeSerializer(self._keys, salt=purpose)


def _mark(key: str, email: str) -> str:
    own = hashlib.sha256(b"confirm" + key.encode()).digest()
    return hmac.new(own, email.strip().casefold().encode(), hashlib.sha256).hexdigest()[:16]


def _mac(key: str, body: bytes) -> bytes:
    own = hashlib.sha256(b"telegram start" + key.encode()).digest()
    return hmac.new(own, body, hashlib.sha256).digest()[:_MAC]
