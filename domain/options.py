"""The options a journey declares: a frozen dataclass whose fields marketers may set.

Only numbers, booleans, instants, durations and enums: options travel into Temporal, where no free text may go.

    @dataclass(frozen=True, kw_only=True)
    class WelcomeOptions:
        basics_after: Annotated[timedelta, Between(hours(1), days(30))] = days(2)
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, NewType, get_args, get_origin, get_type_hints

from domain.durations import parse_duration, spoken
from domain.errors import InvalidDeclaration, InvalidInput

Id = NewType("Id", str)
"""A foreign identifier. Journeys see a keyed surrogate of it, never the thing itself."""


@dataclass(frozen=True)
class Between:
    """Bounds of an option, both included."""

    least: Any
    most: Any


@dataclass(frozen=True, kw_only=True)
class NoOptions:
    """For a journey with nothing to set."""


@dataclass(frozen=True, kw_only=True)
class Option:
    """One option as marketers read it. Values are as they are written in JSON."""

    name: str
    kind: str
    default: object
    least: object = None
    most: object = None
    choices: tuple[str, ...] = ()


_KINDS: dict[type, str] = {bool: "boolean", int: "number", float: "number", timedelta: "duration", datetime: "instant"}


def is_safe_kind(kind: object) -> bool:
    """Whether values of this type may travel into Temporal: number, boolean, instant, duration, enum or id."""
    return kind is Id or kind in _KINDS or (isinstance(kind, type) and issubclass(kind, StrEnum))


def check_declared(owner: str, options: type) -> None:
    """Refuse an options class that could carry free text or has no default. Raises InvalidDeclaration."""
    if not is_dataclass(options):
        raise InvalidDeclaration(f"{owner}: options must be a frozen dataclass; {options.__name__} is not.")
    for name, (kind, _) in _hints(options).items():
        if kind is Id or not is_safe_kind(kind):
            raise InvalidDeclaration(
                f"{owner}: option {name!r} is of type {kind}. Options travel into Temporal, so only number, boolean, "
                "instant, duration and enum are allowed; put words into a message template."
            )
    try:
        options()
    except TypeError as error:
        raise InvalidDeclaration(f"{owner}: every option needs a default ({error}).") from error


def describe(options: type) -> tuple[Option, ...]:
    """The options of a journey, for people."""
    defaults = options()
    described = []
    for name, (kind, bounds) in _hints(options).items():
        described.append(
            Option(
                name=name,
                kind=_KINDS.get(kind, "choice"),
                default=written(getattr(defaults, name)),
                least=written(bounds.least) if bounds else None,
                most=written(bounds.most) if bounds else None,
                choices=tuple(member.value for member in kind) if _is_enum(kind) else (),
            )
        )
    return tuple(described)


def parse_options(options: type, given: Mapping[str, object]) -> Any:
    """The options object for JSON values, defaults filled in. Raises InvalidInput naming every wrong option."""
    hints, problems, values = _hints(options), [], {}
    for name, value in given.items():
        if name not in hints:
            known = ", ".join(hints) or "none"
            problems.append(f"options.{name[:64]}: there is no such option; this journey has: {known}")
            continue
        kind, bounds = hints[name]
        try:
            values[name] = _bounded(_parse(kind, value), bounds)
        except (InvalidInput, ValueError, OverflowError) as error:
            problems.append(f"options.{name}: {error}")
    if problems:
        raise InvalidInput(problems)
    return options(**values)


def restore_options(options: type, recorded: Mapping[str, object]) -> Any:
    """The options of an enrollment that began earlier, perhaps under older code.

    They were checked then: an option that is gone is left out, and bounds that have moved do not stop who is inside.
    """
    hints = _hints(options)
    return options(**{name: _parse(hints[name][0], value) for name, value in recorded.items() if name in hints})


def written(value: object) -> object:
    """A value as JSON carries it."""
    match value:
        case timedelta():
            return spoken(value)
        case datetime():
            return value.isoformat()
        case StrEnum():
            return value.value
    return value


def written_options(options: object) -> dict[str, object]:
    """An options object as JSON carries it."""
    return {field.name: written(getattr(options, field.name)) for field in fields(options)}  # type: ignore[arg-type]


def _hints(options: type) -> dict[str, tuple[Any, Between | None]]:
    hints: dict[str, tuple[Any, Between | None]] = {}
    for name, hint in get_type_hints(options, include_extras=True).items():
        if get_origin(hint) is Annotated:
            kind, *notes = get_args(hint)
            hints[name] = (kind, next((n for n in notes if isinstance(n, Between)), None))
        else:
            hints[name] = (hint, None)
    return hints


def _is_enum(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, StrEnum)


def _parse(kind: Any, value: object) -> Any:
    if kind is bool:
        if isinstance(value, bool):
            return value
        raise ValueError("must be true or false")
    if kind in (int, float):
        if isinstance(value, kind if kind is int else (int, float)) and not isinstance(value, bool):
            return kind(value)
        raise ValueError("must be a whole number" if kind is int else "must be a number")
    if not isinstance(value, str):
        raise ValueError(f"must be text, such as {'2 days' if kind is timedelta else '2026-01-31T09:00:00Z'!r}")
    if kind is timedelta:
        return parse_duration(value)
    if kind is datetime:
        instant = datetime.fromisoformat(value)
        if instant.tzinfo is None:
            raise ValueError("needs a time zone, for example 2026-01-31T09:00:00Z")
        return instant
    try:
        return kind(value)
    except ValueError:
        raise ValueError(f"must be one of {', '.join(member.value for member in kind)}") from None


def _bounded(value: Any, bounds: Between | None) -> Any:
    if bounds and not bounds.least <= value <= bounds.most:
        raise ValueError(f"must be between {written(bounds.least)} and {written(bounds.most)}; got {written(value)}")
    return value
