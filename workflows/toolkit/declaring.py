"""Checks a journey's plan when its class loads, so that a mistake stops its author and no customer."""

from collections.abc import Iterator

from domain.errors import InvalidDeclaration
from domain.events import EVENT_NAME
from domain.journey_settings import RESERVED
from domain.journeys import Plan
from domain.options import check_declared, describe, is_safe_kind
from domain.triggers import problems_in


def check_plan(journey: str, plan: object) -> None:
    """Refuse a plan that cannot work. Raises InvalidDeclaration saying what, which and what next."""
    if not isinstance(plan, Plan):
        raise InvalidDeclaration(f"{journey}: declare `plan = Plan(...)` in the class.")
    for problem in (*_triggers(plan), *_properties(plan), *_experiments(plan)):
        raise InvalidDeclaration(f"{journey}: {problem}")
    if not 1 <= plan.priority <= 5:
        raise InvalidDeclaration(f"{journey}: priority goes from 1 (first) to 5, not {plan.priority}.")
    check_declared(journey, plan.options)
    check_declared(journey, plan.carries)
    if taken := sorted(RESERVED & {option.name for option in describe(plan.options)}):
        raise InvalidDeclaration(f"{journey}: option {taken[0]!r} has a name that every journey has; choose another.")


def _triggers(plan: Plan) -> Iterator[str]:
    goals = (plan.goal,) if plan.goal else ()
    for trigger in (*plan.starts_on, *plan.may_start_on, *plan.hears, *plan.exits, *goals):
        yield from problems_in(trigger)


def _properties(plan: Plan) -> Iterator[str]:
    for event, properties in plan.properties.items():
        if event not in plan.hears:
            yield f"properties of {event!r} are declared, but it is not in `hears`."
        for name, kind in properties.items():
            if not is_safe_kind(kind):
                yield (
                    f"property {event}.{name} is of type {kind}. Signals travel into Temporal, so only "
                    "number, boolean, instant, enum and Id are allowed; read free text in an activity instead."
                )


def _experiments(plan: Plan) -> Iterator[str]:
    for experiment, variants in plan.experiments.items():
        named = isinstance(variants, tuple) and all(EVENT_NAME.fullmatch(each) for each in (experiment, *variants))
        if not named or len(set(variants)) < 2 or len(set(variants)) < len(variants):
            yield f"experiment {experiment!r} needs two or more variants, each another name in snake_case."


def check_crm_facts(journey: str, stage: str, task: str, visits: int) -> None:
    """Refuse free text, which Temporal must not hold, and a task that this walk has not created."""
    if stage and not EVENT_NAME.fullmatch(stage):
        raise InvalidDeclaration(f"{journey}: a stage is one word in snake_case, such as decision; this one is not.")
    if task and not visits:
        raise InvalidDeclaration(f"{journey}: tell the CRM of the task {task!r} after create_task({task!r}).")


def check_carried(journey: str, plan: Plan, state: object) -> None:
    """Refuse to go on with anything but what the plan carries. Raises InvalidDeclaration."""
    if not isinstance(state, plan.carries):
        raise InvalidDeclaration(
            f"{journey}: go_on takes what the plan declares as `carries`: {plan.carries.__name__}."
        )
