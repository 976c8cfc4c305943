"""Checks a journey's plan when its class loads, so that a mistake stops its author and no customer."""

from domain.errors import InvalidDeclaration
from domain.journeys import Plan
from domain.options import check_declared, is_safe_kind
from domain.triggers import problems_in


def check_plan(journey: str, plan: object) -> None:
    """Refuse a plan that cannot work. Raises InvalidDeclaration saying what, which and what next."""
    if not isinstance(plan, Plan):
        raise InvalidDeclaration(f"{journey}: declare `plan = Plan(...)` in the class.")
    goals = (plan.goal,) if plan.goal else ()
    for trigger in (*plan.starts_on, *plan.may_start_on, *plan.hears, *plan.exits, *goals):
        if problems := problems_in(trigger):
            raise InvalidDeclaration(f"{journey}: {problems[0]}")
    for event, properties in plan.properties.items():
        if event not in plan.hears:
            raise InvalidDeclaration(f"{journey}: properties of {event!r} are declared, but it is not in `hears`.")
        for name, kind in properties.items():
            if not is_safe_kind(kind):
                raise InvalidDeclaration(
                    f"{journey}: property {event}.{name} is of type {kind}. Signals travel into Temporal, so only "
                    "number, boolean, instant, enum and Id are allowed; read free text in an activity instead."
                )
    if not 1 <= plan.priority <= 5:
        raise InvalidDeclaration(f"{journey}: priority goes from 1 (first) to 5, not {plan.priority}.")
    check_declared(journey, plan.options)
