"""Where a customer stands while their events are applied, one by one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from domain import tasks
from domain.consequences import CatchUp, Consequence, End, NotStarted, Past, Signal, Start, Walk
from domain.customers import Consent, Trouble
from domain.engagement import ENGAGING, Engagement, is_theirs
from domain.events import OURS, Event
from domain.first_touch import FirstTouch, first_touch
from domain.orders import NOTHING, Order, order_after, order_named, totals
from domain.routing import Routing
from domain.stages import Move, StageSet
from domain.surveys import is_low
from domain.tracking import is_doubtful


@dataclass(kw_only=True)
class Standing:
    """Where a customer stands while their events are applied. `number` is the last event's.

    `known` are their orders by name, read when any of the events is about one; `changed` those that the events changed.
    `nameless` is a visitor of whom nothing else is known.
    """

    number: int = 0
    orders: int = 0
    revenue: Decimal = NOTHING
    last_order_at: datetime | None = None
    known: dict[str, Order] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    feature_used_at: datetime | None = None
    activated_at: datetime | None = None
    last_active_at: datetime | None = None
    engaged_at: datetime | None = None
    engagement: Engagement = field(default_factory=Engagement)
    first_touch: FirstTouch | None = None
    stage: str | None = None
    stage_since: datetime | None = None
    moves: list[Move] = field(default_factory=list)
    trouble: Trouble | None = None
    erased_at: datetime | None = None
    nameless: bool = False
    consents: Mapping[str, Consent] = field(default_factory=dict)
    walks: dict[str, Walk] = field(default_factory=dict)
    past: dict[tuple[str, str], Past] = field(default_factory=dict)

    def take(self, event: Event, consequences: Iterable[Consequence], routing: Routing, now: datetime) -> None:
        """Move on past an event and what followed from it."""
        self.number += 1
        self._count(event, routing)
        if not is_doubtful(event):
            self._move(event, routing.stages)
        for each in consequences:
            match each:
                case Start(enrollment=walk):
                    self.walks[walk.id] = walk
                    self.past[walk.journey, walk.about] = Past(started_at=walk.started_at, ended_at=None)
                case End(walk=walk):
                    del self.walks[walk.id]
                    self.past[walk.journey, walk.about] = Past(started_at=walk.started_at, ended_at=now)
                case Signal(walk=walk) | CatchUp(walk=walk):
                    self.walks[walk.id] = walk
                case NotStarted():
                    pass

    def moving(self) -> list[Move]:
        """The moves that were not asked for yet."""
        moves, self.moves = self.moves, []
        return moves

    def _count(self, event: Event, routing: Routing) -> None:
        at = event.occurred_at
        self._order(event, routing.currency)
        if is_theirs(event) and not is_doubtful(event):
            self.engagement = self.engagement.after(event, routing.engagement)
            self.last_active_at = max(at, self.last_active_at or at)
            self.first_touch = first_touch(event, self.first_touch)
            if event.name in ENGAGING:
                self.engaged_at = max(at, self.engaged_at or at)
        match event.name:
            case "feature_used":
                self.feature_used_at = max(at, self.feature_used_at or at)
            case "activated":
                self.activated_at = min(at, self.activated_at or at)
            case "complaint_opened":
                self.trouble = Trouble.COMPLAINT
            case "survey_answered" if is_low(event, routing.surveys):
                self.trouble = self.trouble or Trouble.LOW_SCORE
            case "complaint_resolved":
                self.trouble = None
            case tasks.CLOSED if event.source == OURS and event.properties.get(tasks.SETTLED) is True:
                self.trouble = None if self.trouble is Trouble.LOW_SCORE else self.trouble

    def _move(self, event: Event, stages: StageSet) -> None:
        if move := stages.move(event, self.stage, self.stage_since, orders=self.orders):
            self.stage, self.stage_since = move.stage.name, move.at
            self.moves.append(move)

    def _order(self, event: Event, currency: str) -> None:
        name = order_named(event)
        order = order_after(event, self.known.get(name), currency=currency)
        if order and order != self.known.get(name):
            self.known[name] = order
            self.changed.add(name)
            self.orders, self.revenue, self.last_order_at = totals(self.known.values())
