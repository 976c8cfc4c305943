"""What walks ask besides sending: fresh facts, what they missed, their ending."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from activities.walking import EndRequest, LocalTimeRequest, MissedRequest, ReactionRequest, VariantRequest
from adapters.database import customers, engagement, enrollments, events, experiments, orders, rfm, sends
from adapters.database.connection import Database, News, lock_customer
from adapters.zones import zone_of
from domain.clock import Clock
from domain.customers import ConsentStatus, CustomerFacts, Trouble, audiences_of, in_force
from domain.decisions import Decision
from domain.declared import declared_properties
from domain.durations import days
from domain.engagement import Engagement, score
from domain.errors import NotFound
from domain.events import HeardEvent
from domain.journeys import Ending, Leaving, Outcome
from domain.local_time import next_local, parse_clock
from domain.messages import Channel
from domain.sends import Reaction
from domain.tracking import is_doubtful
from services.addresses import addresses_of
from services.catalogue import Catalogue
from services.project import Projector

CATCH_UP_LIMIT = 100


class Walking:
    """Serves `activities.walking`. `zone` is for customers whose own is unknown."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        catalogue: Catalogue,
        projector: Projector,
        *,
        zone: str,
    ) -> None:
        self._database, self._clock, self._catalogue, self._projector = database, clock, catalogue, projector
        self._zone = zone

    async def facts(self, customer: str) -> CustomerFacts:
        """Fresh facts, pending events included."""
        async with self._database.transaction() as connection:
            ours, applied = await self._up_to_date(connection, customer)
            row = await customers.by_id(connection, ours)
            consents = await customers.consents_of(connection, row["id"])
            addresses = await addresses_of(connection, row)
            cadence = await orders.cadence(connection, row["id"]) if row["orders"] > 2 else None
            scored = await rfm.of_customer(connection, row["id"])
            scale = await engagement.scale(connection)
        now = self._clock.now()
        if applied:
            self._database.wake(News.CONSEQUENCES)
        reachable = []
        for channel in Channel:
            consent = in_force(consents, channel)
            refused = consent is not None and consent.status is ConsentStatus.DENIED
            if channel in addresses and not refused:
                reachable.append(channel)
        return CustomerFacts(
            first_seen_at=row["first_seen_at"],
            orders=row["orders"],
            revenue=float(row["revenue"]),
            last_order_at=row["last_order_at"],
            cadence_days=cadence / days(1) if cadence else None,
            feature_used_at=row["feature_used_at"],
            activated_at=row["activated_at"],
            last_active_at=row["last_active_at"],
            engagement=score(Engagement(value=row["engagement"], at=row["engagement_at"]).on(now), scale),
            complains=row["trouble"] == Trouble.COMPLAINT,
            stage=row["stage"] or "",
            audiences=tuple(
                sorted(
                    audiences_of(
                        orders=row["orders"],
                        last_active_at=row["last_active_at"],
                        vip=bool(scored and scored["vip"]) or row["attributes"].get("vip") is True,
                        now=now,
                    )
                )
            ),
            reachable=tuple(reachable),
        )

    async def missed(self, request: MissedRequest) -> list[HeardEvent]:
        """The newest events that an enrollment listens for, after those that it was told."""
        async with self._database.transaction() as connection:
            # Up to date, so that what is accepted now is not missed again.
            customer, _ = await self._up_to_date(connection, request.customer)
            enrollment = await enrollments.get(connection, request.enrollment)
            if enrollment is None:
                return []
            plan = self._catalogue.journey(enrollment["journey"]).plan
            routing = await self._catalogue.routing(connection)
            found = await events.missed(
                connection,
                customer=customer,
                after=max(request.after, enrollment["after_event"]),
                names=plan.hears,
                about=(plan.about, enrollment["about"]) if plan.about else None,
                limit=CATCH_UP_LIMIT,
            )
        return [
            HeardEvent(
                id=str(event.id),
                number=number,
                name=event.name,
                at=event.occurred_at,
                properties=declared_properties(plan, event, routing.surrogate),
            )
            for number, event in found
            if event.concerns(request.enrollment) and not is_doubtful(event)
        ]

    async def variant(self, request: VariantRequest) -> str:
        """A customer's variant of an experiment, the same for ever. Whoever gets it is exposed, and that is told.

        Raises NotFound for an enrollment or an experiment that there is not.
        """
        async with self._database.transaction() as connection:
            customer = await lock_customer(connection, request.customer)
            enrollment = await enrollments.get(connection, request.enrollment)
            if enrollment is None:
                raise NotFound("enrollment", request.enrollment)
            experiment = await self._catalogue.experiment(connection, enrollment["journey"], request.experiment)
            if seen := await experiments.assigned(connection, customer, experiment.salt):
                return seen
            variant = experiment.variant_of(customer)
            if not experiment.winner:
                now = self._clock.now()
                await experiments.assign(connection, customer, experiment.salt, variant, now)
                await enrollments.decide(
                    connection,
                    customer=customer,
                    enrollment=request.enrollment,
                    at=now,
                    state="variant",
                    decision=Decision(rule="variant", facts={"experiment": request.experiment, "variant": variant}),
                )
        return variant

    async def local_time(self, request: LocalTimeRequest) -> datetime:
        """The next instant at which it is a time of day where the customer lives, as far as that is known."""
        async with self._database.transaction() as connection:
            row = await customers.by_id(connection, request.customer)
        zone = zone_of(row, self._zone)
        return next_local(request.after, parse_clock(request.clock), zone, request.weekday)

    async def reaction(self, request: ReactionRequest) -> Reaction:
        """What they did with the last send of a message. A read receipt counts as seen, a doubtful open does not."""
        async with self._database.transaction() as connection:
            return await sends.reaction(connection, request.enrollment, request.message)

    async def end(self, request: EndRequest) -> Ending:
        """Write the ending unless there is one; answer the one that counts."""
        async with self._database.transaction() as connection:
            await self._up_to_date(connection, request.customer)
            decision = Decision(
                rule=request.ending.word, facts={"problem": request.failed} if request.failed else {"event": "its plan"}
            )
            await enrollments.end(
                connection,
                enrollment=request.enrollment,
                ending=request.ending,
                at=self._clock.now(),
                decision=decision,
            )
            row = await enrollments.get(connection, request.enrollment)
        self._database.wake(News.CONSEQUENCES)
        if row is None:
            raise NotFound("enrollment", request.enrollment)
        return Ending(
            outcome=Outcome(row["outcome"]) if row["outcome"] else None,
            leaving=Leaving(row["leaving"]) if row["leaving"] else None,
        )

    async def _up_to_date(self, connection: AsyncConnection, customer: str) -> tuple[str, int]:
        """Lock the customer and apply what waits. Answers who that is by now, and how many events that were."""
        ours = await lock_customer(connection, customer)
        return ours, await self._projector.apply_pending(connection, ours)
