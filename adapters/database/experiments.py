"""SQL for experiments: who was given which variant."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database.statements import text


async def assigned(connection: AsyncConnection, customer: str, experiment: str) -> str | None:
    """The variant that a customer has seen, if any."""
    rows = await connection.execute(
        text("SELECT variant FROM assignments WHERE customer = :customer AND experiment = :experiment"),
        {"customer": customer, "experiment": experiment},
    )
    return rows.scalar_one_or_none()


async def assign(connection: AsyncConnection, customer: str, experiment: str, variant: str, at: datetime) -> None:
    """A customer sees a variant, from now on. The caller holds their lock."""
    await connection.execute(
        text("""
            INSERT INTO assignments (customer, experiment, variant, exposed_at)
            VALUES (:customer, :experiment, :variant, :at)
        """),
        {"customer": customer, "experiment": experiment, "variant": variant, "at": at},
    )


async def exposed(connection: AsyncConnection) -> dict[str, dict[str, int]]:
    """How many saw each variant, by experiment."""
    rows = await connection.execute(
        text("SELECT experiment, variant, count(*) AS customers FROM assignments GROUP BY experiment, variant")
    )
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row.experiment, {})[row.variant] = row.customers
    return found
