"""SQL that lets go of machinery's past: what was told to Temporal, and answers kept for repeats. Real time."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

TOLD_FOR = "7 days"
ANSWERS_FOR = "48 hours"  # callers are promised 24


async def purge(connection: AsyncConnection, limit: int) -> int:
    """Delete at most `limit` rows of each, the oldest first. Answers how many went."""
    told = await connection.execute(
        text(f"""
            DELETE FROM dispatches WHERE id IN (
                SELECT id FROM dispatches WHERE done_at < now() - interval '{TOLD_FOR}'
                ORDER BY done_at LIMIT :limit FOR UPDATE SKIP LOCKED)
        """),  # noqa: S608  a constant
        {"limit": limit},
    )
    answers = await connection.execute(
        text(f"""
            DELETE FROM idempotency_keys WHERE (api_key, key) IN (
                SELECT api_key, key FROM idempotency_keys WHERE created_at < now() - interval '{ANSWERS_FOR}'
                ORDER BY created_at LIMIT :limit FOR UPDATE SKIP LOCKED)
        """),  # noqa: S608  a constant
        {"limit": limit},
    )
    return int(told.rowcount + answers.rowcount)
