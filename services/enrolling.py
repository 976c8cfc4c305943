"""Enrolling by hand, and what staff do to an enrollment: leave, pause, resume."""

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import customers, enrollments, sends
from adapters.database.connection import lock_customer
from domain.clock import Clock
from domain.consequences import Walk
from domain.decisions import Decision
from domain.errors import Conflict, EnrollmentRefused, InvalidInput, NotFound
from domain.journeys import Ending, Leaving
from services import audit
from services.audit import Actor
from services.catalogue import Catalogue
from services.entering import against, candidates
from services.project import Projector


class Enrolling:
    """Commands about enrollments. Each runs in the caller's transaction, under the customer's lock."""

    def __init__(self, clock: Clock, catalogue: Catalogue, projector: Projector) -> None:
        self._clock, self._catalogue, self._projector = clock, catalogue, projector

    async def enroll(
        self,
        connection: AsyncConnection,
        journey: str,
        customer_id: str,
        *,
        about: str,
        options: dict[str, object],
        actor: Actor,
    ) -> RowMapping:
        """Enter a customer into a journey. Raises NotFound, InvalidInput, or EnrollmentRefused with the reason."""
        declaration = self._catalogue.journey(journey)
        plan = declaration.plan
        if plan.about and not about:
            raise InvalidInput([f"about: {journey} is about a {plan.about}; say which"])
        if about and not plan.about:
            raise InvalidInput([f"about: {journey} is not about any one thing; leave it out"])
        full = await self._catalogue.options(connection, journey, options)
        ours, now = await self._locked(connection, customer_id), self._clock.now()
        candidate = (await candidates(connection, journey, [ours]))[ours]
        if refusal := against(declaration, about, candidate, now=now):
            raise EnrollmentRefused(refusal.rule, refusal.words())
        walk = Walk(
            id=(await enrollments.mint(connection, 1))[0],
            journey=journey,
            about=about,
            started_at=now,
            after_event=candidate.row["events"],
        )
        await enrollments.insert(connection, ours, walk, cause="staff", options=full)
        await enrollments.decide(
            connection,
            customer=ours,
            enrollment=walk.id,
            at=now,
            state="entered",
            decision=Decision(rule="enrolled", facts={"journey": journey, "cause": actor.name}),
        )
        await self._audit(connection, actor, "enrollment.entered", walk.id)
        return await self.get(connection, walk.id)

    async def get(self, connection: AsyncConnection, enrollment: str) -> RowMapping:
        """One enrollment. Raises NotFound."""
        row = await enrollments.get(connection, enrollment)
        if row is None:
            raise NotFound("enrollment", enrollment)
        return row

    async def leave(self, connection: AsyncConnection, enrollment: str, *, reason: str, actor: Actor) -> RowMapping:
        """End a walk now, by a person's word. Ending one that has ended changes nothing."""
        row = await self._locked_open(connection, enrollment, may_be_ended=True)
        ended = await enrollments.end(
            connection,
            enrollment=enrollment,
            ending=Ending(leaving=Leaving.STOPPED),
            at=self._clock.now(),
            decision=Decision(rule="stopped", facts={"actor": actor.name, "reason": reason or "no reason given"}),
        )
        if ended:
            await enrollments.dispatch(connection, row["id"], "cancel", {"reason": Leaving.STOPPED.value})
            await self._audit(connection, actor, "enrollment.left", enrollment)
        return await self.get(connection, enrollment)

    async def pause(self, connection: AsyncConnection, enrollment: str, *, actor: Actor) -> RowMapping:
        """Send nothing until it is resumed. Time goes on, goals and exits act. Raises Conflict when it has ended."""
        return await self._set_pause(connection, enrollment, paused=True, actor=actor)

    async def resume(self, connection: AsyncConnection, enrollment: str, *, actor: Actor) -> RowMapping:
        """Go on; what is due goes if its shelf life allows. Raises Conflict when it has ended."""
        row = await self._set_pause(connection, enrollment, paused=False, actor=actor)
        if await sends.waiting(connection, enrollment):
            await enrollments.dispatch(connection, enrollment, "released", {})
        return row

    async def _set_pause(
        self, connection: AsyncConnection, enrollment: str, *, paused: bool, actor: Actor
    ) -> RowMapping:
        row = await self._locked_open(connection, enrollment)
        if (row["paused_at"] is not None) == paused:
            return row
        now = self._clock.now()
        await connection.execute(
            text("UPDATE enrollments SET paused_at = :at WHERE id = :id"),
            {"at": now if paused else None, "id": enrollment},
        )
        await enrollments.decide(
            connection,
            customer=row["customer"],
            enrollment=enrollment,
            at=now,
            state="paused" if paused else "resumed",
            decision=Decision(rule="pause" if paused else "resume", facts={"actor": actor.name}),
        )
        await self._audit(connection, actor, "enrollment.paused" if paused else "enrollment.resumed", enrollment)
        return await self.get(connection, enrollment)

    @staticmethod
    async def _audit(connection: AsyncConnection, actor: Actor, action: str, enrollment: str) -> None:
        await audit.write(connection, actor, action, kind="enrollment", subject=enrollment)

    async def _locked(self, connection: AsyncConnection, customer_id: str) -> str:
        customer = await customers.by_company_id(connection, customer_id)
        if customer is None:
            raise NotFound("customer", customer_id)
        ours = await lock_customer(connection, customer["id"])
        await self._projector.apply_pending(connection, ours)
        return ours

    async def _locked_open(
        self, connection: AsyncConnection, enrollment: str, *, may_be_ended: bool = False
    ) -> RowMapping:
        row = await self.get(connection, enrollment)
        # A goal that was accepted before this command came before it.
        await self._projector.apply_pending(connection, await lock_customer(connection, row["customer"]))
        row = await self.get(connection, enrollment)
        if row["ended_at"] and not may_be_ended:
            raise Conflict(f"Enrollment {enrollment} has ended: {row['outcome'] or row['leaving']}.")
        return row
