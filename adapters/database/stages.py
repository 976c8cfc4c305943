"""SQL for the stages that customers are in, and were."""

from collections.abc import Mapping, Sequence
from itertools import zip_longest

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database.statements import text
from domain.stages import Move


async def enter(connection: AsyncConnection, model: str, moved: Mapping[str, Sequence[Move]]) -> None:
    """Customers went through these stages, one after the other; in the last of them they are."""
    await connection.execute(
        text("""
            UPDATE stage_visits AS v SET exited_at = left_at
            FROM (SELECT at AS left_at, (SELECT id FROM stage_visits o
                        WHERE o.customer = given.customer AND o.model = :model AND o.exited_at IS NULL) AS id
                    FROM unnest(cast(:customers AS text[]), cast(:ats AS timestamptz[])) AS given (customer, at)
                    OFFSET 0) AS last  -- looked up one by one: a join might read all that are open
            WHERE v.id = last.id
        """),
        {"model": model, "customers": list(moved), "ats": [moves[0].at for moves in moved.values()]},
    )
    each = [
        (customer, move, left.at if left else None)
        for customer, moves in moved.items()
        for move, left in zip_longest(moves, moves[1:])
    ]
    await connection.execute(
        text("""
            INSERT INTO stage_visits (customer, model, stage, rank, entered_at, exited_at, cause)
            SELECT customer, :model, stage, rank, entered_at, exited_at, cause
            FROM unnest(cast(:customers AS text[]), cast(:stages AS text[]), cast(:ranks AS int[]),
                        cast(:entered AS timestamptz[]), cast(:exited AS timestamptz[]), cast(:causes AS text[]))
                WITH ORDINALITY AS given (customer, stage, rank, entered_at, exited_at, cause, place)
            ORDER BY place
        """),
        {
            "model": model,
            "customers": [customer for customer, _, _ in each],
            "stages": [move.stage.name for _, move, _ in each],
            "ranks": [move.stage.rank for _, move, _ in each],
            "entered": [move.at for _, move, _ in each],
            "exited": [left for _, _, left in each],
            "causes": [move.by.name for _, move, _ in each],
        },
    )


async def visits(connection: AsyncConnection, customer: str, model: str) -> Sequence[RowMapping]:
    """A customer's way through the stages of a set, the newest first."""
    rows = await connection.execute(
        text("""
            SELECT stage, entered_at, exited_at, cause FROM stage_visits
            WHERE customer = :customer AND model = :model ORDER BY entered_at DESC, id DESC LIMIT 200
        """),
        {"customer": customer, "model": model},
    )
    return rows.mappings().all()


async def counts(connection: AsyncConnection) -> dict[str | None, int]:
    """How many customers are in each stage; None are those in none yet. Nobody who was erased is counted."""
    rows = await connection.execute(
        text("SELECT stage, count(*) AS customers FROM customers WHERE erased_at IS NULL GROUP BY stage")
    )
    return {row.stage: row.customers for row in rows}
