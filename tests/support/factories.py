"""Things to test with; each shows what matters and invents the rest."""

import functools
import hashlib
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import msgspec

from adapters.database.events import NewEvent
from adapters.settings import Settings
from adapters.templates import MessageLibrary
from domain.contact_policy import ContactPolicy
from domain.messages import Channel, Purpose
from services.audit import Actor
from tropa.rehearsal.ground import HeldClock

STAFF = Actor(id="0123456789ab", name="staff")
TEXTING = ContactPolicy(channels=dict.fromkeys(Purpose, frozenset(Channel)))
"""The defaults, but for texts: here they may say anything."""


class SettableClock(HeldClock):
    """Business time, moved by the test."""

    def pass_(self, duration: timedelta) -> None:
        """Move on."""
        self.set(self.now() + duration)


@functools.cache
def compiled() -> MessageLibrary:
    """The real messages, compiled once for the whole run."""
    return MessageLibrary()


def settings_for(database_url: str, **changes: object) -> Settings:
    """Development settings on a database. Of the journeys, events start WelcomeChain alone, unless others are named."""
    return Settings.model_validate({"database_url": database_url, "journeys": "WelcomeChain", **changes})


def an_event(
    name: str,
    customer_id: str = "anna",
    *,
    at: datetime | None = None,
    received: datetime | None = None,
    event_id: str | None = None,
    about: str = "",
    source: str = "shop",
    **properties: object,
) -> NewEvent:
    """An event, received when it happened."""
    at = at or datetime.now(UTC)
    body = msgspec.json.encode(properties)
    event_id = event_id or uuid4().hex
    digest = hashlib.sha256(msgspec.json.encode([customer_id, name, at, about, source, properties])).digest()
    return NewEvent(
        event_id=event_id,
        customer_id=customer_id,
        name=name,
        occurred_at=at,
        received_at=received or at,
        source=source,
        about=about,
        properties=body,
        digest=digest,
    )


def a_zone_where_it_is(hour: int, now: datetime) -> str:
    """A fixed-offset time zone in which it is between `hour` o'clock and the next."""
    offset = (hour - now.astimezone(UTC).hour + 12) % 24 - 12
    return "Etc/GMT" if offset == 0 else f"Etc/GMT{-offset:+d}"
