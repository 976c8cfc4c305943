"""Project: apply a customer's events, each once and in order, and queue what Temporal is to be told."""

import asyncio
import itertools
import logging
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

import msgspec
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import customers, enrollments, events, offers, orders
from adapters.database.connection import Database, News, lock_customer, try_lock_customer, will_pass
from domain.clock import Clock, Pace
from domain.consequences import CatchUp, Consequence, End, NotStarted, Signal, Start
from domain.customers import Trouble
from domain.decisions import Decision
from domain.engagement import Engagement
from domain.events import Event
from domain.first_touch import FirstTouch
from domain.orders import ORDER_EVENTS
from domain.projection import consequences
from domain.routing import Routing
from domain.standing import Standing
from domain.visits import is_visitor
from services import identities
from services.catalogue import Catalogue
from services.moves import write_moves
from services.segments import Segments

AT_ONCE = 8  # customers side by side, in one process

log = logging.getLogger(__name__)


class Projector:
    """Moves customers on past their pending events (design 4.3)."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        pace: Pace,
        catalogue: Catalogue,
        segments: Segments | None = None,
    ) -> None:
        self._database, self._clock, self._pace, self._catalogue = database, clock, pace, catalogue
        self._segments = segments

    async def project_some(self, limit: int = 500) -> int:
        """Project customers who have pending events. Answers how many events were applied."""
        async with self._database.autocommit() as connection:
            waiting = await events.customers_waiting(connection, limit)
        gate = asyncio.Semaphore(AT_ONCE)

        async def project(customer_id: str, customer: str | None) -> int:
            async with gate:
                ours = customer or await self._whose(customer_id)
                return await self._project_one(ours) if ours else 0

        applied = sum(await asyncio.gather(*itertools.starmap(project, waiting)))
        if applied:
            self._database.wake(News.CONSEQUENCES)
        return applied

    async def _whose(self, customer_id: str) -> str | None:
        """Who it is, minted when new; None when nothing is left of what waits, because it was erased.

        Committed: holding its unique index through the lock could deadlock with ingest.
        """
        surrogates, now = self._catalogue.surrogates, self._clock.now()
        async with self._database.transaction() as connection:
            known = await identities.identify(connection, surrogates, [customer_id], now)
            return known.get(customer_id) or await identities.come_back(connection, surrogates, customer_id, now)

    async def _project_one(self, customer: str) -> int:
        try:
            async with self._database.transaction() as connection:
                if not await try_lock_customer(connection, customer):
                    return 0  # somebody else is at it; the next round finds what they left
                return await self.apply_pending(connection, customer)
        except Exception as error:
            if will_pass(error):
                raise
            log.exception("projection failed; setting the poison aside", extra={"customer": customer})
            return await self._one_by_one(customer)

    async def apply_pending(self, connection: AsyncConnection, customer: str) -> int:
        """Apply all pending events of a customer, and those that this brings about. The caller holds the lock."""
        applied, more = 0, True
        while more:
            pending = await events.pending(connection, customer)
            for event, problem in pending.unreadable:
                await self._quarantine(connection, customer, event, problem)
            more = bool(pending.events) and await self._apply(connection, customer, pending.events)
            applied += len(pending.events) + len(pending.unreadable)
        return applied

    async def _one_by_one(self, customer: str) -> int:
        """After a failure: each event in its own transaction, and the one that fails into quarantine."""
        async with self._database.transaction() as connection:
            waiting = (await events.pending(connection, customer)).events
        for event in waiting:
            try:
                async with self._database.transaction() as connection:
                    customer = await lock_customer(connection, customer)
                    if await events.is_pending(connection, event.id):  # not taken by somebody else meanwhile
                        await self._apply(connection, customer, [event])
            except Exception as error:
                if will_pass(error):
                    raise
                async with self._database.transaction() as connection:
                    customer = await lock_customer(connection, customer)
                    if await events.is_pending(connection, event.id):
                        await self._quarantine(connection, customer, event, type(error).__name__)
        return len(waiting)

    async def _apply(self, connection: AsyncConnection, customer: str, pending: Sequence[Event]) -> bool:
        """Apply events. Answers whether this brought new ones about."""
        now = self._clock.now()
        routing = await self._catalogue.routing(connection)
        row = await enrollments.standing(connection, customer)
        if until := row["forgotten_until"]:
            old = [event.id for event in pending if min(event.occurred_at, event.received_at) <= until]
            await events.drop(connection, old)
            pending = [event for event in pending if event.id not in old]
        standing = await self._standing(connection, row, pending, routing)
        troubled = standing.trouble is not None
        ids = iter(await self._mint(connection, pending, routing))
        numbered, following = [], list[Consequence]()
        for event in pending:
            try:
                found = consequences(event, standing, routing, now=now, mint=lambda: next(ids))
            except Exception as error:  # a poison event must not stop the customer's others
                await self._quarantine(connection, customer, event, type(error).__name__)
                continue
            standing.take(event, found, routing, now)
            numbered.append((event.id, standing.number))
            following += found
            await asyncio.sleep(0)
        for each in following:
            await self._write(connection, customer, each, now)
        changed = {e.walk.id for e in following if isinstance(e, (Signal, CatchUp))}
        if still := [walk for walk in standing.walks.values() if walk.id in changed]:
            await enrollments.store_hearing(connection, still)
        await events.mark_projected(connection, customer, numbered)
        if standing.changed:
            await self._store_orders(connection, customer, standing)
        if standing.moves:
            model = routing.stages.name
            await write_moves(connection, customer, row["customer_id"], model, standing.moves, now)
        await customers.store_standing(connection, customer, standing)
        if troubled and standing.trouble is None:
            await enrollments.release(connection, customer)
        return bool(standing.moves) | await self._refresh_segments(connection, customer, pending, now)

    async def _refresh_segments(
        self, connection: AsyncConnection, customer: str, applied: Sequence[Event], now: datetime
    ) -> bool:
        """Whether a customer came into a segment that a journey watches, or left one. By history silently."""
        if self._segments is None or not applied:
            return False
        silently = all(event.imported for event in applied)
        return await self._segments.refresh_customer(connection, customer, now, silently=silently) > 0

    @staticmethod
    async def _store_orders(connection: AsyncConnection, customer: str, standing: Standing) -> None:
        """Orders as they are now; the codes that they used are used up."""
        changed = [standing.known[name] for name in sorted(standing.changed)]
        await orders.store(connection, customer, changed)
        for order in changed:
            if order.codes and order.told:
                await offers.redeem(connection, customer, order=order.order, codes=order.codes, at=order.placed_at)

    async def _standing(
        self, connection: AsyncConnection, row: RowMapping, pending: Sequence[Event], routing: Routing
    ) -> Standing:
        customer = row["id"]
        stage = routing.stages.get(row["stage"])
        about_orders = any(event.name in ORDER_EVENTS for event in pending)
        starting = {listed.declaration.name for event in pending for listed in routing.starting_on(event)}
        return Standing(
            number=row["events"],
            orders=row["orders"],
            revenue=row["revenue"],
            last_order_at=row["last_order_at"],
            known=await orders.of_customer(connection, customer) if about_orders else {},
            feature_used_at=row["feature_used_at"],
            activated_at=row["activated_at"],
            last_active_at=row["last_active_at"],
            engaged_at=row["engaged_at"],
            engagement=Engagement(value=row["engagement"], at=row["engagement_at"]),
            first_touch=msgspec.convert(row["first_touch"], FirstTouch) if row["first_touch"] else None,
            stage=stage.name if stage else None,
            stage_since=row["stage_since"] if stage else None,
            trouble=Trouble(row["trouble"]) if row["trouble"] else None,
            erased_at=row["erased_at"],
            nameless=is_visitor(row["customer_id"]),
            consents=customers.read_consents(row["consents"]),
            walks=enrollments.read_walks(row["walks"]),
            past=await enrollments.past_walks(connection, customer, sorted(starting)) if starting else {},
        )

    async def _mint(self, connection: AsyncConnection, pending: Sequence[Event], routing: Routing) -> list[str]:
        count = sum(1 for e in pending if not e.imported for _ in routing.starting_on(e))
        return await enrollments.mint(connection, count) if count else []

    async def _write(self, connection: AsyncConnection, customer: str, each: Consequence, now: datetime) -> None:
        match each:
            case Start(enrollment=walk, event=event):
                options = await self._catalogue.options(connection, walk.journey)
                await enrollments.insert(connection, customer, walk, cause=event.name, options=options)
                entered = Decision(rule="enrolled", facts={"journey": walk.journey, "cause": event.name})
                await enrollments.decide(
                    connection, customer=customer, enrollment=walk.id, at=now, state="entered", decision=entered
                )
            case NotStarted(decision=decision):
                await enrollments.decide(connection, customer=customer, at=now, state="not_entered", decision=decision)
            case Signal(walk=walk, heard=heard):
                await enrollments.dispatch(connection, walk.id, "customer_event", asdict(heard))
            case CatchUp(walk=walk, at=at):
                await enrollments.dispatch(connection, walk.id, "catch_up", {}, due_at=self._pace.real(at))
            case End(walk=walk, ending=ending, decision=decision):
                await enrollments.end(connection, enrollment=walk.id, ending=ending, at=now, decision=decision)
                await enrollments.dispatch(connection, walk.id, "ended", {"outcome": ending.word})

    async def _quarantine(self, connection: AsyncConnection, customer: str, event: Event, problem: str) -> None:
        """Set an event aside. `problem` is the error's type alone: its message may quote the customer's data."""
        log.error("event quarantined", extra={"event_row": str(event.id), "error": problem})
        await events.quarantine(connection, customer, event.id, problem)
        await enrollments.decide(
            connection,
            customer=customer,
            at=self._clock.now(),
            state="quarantined",
            decision=Decision(rule="quarantined", facts={"problem": problem, "event": event.name}),
        )
