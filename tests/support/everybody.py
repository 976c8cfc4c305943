"""A segment that needs no rule: everybody."""

from collections.abc import Sequence

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.errors import NotFound


class Everybody:
    """Members, as `services.audiences` asks for them. There is one segment, `everybody`."""

    async def members(self, connection: AsyncConnection, name: str, *, after: str, limit: int) -> Sequence[RowMapping]:
        """Everybody who was not erased."""
        if name != "everybody":
            raise NotFound("segment", name)
        query = text("""
            SELECT id, customer_id FROM customers WHERE id > :after AND erased_at IS NULL ORDER BY id LIMIT :limit
        """)
        return (await connection.execute(query, {"after": after, "limit": limit})).mappings().all()
