"""SQL for the ledger: one row for each message intended for one customer at one step."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.sending import SendRequest
from adapters.database.statements import text
from domain.contact_policy import Kind, Touch
from domain.messages import Channel, Purpose
from domain.sends import TOUCHING, SendState


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


# A cascade is one touch, at the first leg that may have reached the customer.
_FIRST_LEG = """NOT EXISTS (
    SELECT 1 FROM sends b WHERE b.enrollment = s.enrollment AND b.message = s.message AND b.visit = s.visit
      AND b.leg < s.leg AND b.state = ANY(:touching))"""
_OF_ANOTHER_STEP = "NOT (s.enrollment = :enrollment AND s.message = :message AND s.visit = :visit)"


async def touches(
    connection: AsyncConnection, request: SendRequest, *, around: datetime, within: timedelta, priority: int
) -> tuple[Touch, ...]:
    """When this customer was or may be touched by other steps, near an instant: also by what waits for a slot with a
    higher priority (a lower number). Transactional messages are not touches (S90)."""
    rows = await connection.execute(
        text(f"""
            SELECT slot_at, kind, channel FROM sends s
            WHERE customer = :customer AND {_OF_ANOTHER_STEP} AND {_FIRST_LEG}
              AND (state = ANY(:touching) OR (state = 'deferred' AND priority < :priority))
              AND purpose <> :exempt AND slot_at > :since AND slot_at < :until ORDER BY slot_at
        """),  # noqa: S608  our own words
        {
            **_step(request),
            "touching": [state.value for state in TOUCHING],
            "exempt": Purpose.TRANSACTIONAL.value,
            "since": around - within,
            "until": around + within,
            "priority": priority,
        },
    )
    return tuple(
        Touch(at=row.slot_at, kind=Kind(row.kind), channel=Channel(row.channel) if row.channel else None)
        for row in rows
    )


async def values_since_offer(connection: AsyncConnection, request: SendRequest) -> int:
    """How many messages of value this customer was sent since the last offer (S84)."""
    rows = await connection.execute(
        text(f"""
            SELECT count(*) FROM sends s
            WHERE customer = :customer AND purpose = 'value' AND state = ANY(:touching) AND {_FIRST_LEG}
              AND slot_at > coalesce((
                SELECT max(slot_at) FROM sends s
                WHERE customer = :customer AND purpose = 'offer' AND state = ANY(:touching) AND {_OF_ANOTHER_STEP}
              ), '-infinity')
        """),  # noqa: S608  our own words
        {**_step(request), "touching": [state.value for state in TOUCHING]},
    )
    return int(rows.scalar_one())


async def same_message(
    connection: AsyncConnection, request: SendRequest, *, journey: str, since: datetime
) -> tuple[datetime, ...]:
    """When this customer was sent, or may have been sent, this very message by other steps."""
    rows = await connection.execute(
        text(f"""
            SELECT s.slot_at FROM sends s JOIN enrollments e ON e.id = s.enrollment
            WHERE s.customer = :customer AND s.message = :message AND e.journey = :journey AND {_OF_ANOTHER_STEP}
              AND s.state = ANY(:touching) AND {_FIRST_LEG} AND s.slot_at > :since
        """),  # noqa: S608  our own words
        {
            **_step(request),
            "journey": journey,
            "touching": [state.value for state in TOUCHING],
            "since": since,
        },
    )
    return tuple(row.slot_at for row in rows)


async def earlier_legs(connection: AsyncConnection, request: SendRequest) -> Sequence[RowMapping]:
    """The legs of a step's cascade that came before, in order."""
    rows = await connection.execute(
        text("""
            SELECT state, channel, seen_at, expires_at FROM sends
            WHERE enrollment = :enrollment AND message = :message AND visit = :visit AND leg < :leg ORDER BY leg
        """),
        {**_step(request), "leg": request.leg},
    )
    return rows.mappings().all()


async def mark_seen(connection: AsyncConnection, send: UUID, at: datetime) -> None:
    """Its customer has certainly seen it; the first time counts."""
    await connection.execute(
        text("UPDATE sends SET seen_at = :at WHERE id = :id AND seen_at IS NULL"), {"id": send, "at": at}
    )


def _step(request: SendRequest) -> dict[str, Any]:
    return {
        "customer": request.customer,
        "enrollment": request.enrollment,
        "message": request.message,
        "visit": request.visit,
    }


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
