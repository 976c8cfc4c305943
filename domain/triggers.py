"""What starts, ends or moves something: an event by its name and by what it says of itself (S65–S69)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from domain.events import EVENT_NAME, Event, Value

STAGE_ENTERED = "stage_entered"
SEGMENT_ENTERED = "segment_entered"
SEGMENT_LEFT = "segment_left"


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """A number from `at_least` to `at_most`, both included; one of them may be left open."""

    at_least: float | None = None
    at_most: float | None = None

    def holds(self, value: object) -> bool:
        """Whether a value is such a number."""
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        return (self.at_least is None or value >= self.at_least) and (self.at_most is None or value <= self.at_most)

    def __str__(self) -> str:
        least, most = _number(self.at_least), _number(self.at_most)
        if not most:
            return f"at least {least}"
        return f"from {least} to {most}" if least else f"at most {most}"


def at_least(number: float) -> Bounds:
    """This many, or more."""
    return Bounds(at_least=number)


def at_most(number: float) -> Bounds:
    """This many, or fewer."""
    return Bounds(at_most=number)


Wanted: TypeAlias = Value | Sequence[str] | Bounds


@dataclass(frozen=True)
class On:
    """An event whose properties are as wanted: a value is that value, a list one of these texts, or within `Bounds`.

    A property that is itself a list fits when one of its members does.
    """

    event: str
    where: Mapping[str, Wanted] = field(default_factory=dict)

    def fits(self, event: Event) -> bool:
        """Whether it is such an event."""
        return event.name == self.event and all(
            _holds(wanted, event.properties.get(name)) for name, wanted in self.where.items()
        )

    def __str__(self) -> str:
        asked = (f"{name.replace('_', ' ')} {_told(wanted)}" for name, wanted in self.where.items())
        return f"{self.event} ({', '.join(asked)})" if self.where else self.event


Trigger: TypeAlias = str | On


def entering_stage(stage: str) -> On:
    """The customer enters a stage of their life with us."""
    return On(STAGE_ENTERED, {"stage": stage})


def entering_segment(segment: str) -> On:
    """The customer comes to belong to a segment."""
    return On(SEGMENT_ENTERED, {"segment": segment})


def leaving_segment(segment: str) -> On:
    """The customer belongs to a segment no more."""
    return On(SEGMENT_LEFT, {"segment": segment})


def near_date(attribute: str, *, days_before: int) -> On:
    """A date of the customer is so many days away; a negative number is after it. `TROPA_SWEEP` must name it, too."""
    return On("date_near", {"date": attribute, "days": days_before})


def event_of(trigger: Trigger) -> str:
    """The name of the event that a trigger is about."""
    return trigger if isinstance(trigger, str) else trigger.event


def events_of(triggers: Iterable[Trigger]) -> tuple[str, ...]:
    """The names of the events that triggers are about, each once."""
    return tuple(dict.fromkeys(event_of(each) for each in triggers))


def any_fits(triggers: Iterable[Trigger], event: Event) -> bool:
    """Whether an event is what one of the triggers waits for."""
    return any(each == event.name if isinstance(each, str) else each.fits(event) for each in triggers)


def problems_in(trigger: Trigger) -> list[str]:
    """What is wrong with a trigger, each with what is right."""
    problems = []
    name = event_of(trigger)
    if not EVENT_NAME.fullmatch(name):
        problems.append(f"{name!r} is no event name; use lower case, digits and underscores.")
    for prop, wanted in trigger.where.items() if isinstance(trigger, On) else ():
        texts = isinstance(wanted, (list, tuple)) and wanted and all(isinstance(each, str) for each in wanted)
        bounds = isinstance(wanted, Bounds) and (wanted.at_least, wanted.at_most) != (None, None)
        if not (texts or bounds or isinstance(wanted, (str, int, float, bool))):
            problems.append(
                f"{name}.{prop}: {wanted!r} cannot be asked for; write a value, a list of texts, at_least or at_most."
            )
    return problems


def _holds(wanted: Wanted, value: object) -> bool:
    if isinstance(value, list):
        return any(_holds(wanted, each) for each in value if not isinstance(each, list))
    if isinstance(wanted, Bounds):
        return wanted.holds(value)
    if isinstance(wanted, (list, tuple)):
        return isinstance(value, str) and value in wanted
    return value == wanted and isinstance(value, bool) == isinstance(wanted, bool)


def _told(wanted: Wanted) -> str:
    if isinstance(wanted, (list, tuple)):
        return " or ".join(wanted)
    return str(wanted).lower() if isinstance(wanted, bool) else str(wanted)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
