"""SQL for the ledger: one row for each message intended for one customer at one step."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database.statements import text
from domain.sends import Reaction, SendState

_REACTION = text("""
    SELECT CASE
        WHEN bool_or(EXISTS (SELECT FROM hits h WHERE h.send = s.id AND h.kind = 'click' AND h.grade = 'human'))
            THEN 'clicked'
        WHEN bool_or(seen_at IS NOT NULL) THEN 'seen'
        WHEN bool_or(state IN ('accepted', 'unknown')) THEN 'not_seen'
        ELSE 'not_sent'
    END
    FROM sends s
    WHERE enrollment = :enrollment AND message = :message
      AND visit = (SELECT max(visit) FROM sends WHERE enrollment = :enrollment AND message = :message)
""")


async def get(connection: AsyncConnection, send: UUID) -> RowMapping | None:
    """One send."""
    rows = await connection.execute(text("SELECT * FROM sends WHERE id = :id"), {"id": send})
    return rows.mappings().one_or_none()


async def one(connection: AsyncConnection, send: UUID) -> RowMapping:
    """One send that is surely there."""
    return (await connection.execute(text("SELECT * FROM sends WHERE id = :id"), {"id": send})).mappings().one()


async def put(connection: AsyncConnection, row: dict[str, Any]) -> None:
    """Write where a send stands after a look at the policy: a new row, or the old one moved on."""
    await connection.execute(
        text("""
            INSERT INTO sends (id, enrollment, customer, message, visit, leg, purpose, kind, priority, state, channel,
                               wished_at, expires_at, slot_at, rule)
            VALUES (:id, :enrollment, :customer, :message, :visit, :leg, :purpose, :kind, :priority, :state, :channel,
                    :wished_at, :expires_at, :slot_at, :rule)
            ON CONFLICT (id) DO UPDATE SET state = excluded.state, channel = excluded.channel,
                slot_at = excluded.slot_at, rule = excluded.rule
        """),
        row,
    )


async def mark_seen(connection: AsyncConnection, send: UUID, at: datetime) -> None:
    """Its customer has certainly seen it; the first time counts."""
    await connection.execute(
        text("UPDATE sends SET seen_at = :at WHERE id = :id AND seen_at IS NULL"), {"id": send, "at": at}
    )


async def reaction(connection: AsyncConnection, enrollment: str, message: str) -> Reaction:
    """What became of the last visit of a message: whether it went out, was surely seen by any leg, was clicked."""
    rows = await connection.execute(_REACTION, {"enrollment": enrollment, "message": message})
    return Reaction(rows.scalar_one())


async def set_state(connection: AsyncConnection, send: UUID, state: SendState, rule: str) -> None:
    """Move a send on."""
    await connection.execute(
        text("UPDATE sends SET state = :state, rule = :rule WHERE id = :id"),
        {"id": send, "state": state.value, "rule": rule},
    )


async def claim(
    connection: AsyncConnection,
    send: UUID,
    *,
    fence: UUID,
    at: datetime,
    gateway: str,
    recipient: str,
    rendered: dict[str, Any],
    links: Sequence[str],
) -> bool:
    """Take a reserved send for one call. False when it is no longer reserved."""
    rows = await connection.execute(
        text("""
            UPDATE sends SET state = 'claimed', fence = :fence, claimed_at = clock_timestamp(), called_at = :at,
                gateway = :gateway, recipient = :recipient, rendered = cast(:rendered AS jsonb),
                links = cast(:links AS text[])
            WHERE id = :id AND state = 'reserved' RETURNING 1
        """),
        {
            "id": send,
            "fence": fence,
            "at": at,
            "gateway": gateway,
            "recipient": recipient,
            "rendered": msgspec.json.encode(rendered).decode(),
            "links": list(links),
        },
    )
    return rows.first() is not None


async def record(
    connection: AsyncConnection,
    send: UUID,
    *,
    fence: UUID,
    state: SendState,
    rule: str,
    provider_id: str | None,
) -> bool:
    """Store a call's result, if the claim is still this caller's. A late result may still resolve an unknown one, and
    an acceptance proves wrong that the text never arrived."""
    rows = await connection.execute(
        text("""
            UPDATE sends SET state = :state, rule = :rule, provider_id = :provider_id
            WHERE id = :id AND fence = :fence AND (state IN ('claimed', 'unknown')
                OR cast(:state AS text) = 'accepted' AND state = 'failed' AND rule = 'never_arrived')
            RETURNING 1
        """),
        {"id": send, "fence": fence, "state": state.value, "rule": rule, "provider_id": provider_id},
    )
    return rows.first() is not None


async def abandoned(connection: AsyncConnection, older_than: timedelta, limit: int) -> Sequence[RowMapping]:
    """Claims whose caller never came back."""
    rows = await connection.execute(
        text("""
            SELECT id FROM sends
            WHERE state = 'claimed' AND claimed_at < now() - make_interval(secs => :seconds)
            ORDER BY claimed_at LIMIT :limit
        """),
        {"seconds": older_than.total_seconds(), "limit": limit},
    )
    return rows.mappings().all()


async def waiting(connection: AsyncConnection, enrollment: str) -> bool:
    """Whether a send of this enrollment is held."""
    rows = await connection.execute(
        text("SELECT EXISTS (SELECT 1 FROM sends WHERE enrollment = :id AND state = 'held')"), {"id": enrollment}
    )
    return bool(rows.scalar_one())


async def unresolved(
    connection: AsyncConnection, gateways: Sequence[str], since: datetime, limit: int
) -> Sequence[RowMapping]:
    """Sends whose outcome nobody knows, claimed (business time) after an instant, of gateways that can be asked."""
    rows = await connection.execute(
        text("""
            SELECT id, customer FROM sends
            WHERE state = 'unknown' AND gateway = ANY(:gateways) AND called_at > :since
            ORDER BY claimed_at LIMIT :limit
        """),
        {"gateways": list(gateways), "since": since, "limit": limit},
    )
    return rows.mappings().all()


async def first_untaken(connection: AsyncConnection, gateway: str, provider_ids: Sequence[str]) -> str | None:
    """The first of a provider's ids that no send of ours has: two texts may say the same."""
    rows = await connection.execute(
        text("""
            SELECT given.id FROM unnest(cast(:ids AS text[])) WITH ORDINALITY AS given (id, place)
            WHERE NOT EXISTS (SELECT 1 FROM sends s WHERE s.gateway = :gateway AND s.provider_id = given.id)
            ORDER BY place LIMIT 1
        """),
        {"gateway": gateway, "ids": list(provider_ids)},
    )
    found: str | None = rows.scalar_one_or_none()
    return found
