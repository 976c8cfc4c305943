"""Events as they are handed over: one definition, from which both the reading and the documentation are made."""

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw, Struct

from adapters.database.events import NewEvent
from adapters.field_errors import told
from api.reading import TOO_DEEP, decoded, problem_in
from domain.events import EVENT_NAME, RESTRICTIONS
from domain.messages import Channel

MOST_EVENTS = 1000
MOST_PROPERTIES = 100
LARGEST_PROPERTIES = 32 * 1024
AHEAD = timedelta(hours=24)
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


class EventToTakeIn(Struct, forbid_unknown_fields=True, kw_only=True, rename=None):
    """Something that happened to a customer."""

    event_id: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=200,
            description="Your own id of this event, unique for ever: sent again, it counts once.",
            examples=["order-1001-placed"],
        ),
    ]
    customer_id: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=200,
            description="Your own id of the customer. An unknown one is created.",
            examples=["anna@example.com"],
        ),
    ]
    name: Annotated[
        str, Meta(pattern=EVENT_NAME.pattern, description="What happened, in snake_case.", examples=["order_placed"])
    ]
    occurred_at: (
        Annotated[datetime, Meta(tz=True, description="When it happened, with its time zone. Left out: now.")] | None
    ) = None
    source: Annotated[
        str,
        Meta(
            min_length=1, max_length=64, description="Where it comes from. `import` is history: it starts no journey."
        ),
    ] = "api"
    about: Annotated[
        str, Meta(max_length=200, description="The one thing it is about, such as an order's or a cart's id.")
    ] = ""
    properties: Annotated[
        dict[str, Any],
        Meta(description="More about it: at most 100 properties and 32 KiB.", examples=[{"total": 49.9}]),
    ] = {}


class EventBatch(Struct, forbid_unknown_fields=True):
    """Events in any order."""

    events: Annotated[list[EventToTakeIn], Meta(min_length=1, max_length=MOST_EVENTS)]


class _Envelope(Struct, forbid_unknown_fields=True):
    events: Annotated[list[Raw], Meta(min_length=1, max_length=MOST_EVENTS)]


class Rejected(Struct):
    """An event that was not stored: its place in the batch, and what is wrong with it."""

    index: int
    problem: str


class BatchTaken(Struct):
    """What became of a batch. What was accepted is stored for good; a duplicate had been stored before."""

    accepted: int
    duplicates: int
    rejected: list[Rejected]


_batches = msgspec.json.Decoder(EventBatch)
_envelopes = msgspec.json.Decoder(_Envelope)
_events = msgspec.json.Decoder(EventToTakeIn)
_same = msgspec.json.Encoder(order="deterministic")  # whatever the order in which properties were written
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def read_batch(body: bytes, now: datetime) -> tuple[list[NewEvent], list[int], list[Rejected]]:
    """The good events of a batch, their places in it, and the rejected ones. Raises Refused for a wrong envelope."""
    good, places, rejected = [], [], []
    plain = b"\\" not in body and b"\x7f" not in body  # JSON writes other control characters with a backslash
    for index, event in enumerate(_apart(body)):
        try:
            good.append(new_event(_events.decode(event) if isinstance(event, Raw) else event, now, plain=plain))
            places.append(index)
        except ValueError as error:  # msgspec's errors among them
            rejected.append(Rejected(index=index, problem=told(error, "event")))
        except RecursionError:
            rejected.append(Rejected(index=index, problem=f"event: {TOO_DEEP}"))
    return good, places, rejected


def _apart(body: bytes) -> Sequence[EventToTakeIn | Raw]:
    """The events of a batch, read in one go; as they are written when one is wrong, to find out which."""
    try:
        return _batches.decode(body).events
    except (ValueError, RecursionError):
        return decoded(_envelopes, body, "event").events


def new_event(event: EventToTakeIn, now: datetime, *, plain: bool = False) -> NewEvent:
    """An event whose fields are of their types, checked further. Raises ValueError as `field: sentence`.

    It is `plain` when no control character can be in it.
    """
    if not plain and _CONTROL.search(event.event_id + event.customer_id + event.name + event.source + event.about):
        raise ValueError(f"{_field_with_control(event)}: holds a control character")
    properties = _same.encode(event.properties)
    if wrong := problem_in(properties, event.properties):
        raise ValueError(f"properties: {wrong}")
    if len(event.properties) > MOST_PROPERTIES or len(properties) > LARGEST_PROPERTIES:
        raise ValueError(f"properties: at most {MOST_PROPERTIES}, and {LARGEST_PROPERTIES // 1024} KiB altogether")
    if event.name in RESTRICTIONS:
        _check_restriction(event.properties)
    occurred_at = _instant(event.occurred_at, now)
    said = [event.customer_id, event.name, event.occurred_at and occurred_at, event.about, event.source]
    return NewEvent(
        event_id=event.event_id,
        customer_id=event.customer_id,
        name=event.name,
        occurred_at=occurred_at,
        received_at=now,
        source=event.source,
        about=event.about,
        properties=properties,
        digest=hashlib.sha256(msgspec.json.encode(said) + properties).digest(),
    )


def _field_with_control(event: EventToTakeIn) -> str:
    fields = ("event_id", "customer_id", "name", "source", "about")
    return next(field for field in fields if _CONTROL.search(getattr(event, field)))


def _instant(given: datetime | None, now: datetime) -> datetime:
    if given is None:
        return now
    if given > now + AHEAD:
        raise ValueError("occurred_at: is more than 24 hours in the future")
    if given < EARLIEST:
        raise ValueError("occurred_at: is before 1970")
    return given.astimezone(UTC)


def _check_restriction(properties: dict[str, Any]) -> None:
    if not isinstance(properties.get("address", ""), str):
        raise ValueError("properties.address: must be the address itself, as text")
    channel = properties.get("channel")
    if channel is not None and channel not in [each.value for each in Channel]:
        known = ", ".join(channel.value for channel in Channel)
        raise ValueError(f"properties.channel: is no channel; name one of {known}, or leave it out for all")
