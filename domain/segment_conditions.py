"""The conditions of a segment's rule, from JSON: one function for each word that a rule can have."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import TypeVar

from domain.checks import Check, Checks, Comparison, Field, Kind, read_checks, read_duration, read_text
from domain.errors import InvalidInput
from domain.events import EVENT_NAME
from domain.messages import Channel
from domain.segments import (
    CUSTOMER,
    NAME,
    RFM,
    Attribute,
    Bought,
    Happened,
    Known,
    Measure,
    Member,
    Missed,
    Pattern,
    Rule,
    Said,
    Scored,
    Told,
    Word,
)

_ANYTHING, _AMOUNT, _WHEN = Field(Kind.ANY), Field(Kind.NUMBER), Field(Kind.INSTANT)
_ALWAYS = (Comparison.EXISTS,)  # of events and the like nothing can be missing: it is asked how many there are
_AT_LEAST_ONE = (Check(Comparison.AT_LEAST, Decimal(1)),)
T = TypeVar("T")


class Notes:
    """What is wrong, with its path."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def wrong(self, path: str, problem: str) -> None:
        """Note a problem."""
        self.problems.append(f"{path}: {problem}")

    def read(self, path: str, read: Callable[[], T], otherwise: T) -> T:
        """What is read, or `otherwise` where it is wrong."""
        try:
            return read()
        except InvalidInput as error:
            self.problems += [f"{path}: {problem}" for problem in error.problems]
            return otherwise

    def checks(self, given: object, of: Field, path: str, but: tuple[Comparison, ...] = ()) -> Checks:
        """Checks; none where they are wrong."""
        try:
            return read_checks(given, of, path, but=but)
        except InvalidInput as error:
            self.problems += error.problems
            return ()

    def settings(self, given: object, path: str, *allowed: str) -> dict[str, object]:
        """An object with some of these names; any names, when none are given."""
        if not isinstance(given, dict) or not given:
            self.wrong(path, f"must say some of: {', '.join(allowed)}" if allowed else "must name something")
            return {}
        for name in given:
            if allowed and name not in allowed:
                self.wrong(f"{path}.{name[:64]}", f"is not known here; these are: {', '.join(allowed)}")
        return {name: value for name, value in given.items() if not allowed or name in allowed}

    def choice(self, given: object, path: str, words: Sequence[str]) -> bool:
        """Whether it is one of some words."""
        if given not in words:
            self.wrong(path, f"must be one of {', '.join(words)}")
        return given in words

    def duration(self, told: Mapping[str, object], name: str, path: str) -> timedelta | None:
        """A duration, if it is told."""
        return self.read(f"{path}.{name}", lambda: read_duration(told[name]), None) if name in told else None

    def boolean(self, told: Mapping[str, object], name: str, path: str) -> bool | None:
        """True or false, if it is told."""
        value = told.get(name)
        if name in told and not isinstance(value, bool):
            self.wrong(f"{path}.{name}", "must be true or false")
        return value if isinstance(value, bool) else None


def _fields(given: object, path: str, notes: Notes, known: Mapping[str, Field]) -> list[tuple[str, Checks]]:
    found = []
    for name, asked in notes.settings(given, path, *known).items():
        if name in known:
            found.append((name, notes.checks(asked, known[name], f"{path}.{name}")))
    return found


def _properties(given: object, path: str, notes: Notes, of: Field, *but: Comparison) -> list[tuple[str, Checks]]:
    """Checks by names of the company's own."""
    found = []
    for name, asked in notes.settings(given, path).items():
        here = f"{path}.{name[:64]}"
        if notes.read(here, lambda name=name: read_text(name), ""):  # type: ignore[misc]
            found.append((name, notes.checks(asked, of, here, but)))
    return found


def _customer(given: object, path: str, notes: Notes) -> list[Rule]:
    return [Known(name=name, checks=checks) for name, checks in _fields(given, path, notes, CUSTOMER)]


def _rfm(given: object, path: str, notes: Notes) -> list[Rule]:
    return [Scored(name=name, checks=checks) for name, checks in _fields(given, path, notes, RFM)]


def _attribute(given: object, path: str, notes: Notes) -> list[Rule]:
    return [Attribute(name=name, checks=checks) for name, checks in _properties(given, path, notes, _ANYTHING)]


def _consent(given: object, path: str, notes: Notes) -> list[Rule]:
    """By scope, as everywhere: a channel, or a channel and a topic, "email/news"."""
    found: list[Rule] = []
    for scope, word in notes.settings(given, path).items():
        channel, _, topic = scope.partition("/")
        here = f"{path}.{scope[:64]}"
        fine = notes.choice(channel, here, tuple(Channel)) and notes.choice(word, here, tuple(Word))
        if fine and (not topic or notes.read(here, lambda topic=topic: read_text(topic), "")):  # type: ignore[misc]
            found.append(Said(channel=Channel(channel), topic=topic, word=Word(str(word))))
    return found


def _pattern(told: Mapping[str, object], path: str, notes: Notes) -> Pattern:
    name = told.get("name")
    if not isinstance(name, str) or not EVENT_NAME.fullmatch(name):
        notes.wrong(f"{path}.name", "must be the name of an event, such as order_placed")
    where = _properties(told["where"], f"{path}.where", notes, _ANYTHING) if "where" in told else []
    return Pattern(name=str(name), where=tuple(where))


def _measures(
    told: Mapping[str, object], path: str, notes: Notes, *measures: tuple[str, Measure]
) -> list[tuple[Measure, Checks]]:
    """What is asked of some measures, by the names they have here."""
    found = []
    for name, measure in measures:
        if name in told:
            kind = _AMOUNT if measure in (Measure.COUNT, Measure.SUM) else _WHEN
            found.append((measure, notes.checks(told[name], kind, f"{path}.{name}", _ALWAYS)))
    return found


_COUNT, _FIRST, _LAST = ("count", Measure.COUNT), ("first", Measure.FIRST), ("last", Measure.LAST)
_REVENUE = ("revenue", Measure.SUM)


def _event(given: object, path: str, notes: Notes) -> list[Rule]:
    told = notes.settings(given, path, "name", "where", "within", "count", "sum", "first", "last")
    pattern, within = _pattern(told, path, notes), notes.duration(told, "within", path)
    sums = _properties(told["sum"], f"{path}.sum", notes, _AMOUNT, *_ALWAYS) if "sum" in told else []
    asked = [(measure, checks, "") for measure, checks in _measures(told, path, notes, _COUNT, _FIRST, _LAST)]
    asked += [(Measure.SUM, checks, name) for name, checks in sums]
    return [
        Happened(pattern=pattern, within=within, measure=measure, checks=checks, property=name)
        for measure, checks, name in asked or [(Measure.COUNT, _AT_LEAST_ONE, "")]
    ]


def _sequence(given: object, path: str, notes: Notes) -> list[Rule]:
    told = notes.settings(given, path, "first", "then_not", "within")
    first = notes.settings(told.get("first"), f"{path}.first", "name", "where", "within")
    then = notes.settings(told.get("then_not"), f"{path}.then_not", "name", "where")
    if "within" not in told:
        notes.wrong(f"{path}.within", 'is missing: how long to wait for it, such as "2 days"')
    return [
        Missed(
            first=_pattern(first, f"{path}.first", notes),
            since=notes.duration(first, "within", f"{path}.first"),
            then=_pattern(then, f"{path}.then_not", notes),
            within=notes.duration(told, "within", path) or timedelta(0),
        )
    ]


def _orders(given: object, path: str, notes: Notes) -> list[Rule]:
    told = notes.settings(given, path, "within", "with_code", "count", "revenue", "first", "last")
    within, with_code = notes.duration(told, "within", path), notes.boolean(told, "with_code", path)
    asked = _measures(told, path, notes, _COUNT, _REVENUE, _FIRST, _LAST)
    return [
        Bought(within=within, with_code=with_code, measure=measure, checks=checks)
        for measure, checks in asked or [(Measure.COUNT, _AT_LEAST_ONE)]
    ]


def _messages(given: object, path: str, notes: Notes) -> list[Rule]:
    told = notes.settings(given, path, "within", "channel", "seen", "count")
    channel = None
    if "channel" in told and notes.choice(told["channel"], f"{path}.channel", tuple(Channel)):
        channel = Channel(str(told["channel"]))
    within, seen = notes.duration(told, "within", path), notes.boolean(told, "seen", path) or False
    asked = _measures(told, path, notes, _COUNT) or [(Measure.COUNT, _AT_LEAST_ONE)]
    return [Told(within=within, channel=channel, seen=seen, checks=checks) for _, checks in asked]


def _segment(given: object, path: str, notes: Notes) -> list[Rule]:
    if isinstance(given, str) and NAME.fullmatch(given):
        return [Member(segment=given)]
    notes.wrong(path, "must be the name of a segment")
    return []


CONDITIONS: Mapping[str, Callable[[object, str, Notes], Sequence[Rule]]] = {
    "customer": _customer,
    "attribute": _attribute,
    "rfm": _rfm,
    "consent": _consent,
    "event": _event,
    "sequence": _sequence,
    "orders": _orders,
    "messages": _messages,
    "segment": _segment,
}
