"""SQL for what projection leaves behind: applied events, where their customers stand, and what their walks heard."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database.statements import text
from domain.consequences import Walk
from domain.standing import Standing

Numbered = tuple[str, UUID, int]
"""Whose event, which, and its number among theirs."""


async def store(
    connection: AsyncConnection, standings: Mapping[str, Standing], numbered: Sequence[Numbered], walks: Sequence[Walk]
) -> None:
    """Customers as they stand now, by our ids; their events as applied; the signal budgets of their walks. All of it in
    one statement, since on the way to the database and back each costs more than its work.
    """
    await connection.execute(
        text("""
            WITH numbered AS (
                UPDATE events SET customer = given.customer, number = given.number
                FROM unnest(cast(:customers AS text[]), cast(:events AS uuid[]), cast(:numbers AS int[]))
                    AS given (customer, id, number)
                WHERE events.id = given.id
            ), heard AS (
                UPDATE enrollments SET signals = given.signals, hearing = given.hearing
                FROM unnest(cast(:walks AS text[]), cast(:signals AS int[]), cast(:hearing AS jsonb[]))
                    AS given (id, signals, hearing)
                WHERE enrollments.id = given.id
            )
            UPDATE customers AS c SET events = s.events, orders = s.orders, revenue = s.revenue,
                last_order_at = s.last_order_at, feature_used_at = s.feature_used_at, activated_at = s.activated_at,
                last_active_at = s.last_active_at, engaged_at = s.engaged_at, engagement = s.engagement,
                engagement_at = s.engagement_at, first_touch = nullif(s.first_touch, 'null'), stage = s.stage,
                stage_since = s.stage_since, trouble = s.trouble
            FROM jsonb_populate_recordset(NULL::customers, cast(:standings AS jsonb)) AS s WHERE c.id = s.id
        """),
        {
            "customers": [customer for customer, _, _ in numbered],
            "events": [event for _, event, _ in numbered],
            "numbers": [number for _, _, number in numbered],
            "walks": [walk.id for walk in walks],
            "signals": [walk.signals for walk in walks],
            "hearing": [msgspec.json.encode(walk.hearing).decode() for walk in walks],
            "standings": msgspec.json.encode([_row(*each) for each in standings.items()]).decode(),
        },
    )


def _row(customer: str, standing: Standing) -> dict[str, object]:
    return {
        "id": customer,
        "events": standing.number,
        "orders": standing.orders,
        "revenue": standing.revenue,
        "last_order_at": standing.last_order_at,
        "feature_used_at": standing.feature_used_at,
        "activated_at": standing.activated_at,
        "last_active_at": standing.last_active_at,
        "engaged_at": standing.engaged_at,
        "engagement": standing.engagement.value,
        "engagement_at": standing.engagement.at,
        "first_touch": standing.first_touch,
        "stage": standing.stage,
        "stage_since": standing.stage_since,
        "trouble": standing.trouble,
    }
