"""Messages, facts and policies that show what matters to a rule and leave out the rest."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from hypothesis import settings

from domain.contact_policy import ContactPolicy, Touch
from domain.customers import Consent, ConsentStatus
from domain.messages import Channel, Limit, Message, Purpose
from domain.products import Listing
from domain.send_facts import SendFacts

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SEND = UUID("00000000-0000-5000-8000-0000000001f4")
MIDDLE = UUID(int=500)  # its jitter is half of the spread

SEEDED = settings(max_examples=250, deadline=None, derandomize=True, database=None)


def utc(*parts: int) -> datetime:
    """An instant."""
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


def a_message(
    *channels: Channel,
    purpose: Purpose = Purpose.VALUE,
    shelf_life: timedelta | time = timedelta(days=3),
    limit: Limit | None = None,
    products: Mapping[str, Listing] | None = None,
) -> Message:
    """A message by email, unless other channels are named."""
    return Message(
        journey="trial",
        name="note",
        purpose=purpose,
        goal="They know.",
        channels=channels or (Channel.EMAIL,),
        shelf_life=shelf_life,
        limit=limit or Limit(times=1000, within=timedelta(days=30)),
        products=products or {},
    )


def a_policy(*, explicit: Iterable[Channel] = (), **changes: object) -> ContactPolicy:
    """The default policy without jitter, on every channel for every purpose, and without the need for a yes."""
    plain = ContactPolicy(
        jitter=timedelta(0), explicit_consent=frozenset(explicit), channels=dict.fromkeys(Purpose, frozenset(Channel))
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def some_facts(zone: str = "UTC", **changes: object) -> SendFacts:
    """A customer whom everything can reach and against whom nothing stands. Instants among `touches` are touches."""
    touches = changes.pop("touches", ())
    changes["touches"] = tuple(t if isinstance(t, Touch) else Touch(at=t) for t in touches)  # type: ignore[attr-defined]
    return replace(SendFacts(zone=zone, addressed=frozenset(Channel)), **changes)  # type: ignore[arg-type]


def yes(at: datetime) -> Consent:
    """A yes, given then."""
    return Consent(status=ConsentStatus.GRANTED, at=at, source="test")


def no(at: datetime) -> Consent:
    """A no, given then."""
    return Consent(status=ConsentStatus.DENIED, at=at, source="test")
