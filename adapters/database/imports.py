"""SQL for imports: what was handed over in files, and which of its rows were wrong."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database.statements import text


async def insert(connection: AsyncConnection, kind: str, actor: str, actor_name: str, at: datetime) -> str:
    """An import that begins. Answers its id."""
    rows = await connection.execute(
        text("""
            INSERT INTO imports (kind, state, actor, actor_name, at) VALUES (:kind, 'running', :actor, :name, :at)
            RETURNING id
        """),
        {"kind": kind, "actor": actor, "name": actor_name, "at": at},
    )
    return str(rows.scalar_one())


async def count(connection: AsyncConnection, import_: str, rows: int, stored: int, known: int, wrong: int) -> None:
    """How far it is."""
    await connection.execute(
        text("UPDATE imports SET rows = :rows, stored = :stored, known = :known, wrong = :wrong WHERE id = :id"),
        {"id": import_, "rows": rows, "stored": stored, "known": known, "wrong": wrong},
    )


async def end(connection: AsyncConnection, import_: str, state: str, at: datetime) -> None:
    """It is done, or broken off."""
    await connection.execute(
        text("UPDATE imports SET state = :state, ended_at = :at WHERE id = :id"),
        {"id": import_, "state": state, "at": at},
    )


async def insert_problems(
    connection: AsyncConnection, import_: str, problems: Sequence[tuple[int, str, str]], *, after: int
) -> None:
    """What is wrong with rows: line, field, words; numbered on from `after`."""
    if not problems:
        return
    await connection.execute(
        text("""
            INSERT INTO import_problems (import, number, line, field, problem)
            SELECT :import, :after + number, line, field, problem
            FROM unnest(cast(:lines AS int[]), cast(:fields AS text[]), cast(:problems AS text[]))
                WITH ORDINALITY AS given (line, field, problem, number)
        """),
        {
            "import": import_,
            "after": after,
            "lines": [line for line, _, _ in problems],
            "fields": [field for _, field, _ in problems],
            "problems": [words for _, _, words in problems],
        },
    )


async def get(connection: AsyncConnection, import_: str) -> RowMapping | None:
    """One import."""
    rows = await connection.execute(text("SELECT * FROM imports WHERE id = :id"), {"id": import_})
    return rows.mappings().one_or_none()


async def page(connection: AsyncConnection, *, before: str | None, limit: int) -> Sequence[RowMapping]:
    """Imports, newest first, from before one's id."""
    rows = await connection.execute(
        text("""
            SELECT * FROM imports WHERE cast(:before AS text) IS NULL OR id < :before ORDER BY id DESC LIMIT :limit
        """),
        {"before": before, "limit": limit},
    )
    return rows.mappings().all()


async def problems(connection: AsyncConnection, import_: str, *, limit: int | None = None) -> AsyncIterator[RowMapping]:
    """What is wrong with its rows, in their order."""
    found = await connection.stream(
        text("SELECT line, field, problem FROM import_problems WHERE import = :id ORDER BY number LIMIT :limit"),
        {"id": import_, "limit": limit},
        execution_options={"yield_per": 1000},
    )
    async for row in found.mappings():
        yield row
