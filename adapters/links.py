"""Signed links to public pages. They carry our ids only, and change nothing when they are merely fetched."""

from dataclasses import dataclass
from uuid import UUID

from itsdangerous import BadData, URLSafeSerializer

from domain.errors import NotFound
from domain.messages import Channel


@dataclass(frozen=True, kw_only=True)
class Unsubscribe:
    """Who wants to leave which channel."""

    customer: str
    channel: Channel


class Links:
    """Makes and reads links. Signed with the newest secret, read with all; one salt for each purpose."""

    def __init__(self, secrets: list[str], public_url: str) -> None:
        # itsdangerous signs with the last key of the list.
        self._keys, self._public_url = list(reversed(secrets)), public_url.rstrip("/")

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

    def status_report(self, send: UUID) -> str:
        """Where a provider reports on a send. The signature makes the report itself a proof of which send it was."""
        return f"{self._public_url}/webhooks/twilio/status?send={self._serializer('status report').dumps(str(send))}"

    def read_status_report(self, token: str) -> UUID | None:
        """Which send a report is about; None when the token is not ours."""
        try:
            return UUID(self._serializer("status report").loads(token))
        except (BadData, ValueError, TypeError, AttributeError):
            return None

    def _serializer(self, purpose: str) -> URLSafeSerializer:
        return URLSafeSerializer(self._keys, salt=purpose)
