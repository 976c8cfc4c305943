"""SQL that forgets visitors without a name who come no more (docs/visitors.md)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database.statements import text
from adapters.database.tables import metadata
from domain.visits import PREFIX, VISITOR

# What a visitor leaves behind by looking around. Whoever has a row anywhere else is more than that, and stays.
TRACES = ("decisions", "segment_members", "stage_visits", "events")
_CUSTOMERS = metadata.tables["customers"]
_MORE = sorted(
    (table.name, key.parent.name)
    for table in metadata.tables.values()
    for key in table.foreign_keys
    if key.column.table is _CUSTOMERS and table.name not in TRACES
)
_SILENT = f"""
    c.customer_id LIKE '{PREFIX}%' AND c.customer_id ~ '^{PREFIX}{VISITOR.pattern}$'
    AND greatest(c.last_active_at, c.first_seen_at) < :before
    AND c.email IS NULL AND c.phone IS NULL AND c.owner IS NULL AND c.company IS NULL
    AND c.orders = 0 AND c.attributes = '{{}}' AND c.needs = '{{}}'
"""


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """How many of some visitors were forgotten; the last of whom is `last`, None when there were none."""

    last: str | None
    forgotten: int


async def forget(connection: AsyncConnection, *, before: datetime, after: str, some: int) -> Chunk:
    """Delete those of the next `some` visitors after one (our id) who were last seen before an instant.

    Nothing is deleted of whom somebody else is at work on, or of whom something waits to be projected. Each takes a
    lock, of which PostgreSQL has some thousands: let `some` be hundreds.
    """
    found = await connection.execute(
        text(f"""
            WITH visitors AS MATERIALIZED (
                SELECT * FROM customers c WHERE c.customer_id LIKE '{PREFIX}%' AND c.id > :after
                ORDER BY c.id LIMIT :some
            ), silent AS MATERIALIZED (SELECT c.id FROM visitors c WHERE {_SILENT})
            SELECT (SELECT max(id) FROM visitors) AS last, ARRAY(
                SELECT id FROM silent WHERE pg_try_advisory_xact_lock(hashtextextended(id, 0))) AS ids
        """),  # noqa: S608  our own words
        {"before": before, "after": after, "some": some},
    )
    chunk = found.one()
    gone = await _with_nothing_more(connection, chunk.ids, before) if chunk.ids else []
    for table in TRACES if gone else ():
        await connection.execute(text(f"DELETE FROM {table} WHERE customer = ANY(:ids)"), {"ids": gone})  # noqa: S608
    await connection.execute(text("DELETE FROM customers WHERE id = ANY(:ids)"), {"ids": gone})
    return Chunk(last=chunk.last, forgotten=len(gone))


async def _with_nothing_more(connection: AsyncConnection, ids: Sequence[str], before: datetime) -> list[str]:
    """Which of these, whose locks are held, are still silent, and have left nothing but traces."""
    nothing = "".join(f" AND NOT EXISTS (SELECT FROM {table} m WHERE m.{column} = c.id)" for table, column in _MORE)
    rows = await connection.execute(
        text(f"""
            SELECT c.id FROM customers c WHERE c.id = ANY(:ids) AND {_SILENT} {nothing}
                AND NOT EXISTS (SELECT FROM events e WHERE e.customer_id = c.customer_id
                    AND e.number IS NULL AND e.quarantined IS NULL)
        """),  # noqa: S608  our own words
        {"ids": list(ids), "before": before},
    )
    return [row.id for row in rows]
