"""Stages, for those who look at a customer and those who know better."""

from collections.abc import Sequence

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import customers, stages
from domain.clock import Clock
from domain.errors import InvalidInput
from domain.stages import STAGE_CHOSEN
from services import audit
from services.audit import Actor
from services.catalogue import Catalogue
from services.customers import Customers
from services.project import Projector


class Staging:
    """Where a customer stands, and where somebody says that they do, in the caller's transaction."""

    def __init__(self, clock: Clock, known: Customers, catalogue: Catalogue, projector: Projector) -> None:
        self._clock, self._customers, self._catalogue, self._projector = clock, known, catalogue, projector

    async def way(self, connection: AsyncConnection, customer_id: str) -> Sequence[RowMapping]:
        """The stages that a customer went through, the newest first; in the first they are. Raises NotFound."""
        customer = (await self._customers.get(connection, customer_id)).row["id"]
        return await stages.visits(connection, customer, self._catalogue.stages.name)

    async def choose(self, connection: AsyncConnection, customer_id: str, stage: str, *, by: Actor) -> None:
        """Put a customer into a stage by hand, from whichever they are in.

        Raises NotFound, InvalidInput for a stage that there is not, Conflict for somebody who was erased.
        """
        there = [each.name for each in self._catalogue.stages.stages]
        if stage not in there:
            raise InvalidInput([f"stage: there is no {stage!r} here; there are: {', '.join(there)}"])
        row = await self._customers.locked(connection, (await self._customers.get(connection, customer_id)).row["id"])
        await self._customers.append(connection, row, STAGE_CHOSEN, {"stage": stage})
        await self._projector.apply_pending(connection, row["id"])
        now = await customers.by_id(connection, row["id"])
        if now["stage"] != row["stage"]:
            before, after = {"stage": row["stage"]}, {"stage": stage}
            await audit.write(
                connection, by, "customer.stage_set", kind="customer", subject=row["id"], before=before, after=after
            )
