"""Apply events to customers: where they stand moves on, and what follows is written down, many customers at a time."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

import msgspec
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import customers, enrollments, events, offers, orders
from domain.clock import Clock, Pace
from domain.consequences import CatchUp, Consequence, End, NotStarted, Past, Signal, Start
from domain.customers import Trouble
from domain.decisions import Decision
from domain.engagement import Engagement
from domain.events import Event
from domain.first_touch import FirstTouch
from domain.orders import ORDER_EVENTS, Order
from domain.projection import consequences
from domain.routing import Routing
from domain.standing import Standing
from domain.visits import is_visitor
from services.catalogue import Catalogue
from services.moves import Moved, write_moves
from services.segments import Segments

BREATH = 20  # events after which whatever else this process does has its turn

log = logging.getLogger(__name__)

Pending = Mapping[str, Sequence[Event]]
"""Events to apply, in order, by customer."""


class Applying:
    """Applies events in the transaction of whoever holds the customers' locks (design 4.3)."""

    def __init__(self, clock: Clock, pace: Pace, catalogue: Catalogue, segments: Segments | None) -> None:
        self._clock, self._pace, self._catalogue, self._segments = clock, pace, catalogue, segments

    async def apply(self, connection: AsyncConnection, pending: Pending) -> set[str]:
        """Apply events. Answers the customers for whom this brought new ones about."""
        now, routing = self._clock.now(), await self._catalogue.routing(connection)
        rows = await enrollments.standings(connection, list(pending))
        pending = await _without_forgotten(connection, rows, pending)
        standings = await self._standings(connection, rows, pending, routing)
        troubled = {customer for customer, standing in standings.items() if standing.trouble}
        ids = iter(await self._mint(connection, pending, routing))
        numbered, following = list[events.Numbered](), list[tuple[str, Consequence]]()
        for customer, standing in standings.items():
            for place, event in enumerate(pending[customer]):
                try:
                    found = consequences(event, standing, routing, now=now, mint=lambda: next(ids))
                except Exception as error:  # a poison event must not stop the customer's others
                    await self.quarantine(connection, customer, event, type(error).__name__)
                    continue
                standing.take(event, found, routing, now)
                numbered.append((customer, event.id, standing.number))
                following += [(customer, each) for each in found]
                if place % BREATH == 0:
                    await asyncio.sleep(0)
        for customer, each in following:
            await self._write(connection, customer, each, now)
        await _store_hearing(connection, standings, following)
        await events.mark_projected(connection, numbered)
        await _store_orders(connection, standings)
        moved = [
            Moved(customer=customer, customer_id=rows[customer]["customer_id"], moves=standing.moves)
            for customer, standing in standings.items()
            if standing.moves
        ]
        await write_moves(connection, routing.stages.name, moved, now)
        await customers.store_standings(connection, standings)
        for customer in troubled:
            if standings[customer].trouble is None:
                await enrollments.release(connection, customer)
        more = {each.customer for each in moved}
        return more | await self._refresh_segments(connection, pending, now)

    async def quarantine(self, connection: AsyncConnection, customer: str, event: Event, problem: str) -> None:
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

    async def _refresh_segments(self, connection: AsyncConnection, pending: Pending, now: datetime) -> frozenset[str]:
        """Who came into a segment that a journey watches, or left one. By history silently."""
        if self._segments is None:
            return frozenset()
        applied = {customer: each for customer, each in pending.items() if each}
        old = [customer for customer, each in applied.items() if all(event.imported for event in each)]
        await self._segments.refresh_customers(connection, old, now, silently=True)
        return await self._segments.refresh_customers(connection, sorted(applied.keys() - set(old)), now)

    async def _standings(
        self, connection: AsyncConnection, rows: Mapping[str, RowMapping], pending: Pending, routing: Routing
    ) -> dict[str, Standing]:
        ordering = [customer for customer, each in pending.items() if any(e.name in ORDER_EVENTS for e in each)]
        known = await orders.of_customers(connection, ordering) if ordering else {}
        starting = {
            customer: {s.declaration.name for event in each if not event.imported for s in routing.starting_on(event)}
            for customer, each in pending.items()
        }
        entering = [customer for customer, journeys in starting.items() if journeys]
        journeys = sorted(set().union(*starting.values()))
        past = await enrollments.past_walks_of_all(connection, entering, journeys) if entering else {}
        return {
            customer: _standing(rows[customer], routing, known.get(customer, {}), past.get(customer, {}))
            for customer in pending
        }

    async def _mint(self, connection: AsyncConnection, pending: Pending, routing: Routing) -> list[str]:
        live = (event for each in pending.values() for event in each if not event.imported)
        count = sum(1 for event in live for _ in routing.starting_on(event))
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


async def _without_forgotten(
    connection: AsyncConnection, rows: Mapping[str, RowMapping], pending: Pending
) -> dict[str, list[Event]]:
    """The events but those from before their customer's erasure, which are dropped."""
    kept, old = dict[str, list[Event]](), []
    for customer, each in pending.items():
        until = rows[customer]["forgotten_until"]
        kept[customer] = [e for e in each if not until or min(e.occurred_at, e.received_at) > until]
        old += [e.id for e in each if until and min(e.occurred_at, e.received_at) <= until]
    if old:
        await events.drop(connection, old)
    return kept


async def _store_hearing(
    connection: AsyncConnection, standings: Mapping[str, Standing], following: Sequence[tuple[str, Consequence]]
) -> None:
    """What open walks have left of their budgets of signals."""
    heard = {(customer, e.walk.id): None for customer, e in following if isinstance(e, (Signal, CatchUp))}
    still = [walk for customer, id in heard if (walk := standings[customer].walks.get(id))]
    if still:
        await enrollments.store_hearing(connection, still)


async def _store_orders(connection: AsyncConnection, standings: Mapping[str, Standing]) -> None:
    """Orders as they are now; the codes that they used are used up."""
    changed = [(customer, s.known[name]) for customer, s in standings.items() for name in sorted(s.changed)]
    if changed:
        await orders.store(connection, changed)
    for customer, order in changed:
        if order.codes and order.told:
            await offers.redeem(connection, customer, order=order.order, codes=order.codes, at=order.placed_at)


def _standing(
    row: RowMapping, routing: Routing, known: dict[str, Order], past: dict[tuple[str, str], Past]
) -> Standing:
    stage = routing.stages.get(row["stage"])
    return Standing(
        number=row["events"],
        orders=row["orders"],
        revenue=row["revenue"],
        last_order_at=row["last_order_at"],
        known=known,
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
        past=past,
    )
