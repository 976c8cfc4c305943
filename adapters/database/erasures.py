"""SQL for erasures: who was erased, and what of an event's trace is left."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database.personal import HELD


async def insert(connection: AsyncConnection, keys: Sequence[UUID], customer: str, at: datetime) -> None:
    """Remember an erasure by the keyed surrogates of all the company's ids of a customer."""
    await connection.execute(
        text("""
            INSERT INTO erasures (key, customer, at)
            SELECT key, :customer, :at FROM unnest(cast(:keys AS uuid[])) AS given (key) ON CONFLICT DO NOTHING
        """),
        {"keys": list(keys), "customer": customer, "at": at},
    )


async def latest(connection: AsyncConnection, keys: Sequence[UUID]) -> Mapping[UUID, RowMapping]:
    """The latest erasure under each of these keys."""
    rows = await connection.execute(
        text("SELECT DISTINCT ON (key) key, customer, at FROM erasures WHERE key = ANY(:keys) ORDER BY key, at DESC"),
        {"keys": list(keys)},
    )
    return {row["key"]: row for row in rows.mappings()}


async def every(connection: AsyncConnection) -> Sequence[RowMapping]:
    """All erasures, oldest first: what is replayed on a restored backup."""
    rows = await connection.execute(text("SELECT key, customer, at FROM erasures ORDER BY at, key"))
    return rows.mappings().all()


async def company_ids(connection: AsyncConnection, customer: str) -> list[str]:
    """All the company's ids of a customer, those of merged profiles among them."""
    rows = await connection.execute(
        text("""
            SELECT customer_id FROM customers WHERE id = :customer
            UNION ALL SELECT customer_id FROM customer_aliases WHERE customer = :customer
        """),
        {"customer": customer},
    )
    return [row.customer_id for row in rows]


async def addresses(connection: AsyncConnection, customer: str) -> Sequence[tuple[str, str]]:
    """Where a customer was written to or wrote from, by channel: also addresses that the profile does not have."""
    rows = await connection.execute(
        text("""
            SELECT channel, recipient FROM sends
            WHERE customer = :customer AND channel IS NOT NULL AND recipient IS NOT NULL
            UNION SELECT channel, address FROM addresses WHERE customer = :customer
        """),
        {"customer": customer},
    )
    return [(row.channel, row.recipient) for row in rows]


async def settle_pending(connection: AsyncConnection, customer: str) -> None:
    """Count events that wait as applied; nothing follows from them any more."""
    numbered = await connection.execute(
        text(f"""
            UPDATE events SET customer = :customer, number = given.number FROM (
                SELECT id, (SELECT events FROM customers WHERE id = :customer)
                    + row_number() OVER (ORDER BY occurred_at, event_id) AS number
                FROM events WHERE number IS NULL AND quarantined IS NULL AND {HELD["events"].of}
            ) AS given WHERE events.id = given.id RETURNING 1
        """),  # noqa: S608  our own words
        {"customer": customer},
    )
    await connection.execute(
        text("UPDATE customers SET events = events + :more WHERE id = :customer"),
        {"customer": customer, "more": len(numbered.all())},
    )


async def event_ids(connection: AsyncConnection, customer: str) -> Sequence[tuple[UUID, str]]:
    """A customer's events, by row id, with the sender's ids."""
    rows = await connection.execute(
        text("SELECT id, event_id FROM events WHERE customer = :customer"), {"customer": customer}
    )
    return [(row.id, row.event_id) for row in rows]


async def rename_events(connection: AsyncConnection, names: Sequence[tuple[UUID, str]]) -> None:
    """Replace the sender's ids of events."""
    await connection.execute(
        text("""
            UPDATE events SET event_id = given.name
            FROM unnest(cast(:ids AS uuid[]), cast(:names AS text[])) AS given (id, name) WHERE events.id = given.id
        """),
        {"ids": [i for i, _ in names], "names": [n for _, n in names]},
    )
