"""Apply events to customers: where they stand moves on, and what follows is written down, many customers at a time."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

import msgspec
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import customers, enrollments, events, offers, orders, projected
from adapters.database.pending import quarantine
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

    async def apply(self, connection: AsyncConnection, pending: Pending) -> frozenset[str]:
        """Apply events, and those of the stages that they lead into. Answers the customers who came into a segment by
        that, or left one, of which the events wait.
        """
        now, routing = self._clock.now(), await self._catalogue.routing(connection)
        rows = await enrollments.standings(connection, list(pending))
        pending = await _without_forgotten(connection, rows, pending)
        standings = {customer: _standing(rows[customer], routing) for customer in pending}
        troubled = {customer for customer, standing in standings.items() if standing.trouble}
        silently = {customer: all(e.imported for e in each) for customer, each in pending.items() if each}
        numbered, heard = list[projected.Numbered](), dict[tuple[str, str], None]()
        while pending:
            await _remember(connection, standings, pending, routing)
            applied, following = await self._follow(connection, standings, pending, routing, now)
            numbered += applied
            for customer, each in following:
                await self._write(connection, customer, each, now)
                if isinstance(each, (Signal, CatchUp)):
                    heard[customer, each.walk.id] = None
            moved = [
                Moved(customer=customer, customer_id=rows[customer]["customer_id"], moves=standings[customer].moving())
                for customer in pending
            ]
            pending = await write_moves(connection, routing.stages.name, [each for each in moved if each.moves], now)
        await _store_orders(connection, standings)
        still = [walk for customer, id in heard if (walk := standings[customer].walks.get(id))]
        await projected.store(connection, standings, numbered, still)
        for customer in troubled:
            if standings[customer].trouble is None:
                await enrollments.release(connection, customer)
        return await self._refresh_segments(connection, silently, now)

    async def _follow(
        self,
        connection: AsyncConnection,
        standings: Mapping[str, Standing],
        pending: Pending,
        routing: Routing,
        now: datetime,
    ) -> tuple[list[projected.Numbered], list[tuple[str, Consequence]]]:
        """Move customers on past events. Answers those that could be applied, and whatever follows from them."""
        ids = iter(await self._mint(connection, pending, routing))
        numbered, following = list[projected.Numbered](), list[tuple[str, Consequence]]()
        for customer, each in pending.items():
            standing = standings[customer]
            for place, event in enumerate(each):
                try:
                    found = consequences(event, standing, routing, now=now, mint=lambda: next(ids))
                except Exception as error:  # a poison event must not stop the customer's others
                    await self.quarantine(connection, customer, event, type(error).__name__)
                    continue
                standing.take(event, found, routing, now)
                numbered.append((customer, event.id, standing.number))
                following += [(customer, consequence) for consequence in found]
                if place % BREATH == 0:
                    await asyncio.sleep(0)
        return numbered, following

    async def quarantine(self, connection: AsyncConnection, customer: str, event: Event, problem: str) -> None:
        """Set an event aside. `problem` is the error's type alone: its message may quote the customer's data."""
        log.error("event quarantined", extra={"event_row": str(event.id), "error": problem})
        await quarantine(connection, customer, event.id, problem)
        await enrollments.decide(
            connection,
            customer=customer,
            at=self._clock.now(),
            state="quarantined",
            decision=Decision(rule="quarantined", facts={"problem": problem, "event": event.name}),
        )

    async def _refresh_segments(
        self, connection: AsyncConnection, silently: Mapping[str, bool], now: datetime
    ) -> frozenset[str]:
        """Who came into a segment that a journey watches, or left one. By history silently."""
        if self._segments is None:
            return frozenset()
        old = [customer for customer, silent in silently.items() if silent]
        await self._segments.refresh_customers(connection, old, now, silently=True)
        return await self._segments.refresh_customers(connection, sorted(silently.keys() - set(old)), now)

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


async def _remember(
    connection: AsyncConnection, standings: Mapping[str, Standing], pending: Pending, routing: Routing
) -> None:
    """What of the customers' past these events ask for: their orders, and their walks through what may start."""
    ordering = [customer for customer, each in pending.items() if any(e.name in ORDER_EVENTS for e in each)]
    starting = {
        customer: {s.declaration.name for event in each if not event.imported for s in routing.starting_on(event)}
        for customer, each in pending.items()
    }
    entering = [customer for customer, journeys in starting.items() if journeys]
    if ordering:
        for customer, known in (await orders.of_customers(connection, ordering)).items():
            standings[customer].known = known
    if entering:
        journeys = sorted(set().union(*starting.values()))
        for customer, past in (await enrollments.past_walks_of_all(connection, entering, journeys)).items():
            standings[customer].past = past


async def _store_orders(connection: AsyncConnection, standings: Mapping[str, Standing]) -> None:
    """Orders as they are now; the codes that they used are used up."""
    changed = [(customer, s.known[name]) for customer, s in standings.items() for name in sorted(s.changed)]
    if changed:
        await orders.store(connection, changed)
    for customer, order in changed:
        if order.codes and order.told:
            await offers.redeem(connection, customer, order=order.order, codes=order.codes, at=order.placed_at)


def _standing(row: RowMapping, routing: Routing) -> Standing:
    stage = routing.stages.get(row["stage"])
    return Standing(
        number=row["events"],
        orders=row["orders"],
        revenue=row["revenue"],
        last_order_at=row["last_order_at"],
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
    )
