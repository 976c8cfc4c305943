"""What a journey can say: messages, their purposes and channels."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Channel(StrEnum):
    """A way to reach a customer."""

    EMAIL = "email"
    SMS = "sms"


class Purpose(StrEnum):
    """Why a message is sent. Decides which rules bind it; changed only by review of `message.toml`."""

    TRANSACTIONAL = "transactional"
    SERVICE = "service"
    VALUE = "value"
    OFFER = "offer"
    FEEDBACK = "feedback"


@dataclass(frozen=True, kw_only=True)
class Limit:
    """The fuse: a message goes to one customer at most `times` within `within`."""

    times: int
    within: timedelta


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message of a journey, as its folder `templates/messages/<journey>/<name>/` declares it.

    `goal` says what the customer gains or does (S27); `shelf_life` is how long after the step it is still worth
    sending; `channels` are in order of preference; `locales` are those that every channel has a text for.
    """

    journey: str
    name: str
    purpose: Purpose
    goal: str
    channels: tuple[Channel, ...]
    shelf_life: timedelta
    limit: Limit
    locales: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """One message in one channel and language, ready for a gateway. Only email has more than a text."""

    subject: str | None
    preview: str | None
    html: str | None
    text: str
    locale: str
