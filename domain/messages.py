"""What a journey can say: messages, their purposes and channels."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from domain.durations import spoken
from domain.products import Listing, Of


class Channel(StrEnum):
    """A way to reach a customer."""

    EMAIL = "email"
    SMS = "sms"
    WHATSAPP = "whatsapp"
    TELEGRAM = "telegram"
    WEB_PUSH = "web_push"
    IN_APP = "in_app"


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
    sending, or until what hour of the step's day (C12); `channels` are in order of preference; `locales` are those that
    every channel has a text for; `topic` is what customers may choose or refuse it by. `offer` names the offer whose
    code it gives, `products` are the lists that its texts show, by name, and `survey` is what it asks.
    """

    journey: str
    name: str
    purpose: Purpose
    goal: str
    channels: tuple[Channel, ...]
    shelf_life: timedelta | time
    limit: Limit
    locales: tuple[str, ...] = ()
    topic: str = ""
    offer: str = ""
    survey: str = ""
    products: Mapping[str, Listing] = field(default_factory=dict)

    @property
    def offers_what_is_named(self) -> bool:
        """Whether it is an offer of what the event names: unless it lists products, and none of those (S35)."""
        named = not self.products or any(listing.of is Of.EVENT for listing in self.products.values())
        return self.purpose is Purpose.OFFER and named

    @property
    def shelf_life_in_words(self) -> str:
        """As `message.toml` writes it."""
        lasts = self.shelf_life
        return spoken(lasts) if isinstance(lasts, timedelta) else f"until {lasts:%H:%M}"

    def expires(self, wished: datetime, zone: str) -> datetime:
        """When its shelf life ends, for a step that is due at `wished` for a customer in `zone`.

        An hour is the customer's wall time on the day of the step. Where that hour has passed by then, it is too late.
        """
        if isinstance(self.shelf_life, timedelta):
            return wished + self.shelf_life
        place = ZoneInfo(zone)
        return datetime.combine(wished.astimezone(place), self.shelf_life, tzinfo=place).astimezone(UTC)


@dataclass(frozen=True, kw_only=True)
class Content:
    """A text that WhatsApp has approved beforehand: its id at the provider, and what fills its gaps."""

    sid: str
    variables: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """One message in one channel and language, ready for a gateway. Only email has a preview and HTML.

    A browser's message and a notice on the site have their title in `subject`, and in `url` where they lead.
    `content` is what WhatsApp takes at any time; `text` goes there within a day of the customer's last message.
    """

    text: str
    locale: str
    subject: str | None = None
    preview: str | None = None
    html: str | None = None
    url: str | None = None
    content: Content | None = None
