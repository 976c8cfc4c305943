"""What an event does to a customer and to their journeys: pure, one event at a time, in order.

`consequences` answers what follows and changes nothing; `Standing.take` then moves the customer on. A raised error
therefore leaves nothing half done, and the event can be quarantined (design 4.3).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from domain.customers import EVERY_CHANNEL, Consent, ConsentStatus, Trouble
from domain.decisions import Decision
from domain.declared import declared_properties
from domain.durations import spoken
from domain.events import OURS, Event, HeardEvent, Value
from domain.journeys import SIGNALS_AN_HOUR, SIGNALS_IN_ALL, Declaration, Ending, Outcome, Plan, Reentry
from domain.tracking import is_doubtful

HOUR = timedelta(hours=1)
LOW_SCORE = 6
CATCHING_UP = ""  # a key that no event name can be


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A journey as an installation runs it: its declaration and what starts it here."""

    declaration: Declaration
    starts_on: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Routing:
    """Which journeys there are. `surrogate` keys a foreign id; Temporal sees nothing else of it."""

    journeys: Mapping[str, Listed]
    surrogate: Callable[[str], str]

    def starting_on(self, name: str) -> Iterable[Listed]:
        """The journeys that an event of this name starts."""
        return (listed for listed in self.journeys.values() if name in listed.starts_on)


@dataclass(frozen=True, kw_only=True)
class Walk:
    """An open enrollment as projection sees it. It began after the customer's event number `after_event`.

    `hearing` counts its signals of the current hour, by event name.
    """

    id: str
    journey: str
    about: str
    started_at: datetime
    after_event: int = 0
    signals: int = 0
    hearing: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Past:
    """When a customer last entered a journey about a thing, and whether that walk is over."""

    started_at: datetime
    ended_at: datetime | None


@dataclass(kw_only=True)
class Standing:
    """Where a customer stands while their events are applied. `number` is the last event's."""

    number: int = 0
    orders: int = 0
    last_order_at: datetime | None = None
    feature_used_at: datetime | None = None
    activated_at: datetime | None = None
    last_active_at: datetime | None = None
    trouble: Trouble | None = None
    erased_at: datetime | None = None
    consents: Mapping[str, Consent] = field(default_factory=dict)
    walks: dict[str, Walk] = field(default_factory=dict)
    past: dict[tuple[str, str], Past] = field(default_factory=dict)

    def take(self, event: Event, consequences: Iterable["Consequence"], now: datetime) -> None:
        """Move on past an event and what followed from it."""
        self.number += 1
        self._count(event)
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

    def _count(self, event: Event) -> None:
        at = event.occurred_at
        if event.source != OURS:
            self.last_active_at = max(at, self.last_active_at or at)
        match event.name:
            case "order_placed":
                self.orders += 1
                self.last_order_at = max(at, self.last_order_at or at)
            case "feature_used":
                self.feature_used_at = max(at, self.feature_used_at or at)
            case "activated":
                self.activated_at = min(at, self.activated_at or at)
            case "complaint_opened":
                self.trouble = Trouble.COMPLAINT
            case "score_given" if _is_low(event.properties.get("score")):
                self.trouble = self.trouble or Trouble.LOW_SCORE
            case "complaint_resolved":
                self.trouble = None


@dataclass(frozen=True, kw_only=True)
class Start:
    """Enter a journey."""

    enrollment: Walk
    event: Event


@dataclass(frozen=True, kw_only=True)
class NotStarted:
    """A journey would have started, and why it did not."""

    journey: str
    decision: Decision


@dataclass(frozen=True, kw_only=True)
class Signal:
    """Tell a walk what it listens for."""

    walk: Walk
    heard: HeardEvent


@dataclass(frozen=True, kw_only=True)
class CatchUp:
    """Tell a walk, at `at`, to read what it was not told one by one."""

    walk: Walk
    at: datetime


@dataclass(frozen=True, kw_only=True)
class End:
    """End a walk by its own plan."""

    walk: Walk
    ending: Ending
    decision: Decision
    event: Event


Consequence = Start | NotStarted | Signal | CatchUp | End


def consequences(
    event: Event, standing: Standing, routing: Routing, *, now: datetime, mint: Callable[[], str]
) -> list[Consequence]:
    """What follows from an event, in the order in which it happens. `mint` makes enrollment ids."""
    following: list[Consequence] = []
    if is_doubtful(event):
        return following
    for walk in standing.walks.values():
        following += _for_walk(event, walk, standing.number + 1, routing, now)
    for listed in routing.starting_on(event.name):
        if event.imported:
            continue  # history starts nothing, and a decision for each old event would drown the timeline
        plan, name = listed.declaration.plan, listed.declaration.name
        about = plan.about_of(event) if plan.about else ""
        if event.name in plan.hears and any((w.journey, w.about) == (name, about) for w in standing.walks.values()):
            continue  # it is walking already, and was told just now
        following.append(_entering(event, listed.declaration, about, standing, now, mint))
    return following


def refusal_to_enter(plan: Plan, journey: str, about: str, standing: Standing, *, now: datetime) -> Decision | None:
    """What stands against entering a journey now: erasure, an opt-out of everything, the re-entry rule."""
    said: dict[str, object] = {"journey": journey}
    if standing.erased_at:
        return Decision(rule="journey_erased", facts=said)
    everything = standing.consents.get(EVERY_CHANNEL)
    if everything and everything.status is ConsentStatus.DENIED and not _any_later_yes(standing, everything):
        return Decision(rule="opted_out_of_all", facts={**said, "at": everything.at})
    past = standing.past.get((journey, about))
    if past is None:
        return None
    if past.ended_at is None:
        return Decision(rule="already_walking", facts={**said, "since": past.started_at})
    if plan.reentry is Reentry.NEVER:
        return Decision(rule="walked_before", facts={**said, "how_often": "once"})
    if plan.reentry is Reentry.AFTER_A_TIME and now - past.started_at < plan.reentry_after:
        return Decision(
            rule="walked_before", facts={**said, "how_often": f"at most once in {spoken(plan.reentry_after)}"}
        )
    return None


def _is_low(score: object) -> bool:
    """Whether an answer from 0 to 10 asks for help rather than for an offer (S58)."""
    return isinstance(score, (int, float)) and not isinstance(score, bool) and score <= LOW_SCORE


def _any_later_yes(standing: Standing, refusal: Consent) -> bool:
    return any(c.status is ConsentStatus.GRANTED and c.at > refusal.at for c in standing.consents.values())


def _entering(
    event: Event, declaration: Declaration, about: str, standing: Standing, now: datetime, mint: Callable[[], str]
) -> Start | NotStarted:
    plan, name = declaration.plan, declaration.name
    age = event.received_at - event.occurred_at
    refusal: Decision | None
    if age > plan.fresh_within:
        refusal = Decision(rule="old_news", facts={"journey": name, "event": event.name, "age": _roughly(age)})
    elif plan.about and not about:
        refusal = Decision(rule="no_about", facts={"journey": name, "event": event.name, "about": plan.about})
    else:
        refusal = refusal_to_enter(plan, name, about, standing, now=now)
    if refusal:
        return NotStarted(journey=name, decision=refusal)
    return Start(
        enrollment=Walk(id=mint(), journey=name, about=about, started_at=now, after_event=standing.number + 1),
        event=event,
    )


def _for_walk(event: Event, walk: Walk, number: int, routing: Routing, now: datetime) -> list[Consequence]:
    listed = routing.journeys.get(walk.journey)
    if listed is None:  # a journey that this build no longer has: its walks hear nothing
        return []
    plan = listed.declaration.plan
    if plan.about and plan.about_of(event) != walk.about:
        return []
    for outcome, ends in ((Outcome.CONVERTED, (plan.goal,)), (Outcome.EXITED, plan.exits)):
        if event.name in ends:
            decision = Decision(rule=outcome.value, facts={"event": event.name, "at": event.occurred_at})
            return [End(walk=walk, ending=Ending(outcome=outcome), decision=decision, event=event)]
    if event.name not in plan.hears:
        return []
    return _hearing(event, walk, number, declared_properties(plan, event, routing.surrogate), now)


def _hearing(event: Event, walk: Walk, number: int, properties: dict[str, Value], now: datetime) -> list[Consequence]:
    """A signal within the budget; beyond it one catch-up an hour, which reads everything missed."""
    since, count = walk.hearing.get(event.name, (now.isoformat(), 0))
    if now - datetime.fromisoformat(since) >= HOUR:
        since, count = now.isoformat(), 0
    if count < SIGNALS_AN_HOUR and walk.signals < SIGNALS_IN_ALL:
        hearing = {**walk.hearing, event.name: (since, count + 1)}
        told = HeardEvent(id=str(event.id), number=number, name=event.name, at=event.occurred_at, properties=properties)
        return [Signal(walk=replace(walk, signals=walk.signals + 1, hearing=hearing), heard=told)]

    last = walk.hearing.get(CATCHING_UP)
    if last and datetime.fromisoformat(last) > now:
        return []  # one is on its way and will read this event too
    at = max(now, datetime.fromisoformat(last) + HOUR) if last else now + HOUR
    return [CatchUp(walk=replace(walk, hearing={**walk.hearing, CATCHING_UP: at.isoformat()}), at=at)]


def _roughly(age: timedelta) -> str:
    whole = timedelta(days=age.days) if age.days else timedelta(hours=age.seconds // 3600)
    return spoken(whole)
