"""SQL for events that wait to be projected, and for what becomes of them: a number each, or quarantine."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database.statements import text
from domain.events import Event


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Somebody who has events to project, and how many: the company's id, and ours if they are known."""

    customer_id: str
    customer: str | None
    events: int


async def customers(connection: AsyncConnection, limit: int) -> list[Waiting]:
    """Some customers who have events to project."""
    rows = await connection.execute(
        text("""
            SELECT waiting.customer_id, c.id AS customer, waiting.events FROM (
                SELECT customer_id, count(*) AS events FROM events WHERE number IS NULL AND quarantined IS NULL
                GROUP BY customer_id ORDER BY customer_id LIMIT :some
            ) AS waiting LEFT JOIN customers c ON c.customer_id = waiting.customer_id ORDER BY waiting.customer_id
        """),
        {"some": limit},
    )
    return [Waiting(**row) for row in rows.mappings()]


# Of customers, under whichever of the company's ids.
_PENDING = """number IS NULL AND quarantined IS NULL AND customer_id = ANY(ARRAY(
    SELECT c.customer_id FROM customers c WHERE c.id {whose}
    UNION ALL SELECT a.customer_id FROM customer_aliases a WHERE a.customer {whose}))"""
PENDING = _PENDING.format(whose="= :customer")


@dataclass(frozen=True, kw_only=True)
class Pending:
    """What of customers waits, in the order in which it happened; apart, what cannot even be read, and why."""

    events: dict[str, list[Event]]
    unreadable: list[tuple[str, Event, str]]


async def of(connection: AsyncConnection, customers: Sequence[str]) -> Pending:
    """Customers' unprojected events, by customer."""
    rows = await connection.execute(
        text(f"""
            SELECT coalesce((SELECT c.id FROM customers c WHERE c.customer_id = e.customer_id),
                    (SELECT a.customer FROM customer_aliases a WHERE a.customer_id = e.customer_id)) AS customer,
                id, event_id, name, occurred_at, received_at, source, about, properties::text FROM events e
            WHERE {_PENDING.format(whose="= ANY(:customers)")} ORDER BY occurred_at, event_id
        """),  # noqa: S608  our own words
        {"customers": list(customers)},
    )
    found = Pending(events={}, unreadable=[])
    for row in map(dict, rows.mappings()):
        customer, properties = row.pop("customer"), row.pop("properties")
        try:
            event = Event(**row, properties=msgspec.json.decode(properties, type=dict[str, Any]))
        except (msgspec.DecodeError, RecursionError) as error:  # PostgreSQL keeps numbers that no program can hold
            found.unreadable.append((customer, Event(**row), type(error).__name__))
            continue
        found.events.setdefault(customer, []).append(event)
    return found


async def whose(connection: AsyncConnection, customers: Sequence[str]) -> list[str]:
    """Which of these customers (our ids) have events to project, under whichever of the company's ids."""
    rows = await connection.execute(
        text("""
            SELECT DISTINCT named.id FROM (
                SELECT c.id, c.customer_id FROM customers c WHERE c.id = ANY(:customers)
                UNION ALL SELECT a.customer, a.customer_id FROM customer_aliases a WHERE a.customer = ANY(:customers)
            ) AS named JOIN events e ON e.customer_id = named.customer_id
            WHERE e.number IS NULL AND e.quarantined IS NULL ORDER BY named.id
        """),
        {"customers": list(customers)},
    )
    return [row.id for row in rows]


async def still(connection: AsyncConnection, event: UUID) -> bool:
    """Whether an event still waits. The caller holds its customer's lock."""
    rows = await connection.execute(
        text("SELECT 1 FROM events WHERE id = :id AND number IS NULL AND quarantined IS NULL"), {"id": event}
    )
    return rows.first() is not None


async def quarantine(connection: AsyncConnection, customer: str, event: UUID, problem: str) -> None:
    """Set a poison event aside, with what was wrong with it."""
    await connection.execute(
        text("UPDATE events SET customer = :customer, quarantined = :problem WHERE id = :id"),
        {"customer": customer, "problem": problem, "id": event},
    )
