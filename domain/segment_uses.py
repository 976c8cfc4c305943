"""What journeys do when somebody enters or leaves a segment."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from domain.journey_settings import triggers_here
from domain.journeys import Declaration
from domain.triggers import SEGMENT_ENTERED, SEGMENT_LEFT, On, Trigger, event_of


def watched_by(declarations: Iterable[Declaration]) -> Mapping[str, str]:
    """The segments that journeys start, end or convert by, each with one of those journeys."""
    found: dict[str, str] = {}
    for declaration in declarations:
        plan = declaration.plan
        for trigger in (*plan.starts_on, *plan.may_start_on, plan.goal, *plan.exits):
            found |= dict.fromkeys(segments_of(trigger), declaration.name)
    return found


@dataclass(frozen=True, kw_only=True)
class Use:
    """What a journey does when somebody enters or leaves a segment: it begins, has reached its goal, or ends."""

    journey: str
    does: str
    event: str


def uses(
    segment: str, declarations: Iterable[Declaration], settings: Mapping[str, Mapping[str, object]]
) -> Sequence[Use]:
    """Which journeys begin or end by a segment here, with what marketers set of them."""
    found = []
    for declaration in declarations:
        plan, here = declaration.plan, settings.get(declaration.name, {})
        asked = (
            *(("begins", each) for each in triggers_here(plan, here)),
            *([("goal", plan.goal)] if plan.goal else []),
            *(("ends", each) for each in plan.exits),
        )
        for does, trigger in asked:
            if segment in segments_of(trigger):
                found.append(Use(journey=declaration.name, does=does, event=event_of(trigger)))
    return found


def segments_of(trigger: Trigger | None) -> Sequence[str]:
    """The segments that a trigger is about."""
    if not isinstance(trigger, On) or trigger.event not in (SEGMENT_ENTERED, SEGMENT_LEFT):
        return ()
    named = trigger.where.get("segment")
    return [str(each) for each in (named if isinstance(named, (list, tuple)) else [named])]
