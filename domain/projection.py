"""What an event does to a customer and to their journeys: pure, one event at a time, in order.

`consequences` answers what follows and changes nothing; `Standing.take` then moves the customer on. A raised error
therefore leaves nothing half done, and the event can be quarantined (design 4.3).
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from domain.consequences import CatchUp, Consequence, End, NotStarted, Signal, Start, Walk
from domain.customers import EVERY_CHANNEL, Consent, ConsentStatus
from domain.decisions import Decision
from domain.declared import declared_properties
from domain.durations import spoken
from domain.events import OPT_IN_REQUESTED, UNPROVEN, Event, HeardEvent, Value
from domain.journeys import SIGNALS_AN_HOUR, SIGNALS_IN_ALL, Declaration, Ending, Outcome, Plan, Reentry
from domain.routing import Routing
from domain.standing import Standing
from domain.tracking import is_doubtful
from domain.triggers import any_fits

HOUR = timedelta(hours=1)
CATCHING_UP = ""  # a key that no event name can be


def consequences(
    event: Event, standing: Standing, routing: Routing, *, now: datetime, mint: Callable[[], str]
) -> list[Consequence]:
    """What follows from an event, in the order in which it happens. `mint` makes enrollment ids."""
    following: list[Consequence] = []
    if is_doubtful(event):
        return following
    for walk in standing.walks.values():
        following += _for_walk(event, walk, standing.number + 1, routing, now)
    for listed in routing.starting_on(event):
        if event.imported or standing.nameless:
            continue  # and a decision for each old event, or each look of a stranger, would drown the timeline
        plan, name = listed.declaration.plan, listed.declaration.name
        about = plan.about_of(event) if plan.about else ""
        if event.name in plan.hears and any((w.journey, w.about) == (name, about) for w in standing.walks.values()):
            continue  # it is walking already, and was told just now
        following.append(_entering(event, listed.declaration, about, standing, now, mint))
    return following


def refusal_to_enter(
    plan: Plan,
    journey: str,
    about: str,
    standing: Standing,
    *,
    now: datetime,
    proven: bool = True,
    asked_at: datetime | None = None,
) -> Decision | None:
    """What stands against entering a journey now: erasure, an opt-out of everything (unless the journey serves), the
    re-entry rule.

    Whoever asked to hear from us (`asked_at`) after they had opted out may be asked whether they mean it. What is not
    `proven` to come from them is served to nobody who opted out: a form would bring them letters in any other's name.
    """
    said: dict[str, object] = {"journey": journey}
    if standing.erased_at:
        return Decision(rule="journey_erased", facts=said)
    everything = standing.consents.get(EVERY_CHANNEL)
    left = everything and everything.status is ConsentStatus.DENIED and not _any_later_yes(standing, everything)
    if everything and left and not (plan.serves and proven) and (asked_at is None or asked_at <= everything.at):
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
        asked_at = event.occurred_at if event.name == OPT_IN_REQUESTED else None
        proven = event.name not in UNPROVEN
        refusal = refusal_to_enter(plan, name, about, standing, now=now, proven=proven, asked_at=asked_at)
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
    if (plan.about and plan.about_of(event) != walk.about) or not event.concerns(walk.id):
        return []
    goals = (plan.goal,) if plan.goal else ()
    for outcome, ends in ((Outcome.CONVERTED, goals), (Outcome.EXITED, plan.exits)):
        if any_fits(ends, event):
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
