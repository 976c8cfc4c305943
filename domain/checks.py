"""What may be asked of a value, as data: `{"at_least": 3}`, `{"older_than": "90 days"}`, `{"in": ["team", "pro"]}`.

Several checks of one value must all hold. A bare value asks for that value, a list for one of those in it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from domain.durations import days, parse_duration, spoken
from domain.errors import InvalidInput

LONGEST_TEXT = 200
MOST_VALUES = 200
LARGEST = 10**15
LONGEST = days(3660)
_INSTANT = re.compile(r"^\d{4}-\d\d-\d\d[Tt ]")


class Comparison(StrEnum):
    """How a value is compared. `within` and `older_than` count back from now."""

    EQUALS = "equals"
    IN = "in"
    CONTAINS = "contains"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    MORE_THAN = "more_than"
    LESS_THAN = "less_than"
    BEFORE = "before"
    AFTER = "after"
    WITHIN = "within"
    OLDER_THAN = "older_than"
    EXISTS = "exists"


class Kind(StrEnum):
    """What a value is. `any` is JSON of the company's own, of whatever kind it happens to be."""

    NUMBER = "number"
    TEXT = "text"
    BOOLEAN = "boolean"
    INSTANT = "instant"
    ANY = "any"


NUMERIC = (
    Comparison.EQUALS,
    Comparison.IN,
    Comparison.AT_LEAST,
    Comparison.AT_MOST,
    Comparison.MORE_THAN,
    Comparison.LESS_THAN,
)
_INSTANTS = (Comparison.BEFORE, Comparison.AFTER)
_DURATIONS = (Comparison.WITHIN, Comparison.OLDER_THAN)
COMPARISONS: Mapping[Kind, tuple[Comparison, ...]] = {
    Kind.NUMBER: (*NUMERIC, Comparison.EXISTS),
    Kind.TEXT: (Comparison.EQUALS, Comparison.IN, Comparison.CONTAINS, Comparison.EXISTS),
    Kind.BOOLEAN: (Comparison.EQUALS,),
    Kind.INSTANT: (*_INSTANTS, *_DURATIONS, Comparison.EXISTS),
    Kind.ANY: tuple(Comparison),
}

Value: TypeAlias = str | bool | Decimal


@dataclass(frozen=True)
class Check:
    """One comparison and what with: a value, several for `in`, an instant, or a duration."""

    comparison: Comparison
    than: Value | tuple[Value, ...] | datetime | timedelta


Checks: TypeAlias = tuple[Check, ...]


@dataclass(frozen=True)
class Field:
    """Something that can be asked about: its kind, and the words that it can be where those are few."""

    kind: Kind
    choices: tuple[str, ...] = ()


def read_checks(given: object, of: Field, path: str, *, but: tuple[Comparison, ...] = ()) -> Checks:
    """Checks from JSON, all comparisons allowed `but` some. Raises InvalidInput; each problem begins with its path."""
    allowed = [each for each in COMPARISONS[of.kind] if each not in but]
    if isinstance(given, list):
        given = {Comparison.IN.value: given}
    elif not isinstance(given, dict):
        given = {Comparison.EQUALS.value: given}
    if not given:
        raise InvalidInput([f"{path}: must ask something: {', '.join(allowed)}"])
    problems: list[str] = []
    checks = []
    for name, value in given.items():
        if name not in allowed:
            problems.append(f"{path}.{name[:64]}: cannot be asked here; this can: {', '.join(allowed)}")
            continue
        try:
            checks.append(Check(Comparison(name), _than(Comparison(name), value, of)))
        except InvalidInput as error:
            problems += [f"{path}.{name}: {problem}" for problem in error.problems]
    if problems:
        raise InvalidInput(problems)
    return tuple(checks)


def read_duration(given: object) -> timedelta:
    """A duration back from now. Raises InvalidInput."""
    if not isinstance(given, str):
        raise InvalidInput(['must be a duration, such as "2 days" or "36 hours"'])
    duration = parse_duration(given)
    if not timedelta(0) < duration <= LONGEST:
        raise InvalidInput([f"must be longer than nothing and at most {spoken(LONGEST)}; got {given[:40]}"])
    return duration


def read_text(given: object) -> str:
    """Words that a database can hold. Raises InvalidInput."""
    if not isinstance(given, str) or not given:
        raise InvalidInput(["must be text"])
    if len(given) > LONGEST_TEXT:
        raise InvalidInput([f"must have at most {LONGEST_TEXT} characters"])
    if any(each < " " or each == "\x7f" or "\ud800" <= each <= "\udfff" for each in given):
        raise InvalidInput(["holds a character that is none"])
    return given


def _than(comparison: Comparison, given: object, of: Field) -> Value | tuple[Value, ...] | datetime | timedelta:
    if comparison is Comparison.EXISTS:
        return _boolean(given)
    if comparison is Comparison.CONTAINS:
        return read_text(given)
    if comparison in _DURATIONS:
        return read_duration(given)
    if comparison in _INSTANTS:
        return _instant(given)
    if comparison is Comparison.IN:
        if not isinstance(given, list) or not 1 <= len(given) <= MOST_VALUES:
            raise InvalidInput([f"must be a list of 1 to {MOST_VALUES} values"])
        return tuple(_value(each, of) for each in given)
    return _number(given) if comparison is not Comparison.EQUALS else _value(given, of)


def _value(given: object, of: Field) -> Value:
    if of.kind is Kind.BOOLEAN or (of.kind is Kind.ANY and isinstance(given, bool)):
        return _boolean(given)
    if of.kind is Kind.NUMBER or (of.kind is Kind.ANY and isinstance(given, (int, float))):
        return _number(given)
    if of.kind is Kind.ANY and not isinstance(given, str):
        raise InvalidInput(["must be text, a number, true or false"])
    words = read_text(given)
    if of.choices and words not in of.choices:
        raise InvalidInput([f"must be one of {', '.join(of.choices)}"])
    return words


def _boolean(given: object) -> bool:
    if not isinstance(given, bool):
        raise InvalidInput(["must be true or false"])
    return given


def _number(given: object) -> Decimal:
    if isinstance(given, bool) or not isinstance(given, (int, float)):
        raise InvalidInput(["must be a number"])
    if not -LARGEST <= given <= LARGEST:  # NaN and infinity, too
        raise InvalidInput([f"must be between -{LARGEST:,} and {LARGEST:,}"])
    return Decimal(str(given))


def _instant(given: object) -> datetime:
    problem = InvalidInput(["must be an instant such as 2026-01-31T09:00:00Z"])
    if not isinstance(given, str) or not _INSTANT.match(given):
        raise problem
    try:
        instant = datetime.fromisoformat(given)
        if instant.tzinfo is None:
            raise problem
        return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise problem from None
