"""Companies (S42): several people decide, and what happened to any of them is one story."""

from collections.abc import Mapping, Sequence

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import companies
from domain.clock import Clock
from domain.errors import NotFound
from services import audit
from services.audit import Actor
from services.customers import bounded
from services.timeline import Page, Timeline

TOGETHER = 500  # people whose story is told as one


class Companies:
    """Commands run in the caller's transaction."""

    def __init__(self, clock: Clock, timeline: Timeline) -> None:
        self._clock, self._timeline = clock, timeline

    async def put(
        self,
        connection: AsyncConnection,
        company_id: str,
        *,
        name: str,
        owner: str | None,
        attributes: Mapping[str, object],
        actor: Actor,
    ) -> bool:
        """Set a company; what is left out is cleared. Answers whether it is new. Raises InvalidInput."""
        before = await companies.get(connection, company_id)
        wanted = {"name": name, "owner": owner, "attributes": attributes}
        ours, created = await companies.put(
            connection,
            company_id,
            name=name,
            owner=owner,
            attributes=bounded("attributes", attributes),
            at=self._clock.now(),
        )
        fields = sorted(field for field, value in wanted.items() if before is None or before[field] != value)
        if fields:
            action = "company.created" if created else "company.changed"
            await audit.write(connection, actor, action, kind="company", subject=ours, after={"fields": fields})
        return created

    async def get(self, connection: AsyncConnection, company_id: str) -> RowMapping:
        """One company. Raises NotFound."""
        row = await companies.get(connection, company_id)
        if row is None:
            raise NotFound("company", company_id)
        return row

    async def people(
        self, connection: AsyncConnection, company: str, *, after: str | None, limit: int
    ) -> Sequence[RowMapping]:
        """Some of its people, by our ids of both, in the order in which we met them."""
        return await companies.people(connection, company, after=after, limit=limit)

    async def timeline(
        self, connection: AsyncConnection, company_id: str, *, locale: str, cursor: str | None, limit: int
    ) -> Page:
        """What happened to its people, newest first. Raises NotFound, and InvalidInput for a wrong cursor."""
        company = await self.get(connection, company_id)
        people = await companies.people(connection, company["id"], limit=TOGETHER)
        known = {row["id"]: row["customer_id"] for row in people}
        return await self._timeline.of_people(connection, known, locale=locale, cursor=cursor, limit=limit)
