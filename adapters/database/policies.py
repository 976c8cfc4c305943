"""SQL for the contact policy: every version that was ever set, the newest in force."""

import functools
from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.contact_policy import ContactPolicy


async def newest(connection: AsyncConnection) -> RowMapping | None:
    """The version in force, with its number, time and actor."""
    rows = await connection.execute(
        text("SELECT version, at, actor, policy::text AS policy FROM contact_policies ORDER BY version DESC LIMIT 1")
    )
    return rows.mappings().one_or_none()


async def lock(connection: AsyncConnection) -> None:
    """Keep others from setting one until the end of the transaction. Sends go on reading the version in force."""
    await connection.execute(text("LOCK TABLE contact_policies IN SHARE ROW EXCLUSIVE MODE"))


async def insert(connection: AsyncConnection, policy: ContactPolicy, *, actor: str, at: datetime) -> int:
    """A new version. Answers its number."""
    rows = await connection.execute(
        text("""
            INSERT INTO contact_policies (at, actor, policy) VALUES (:at, :actor, cast(:policy AS jsonb))
            RETURNING version
        """),
        {"at": at, "actor": actor, "policy": msgspec.json.encode(policy).decode()},
    )
    return int(rows.scalar_one())


@functools.lru_cache(maxsize=4)  # under each send
def read(stored: str) -> ContactPolicy:
    """A stored policy. A field that it does not have yet has its default."""
    return msgspec.json.decode(stored, type=ContactPolicy)


async def wishes(connection: AsyncConnection, *, since: datetime, limit: int) -> Sequence[RowMapping]:
    """What was to go since then and minds the policy, oldest first, with what the rules about time ask for."""
    rows = await connection.execute(
        text("""
            SELECT s.id, s.customer, s.kind, s.channel, s.wished_at, s.expires_at, c.timezone, c.phone, c.attributes,
                   c.orders, c.last_active_at, c.frequency,
                   EXISTS (SELECT FROM rfm WHERE rfm.customer = c.id AND rfm.vip) AS vip
            FROM sends s JOIN customers c ON c.id = s.customer
            WHERE s.wished_at >= :since AND s.leg = 0 AND s.purpose <> 'transactional'
              AND s.state IN ('deferred', 'reserved', 'claimed', 'accepted', 'unknown', 'expired', 'failed')
            ORDER BY s.wished_at, s.id LIMIT :limit
        """),
        {"since": since, "limit": limit},
    )
    return rows.mappings().all()
