"""What of an event a journey may be told: the properties that it declared, of the kinds that it declared."""

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum

from domain.durations import parse_duration
from domain.errors import InvalidInput
from domain.events import Event, Value
from domain.journeys import Plan
from domain.options import Id
from domain.surveys import SURVEY_ANSWERED, answer_of


def declared_properties(plan: Plan, event: Event, surrogate: Callable[[str], str]) -> dict[str, Value]:
    """The properties of an event that a plan declares, of the declared kind; others and misfits are left out.

    Of an answer to a survey, the score and the send are told without being declared.
    """
    declared: dict[str, Value] = answer_of(event) if event.name == SURVEY_ANSWERED else {}
    for name, kind in plan.properties.get(event.name, {}).items():
        value = event.properties.get(name)
        if kind is Id:
            if isinstance(value, (str, int)) and not isinstance(value, bool):
                declared[name] = surrogate(str(value))
        elif _fits(kind, value):
            declared[name] = value  # type: ignore[assignment]  # of a kind that fits
    return declared


def _fits(kind: type, value: object) -> bool:
    if isinstance(value, bool):
        return kind is bool
    if isinstance(value, (int, float)):
        return kind is float or (kind is int and isinstance(value, int))
    if not isinstance(value, str):
        return False
    try:
        if kind is datetime:
            datetime.fromisoformat(value)
        elif kind is timedelta:
            parse_duration(value)
        else:
            return issubclass(kind, StrEnum) and bool(kind(value))
    except (ValueError, InvalidInput):
        return False
    return True
