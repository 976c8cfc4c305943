"""SQL for events: stored once, projected once, in order."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database.statements import text
from domain.events import OURS, Event


class NewEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False):  # made by the thousand
    """An event as it is handed over, checked. `digest` tells the same body from another one."""

    event_id: str
    customer_id: str
    name: str
    occurred_at: datetime
    received_at: datetime
    source: str
    about: str
    properties: bytes
    digest: bytes


def told_once(
    event_id: str,
    *,
    customer_id: str,
    name: str,
    at: datetime,
    source: str,
    properties: Mapping[str, Any],
    about: str = "",
    received_at: datetime | None = None,
) -> NewEvent:
    """An event that we make ourselves. Its id says what it is: told again, it is the same, whenever that may be."""
    return NewEvent(
        event_id=event_id,
        customer_id=customer_id,
        name=name,
        occurred_at=at,
        received_at=received_at or at,
        source=source,
        about=about,
        properties=msgspec.json.encode(properties),
        digest=hashlib.sha256(event_id.encode()).digest(),
    )


# Each column comes as one text and is taken apart here: an array's elements are looked at one by one by the driver,
# which took a quarter of the time that a batch takes.
_INSERT = """
    INSERT INTO events (event_id, customer_id, name, occurred_at, received_at, source, about, properties, digest)
    SELECT event_id, customer_id, name, occurred_at::timestamptz, received_at::timestamptz, source, coalesce(about, ''),
        properties::jsonb, decode(digest, 'hex')
    FROM unnest(string_to_array($1, $10), string_to_array($2, $10), string_to_array($3, $10), string_to_array($4, $10),
        string_to_array($5, $10), string_to_array($6, $10), string_to_array($7, $10), string_to_array($8, $10),
        string_to_array($9, $10))
        AS given (event_id, customer_id, name, occurred_at, received_at, source, about, properties, digest)
    ON CONFLICT (event_id) DO NOTHING
    RETURNING event_id
"""
_DIGESTS = "SELECT event_id, digest FROM events WHERE event_id = ANY($1::text[])"
_MARKS = ("\x1f", *map(chr, range(0xE000, 0xF900)))  # to stand between values: one that is in none of them


async def insert(connection: AsyncConnection, events: Sequence[NewEvent]) -> set[str]:
    """Store a batch whose event ids differ. Answers the ids of those that were new."""
    return set((await connection.exec_driver_sql(_INSERT, _columns(events))).scalars()) if events else set()


async def insert_to_apply(connection: AsyncConnection, events: Sequence[NewEvent]) -> dict[str, Event]:
    """As `insert`, of events that are applied in this very transaction. Answers the new ones by their ids."""
    rows = await connection.exec_driver_sql(f"{_INSERT}, id", _columns(events)) if events else ()
    ids = {row.event_id: row.id for row in rows}
    return {
        e.event_id: Event(
            id=ids[e.event_id],
            event_id=e.event_id,
            name=e.name,
            occurred_at=e.occurred_at,
            received_at=e.received_at,
            source=e.source,
            about=e.about,
            properties=msgspec.json.decode(e.properties),
        )
        for e in events
        if e.event_id in ids
    }


async def insert_alone(connection: "asyncpg.Connection[Any]", events: Sequence[NewEvent]) -> set[str]:
    """As `insert`, in a transaction of its own."""
    return {row[0] for row in await connection.fetch(_INSERT, *_columns(events))} if events else set()


def _columns(events: Sequence[NewEvent]) -> tuple[str, ...]:
    """Always in the order of the ids: two batches that share events would otherwise wait for each other."""
    events = sorted(events, key=attrgetter("event_id"))
    columns = (
        [e.event_id for e in events],
        [e.customer_id for e in events],
        [e.name for e in events],
        _written([e.occurred_at for e in events]),
        _written([e.received_at for e in events]),
        [e.source for e in events],
        [e.about for e in events],
        [e.properties.decode() for e in events],
        [e.digest.hex() for e in events],
    )
    for mark in _MARKS:
        joined = [mark.join(column) for column in columns]
        if all(text.count(mark) == len(events) - 1 for text in joined):
            return (*joined, mark)
    raise ValueError("no mark is left to stand between values")


def _written(instants: Sequence[datetime]) -> list[str]:
    """RFC 3339, a tenth of `isoformat`'s time."""
    return msgspec.json.encode(instants).decode()[2:-2].split('","')


async def digests(connection: AsyncConnection, event_ids: Sequence[str]) -> dict[str, bytes]:
    """The digests of stored events, by event id."""
    rows = await connection.exec_driver_sql(_DIGESTS, (list(event_ids),))
    return {row.event_id: row.digest for row in rows}


async def waiting(connection: AsyncConnection, customer_id: str) -> Sequence[RowMapping]:
    """What waits under one of the company's ids."""
    rows = await connection.execute(
        text("""
            SELECT id, event_id, occurred_at, received_at, source FROM events
            WHERE customer_id = :customer_id AND number IS NULL AND quarantined IS NULL
        """),
        {"customer_id": customer_id},
    )
    return rows.mappings().all()


async def drop(connection: AsyncConnection, ids: Sequence[UUID]) -> None:
    """Unsay events that nothing followed from."""
    await connection.execute(text("DELETE FROM events WHERE id = ANY(:ids) AND number IS NULL"), {"ids": list(ids)})


# As `Plan.about_of` reads it: the property of that name where it is a word or a whole number, else the event's `about`.
CONCERNS = """CASE WHEN jsonb_typeof(properties -> :kind) = 'string'
        OR properties ->> :kind ~ '^-?[0-9]+$' THEN properties ->> :kind
    ELSE about END = :about"""


async def newest(connection: AsyncConnection, customer: str, limit: int) -> list[Event]:
    """What a customer's story came to last, the newest first."""
    rows = await connection.execute(
        text("""
            SELECT id, event_id, name, occurred_at, received_at, source, about, properties FROM events
            WHERE customer = :customer AND number > 0 ORDER BY number DESC LIMIT :limit
        """),
        {"customer": customer, "limit": limit},
    )
    return [Event(**row) for row in rows.mappings()]


async def missed(
    connection: AsyncConnection,
    *,
    customer: str,
    after: int,
    names: Sequence[str],
    about: tuple[str, str] | None,
    limit: int,
) -> list[tuple[int, Event]]:
    """The newest projected events of some names after a number, oldest first, with their numbers.

    `about` is a kind of thing and which of them: ("cart", "C-9").
    """
    kind, thing = about or ("", None)
    rows = await connection.execute(
        text(f"""
            SELECT * FROM (
                SELECT number, id, event_id, name, occurred_at, received_at, source, about, properties FROM events
                WHERE customer = :customer AND number > :after AND name = ANY(:names)
                  AND (cast(:about AS text) IS NULL OR {CONCERNS})
                ORDER BY number DESC LIMIT :limit
            ) AS newest ORDER BY number
        """),  # noqa: S608  our own words
        {"customer": customer, "after": after, "names": list(names), "kind": kind, "about": thing, "limit": limit},
    )
    return [(row.pop("number"), Event(**row)) for row in (dict(r) for r in rows.mappings())]


async def append(
    connection: AsyncConnection,
    *,
    customer_id: str,
    name: str,
    at: datetime,
    event_id: str,
    properties: Mapping[str, Any],
    about: str = "",
    received_at: datetime | None = None,
) -> None:
    """Append the event of a command, in the command's own transaction."""
    event = told_once(
        event_id,
        customer_id=customer_id,
        name=name,
        at=at,
        source=OURS,
        properties=properties,
        about=about,
        received_at=received_at,
    )
    await insert(connection, [event])
