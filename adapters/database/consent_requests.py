"""SQL for consents that were asked for, to be confirmed by whose address it is: events, and no word yet."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database.statements import text
from domain.events import CONSENT_REQUESTED
from domain.messages import Channel

MOST = 10  # shown on one page, the newest


async def newest(connection: AsyncConnection, customer: str, since: datetime) -> Sequence[RowMapping]:
    """The newest requests for email of a customer after an instant, oldest first, each as it was asked."""
    rows = await connection.execute(
        text("""
            SELECT * FROM (
                SELECT id, occurred_at AS at, coalesce(properties ->> 'source', source) AS source,
                    coalesce(properties ->> 'wording', '') AS wording, coalesce(properties ->> 'proof', '') AS proof,
                    properties ->> 'topic' AS topic
                FROM events
                WHERE customer = :customer AND name = :name AND properties ->> 'channel' = :channel
                    AND occurred_at > :since AND number IS NOT NULL
                ORDER BY occurred_at DESC, id LIMIT :most) AS newest
            ORDER BY at, id
        """),
        {
            "customer": customer,
            "name": CONSENT_REQUESTED,
            "channel": Channel.EMAIL.value,
            "since": since,
            "most": MOST,
        },
    )
    return rows.mappings().all()
