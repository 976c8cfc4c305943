"""SQL for the stages that customers are in, and were."""

from collections.abc import Sequence

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database.statements import text
from domain.stages import Move


async def enter(connection: AsyncConnection, customer: str, model: str, moves: Sequence[Move]) -> None:
    """A customer went through these stages, one after the other; in the last of them they are."""
    leaves = [move.at for move in moves[1:]]
    await connection.execute(
        text("""
            UPDATE stage_visits SET exited_at = :at
            WHERE customer = :customer AND model = :model AND exited_at IS NULL
        """),
        {"customer": customer, "model": model, "at": moves[0].at},
    )
    await connection.execute(
        text("""
            INSERT INTO stage_visits (customer, model, stage, rank, entered_at, exited_at, cause)
            VALUES (:customer, :model, :stage, :rank, :entered_at, :exited_at, :cause)
        """),
        [
            {
                "customer": customer,
                "model": model,
                "stage": move.stage.name,
                "rank": move.stage.rank,
                "entered_at": move.at,
                "exited_at": left,
                "cause": move.by.name,
            }
            for move, left in zip(moves, [*leaves, None], strict=True)
        ],
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
