"""SQL for notes: what colleagues wrote down about a customer."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database.statements import text


async def insert(
    connection: AsyncConnection, customer: str, *, author: str, author_name: str, words: str, at: datetime
) -> RowMapping:
    """A new note."""
    rows = await connection.execute(
        text("""
            INSERT INTO notes (customer, author, author_name, text, at)
            VALUES (:customer, :author, :author_name, :words, :at) RETURNING *
        """),
        {"customer": customer, "author": author, "author_name": author_name, "words": words, "at": at},
    )
    return rows.mappings().one()


async def page(connection: AsyncConnection, customer: str, *, before: UUID | None, limit: int) -> Sequence[RowMapping]:
    """A customer's notes, newest first, before one."""
    rows = await connection.execute(
        text("""
            SELECT * FROM notes WHERE customer = :customer AND (cast(:before AS uuid) IS NULL OR id < :before)
            ORDER BY id DESC LIMIT :limit
        """),
        {"customer": customer, "before": before, "limit": limit},
    )
    return rows.mappings().all()
