"""Signed links to public pages. They carry our ids only, and change nothing when they are merely fetched."""

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from itsdangerous import BadData, Signer, URLSafeSerializer
from itsdangerous.encoding import base64_decode, base64_encode

from domain.errors import NotFound
from domain.messages import Channel

OURS = "cus_"
START_LASTS = timedelta(days=30)
VISITOR_LASTS = timedelta(days=1)
_MAC = 16  # bytes; Telegram takes 64 characters in all
_OWN_PAGE = re.compile(r"/[a-z]/")


@dataclass(frozen=True, kw_only=True)
class Unsubscribe:
    """Who wants to leave which channel."""

    customer: str
    channel: Channel


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
        until = int((now + START_LASTS).timestamp())
        return f"{self._public_url}/p/{self._serializer('web push').dumps([customer, until])}"

    def read_web_push(self, token: str, now: datetime) -> str:
        """Whose browser it is to be. Raises NotFound when the token is not ours or no longer good."""
        return self._read_until("web push", token, now)

    def visitor(self, customer: str, now: datetime) -> str:
        """The word by which a page tells that its visitor is this customer, good for a day. It is no address."""
        until = int((now + VISITOR_LASTS).timestamp())
        return str(self._serializer("visitor").dumps([customer, until]))

    def read_visitor(self, token: str, now: datetime) -> str:
        """Who the visitor is. Raises NotFound when the token is not ours or no longer good."""
        return self._read_until("visitor", token, now)

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

    def is_own(self, url: str) -> bool:
        """Whether an address is one of our pages for customers, whose paths all begin with a single letter: /u/…"""
        return url.startswith(self._public_url) and bool(_OWN_PAGE.match(url, len(self._public_url)))

    def _read_until(self, purpose: str, token: str, now: datetime) -> str:
        """Whose a token is that ends. Raises NotFound."""
        try:
            customer, until = self._serializer(purpose).loads(token)
        except (BadData, ValueError, TypeError):
            raise NotFound("link", token[:12]) from None
        if until < now.timestamp():
            raise NotFound("link", token[:12])
        return str(customer)

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


def _mac(key: str, body: bytes) -> bytes:
    own = hashlib.sha256(b"telegram start" + key.encode()).digest()
    return hmac.new(own, body, hashlib.sha256).digest()[:_MAC]
