"""Deals (S5): a change of one appends the events that tell of it, in one transaction."""

from collections.abc import Sequence
from dataclasses import asdict
from uuid import uuid4

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import customers, deals, events
from domain.clock import Clock
from domain.deals import Deal, DealStatus, told_as
from domain.errors import Conflict, NotFound
from services import audit
from services.audit import Actor
from services.customers import Customers

NOT_THEIRS = "This deal is another customer's. If they are one person, merge them."


class Deals:
    """Commands run in the caller's transaction, under the customer's lock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def put(
        self, connection: AsyncConnection, customer_id: str, deal: Deal, *, actor: Actor
    ) -> tuple[RowMapping, bool]:
        """Set a deal, and say whether it is new. Raises NotFound, and Conflict for another customer's."""
        found = await customers.by_company_id(connection, customer_id)
        if found is None:
            raise NotFound("customer", customer_id)
        row, now = await Customers.locked(connection, found["id"]), self._clock.now()
        known = await deals.get(connection, deal.deal_id)
        if not await deals.put(connection, row["id"], deal, now):
            raise Conflict(NOT_THEIRS)
        before, change = _deal(known) if known else None, uuid4()
        for place, (name, properties) in enumerate(told_as(before, deal)):
            await events.append(
                connection,
                customer_id=row["customer_id"],
                name=name,
                at=now,
                event_id=f"deal:{change}:{place}",  # events of one instant are applied in the order of their ids
                properties=properties,
                about=deal.deal_id,
            )
        after = await self.get(connection, deal.deal_id)
        if before != deal:
            changed = sorted(name for name, value in asdict(deal).items() if not known or known[name] != value)
            action = "deal.changed" if known else "deal.opened"
            await audit.write(connection, actor, action, kind="deal", subject=after["id"], after={"fields": changed})
        return after, known is None

    async def get(self, connection: AsyncConnection, deal_id: str) -> RowMapping:
        """One deal. Raises NotFound."""
        row = await deals.get(connection, deal_id)
        if row is None:
            raise NotFound("deal", deal_id)
        return row

    async def page(
        self, connection: AsyncConnection, customer_id: str, *, before: str | None, limit: int
    ) -> Sequence[RowMapping]:
        """A customer's deals, newest first. Raises NotFound."""
        found = await customers.ours(connection, [customer_id])
        if customer_id not in found:
            raise NotFound("customer", customer_id)
        return await deals.page(connection, found[customer_id], before=before, limit=limit)


def _deal(row: RowMapping) -> Deal:
    fields = {name: row[name] for name in Deal.__dataclass_fields__}
    return Deal(**{**fields, "status": DealStatus(row["status"])})
