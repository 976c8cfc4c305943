"""Segments: which customers belong together, as data (S72–S76).

A rule is a tree of `all`, `any` and `not` over conditions about one customer. Each condition is true or false of
everybody, never unknown: what nobody knows of somebody is not true of them, so that its `not` is.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TypeAlias

from domain.checks import Checks, Field, Kind
from domain.customers import Frequency, Trouble
from domain.errors import InvalidInput
from domain.messages import Channel

NAME = re.compile(r"^[a-z][a-z0-9_]{0,63}$")
MOST_CONDITIONS = 100  # in one rule, with those of the segments that it names
DEEPEST = 8  # levels of all, any and not in one rule
ENOUGH = 7  # S76: five to seven segments to start with, not fifty

_NUMBER, _TEXT, _INSTANT = Field(Kind.NUMBER), Field(Kind.TEXT), Field(Kind.INSTANT)


def _choices(words: type[StrEnum]) -> Field:
    return Field(Kind.TEXT, tuple(word.value for word in words))


CUSTOMER: Mapping[str, Field] = {
    **dict.fromkeys(("customer_id", "email", "phone", "locale", "timezone", "stage"), _TEXT),
    **dict.fromkeys(("first_source", "first_medium", "first_campaign"), _TEXT),
    **dict.fromkeys(("orders", "revenue", "engagement"), _NUMBER),
    **dict.fromkeys(("first_seen_at", "stage_since", "last_order_at", "activated_at", "feature_used_at"), _INSTANT),
    **dict.fromkeys(("last_active_at", "engaged_at"), _INSTANT),
    "preferred_channel": _choices(Channel),
    "frequency": _choices(Frequency),
    "trouble": _choices(Trouble),
}
"""`engagement` is the score from 0 to 100, faded until now; `first_source` and the like are of the first touch."""

RFM: Mapping[str, Field] = {
    **dict.fromkeys(("segment", "effective_segment"), _TEXT),
    **dict.fromkeys(("r", "f", "m", "recency_days", "frequency", "monetary"), _NUMBER),
    **dict.fromkeys(("vip", "one_off"), Field(Kind.BOOLEAN)),
    "since": _INSTANT,
}


class Measure(StrEnum):
    """What is asked of several events, orders or messages. Of none, count and sum are 0; there is no first or last."""

    COUNT = "count"
    SUM = "sum"
    FIRST = "first"
    LAST = "last"


class Word(StrEnum):
    """Which word of the customer's is in force about a channel."""

    GRANTED = "granted"
    DENIED = "denied"
    NONE = "none"


@dataclass(frozen=True)
class AllOf:
    """Who meets every one of these."""

    parts: tuple["Rule", ...]


@dataclass(frozen=True)
class AnyOf:
    """Who meets at least one of these."""

    parts: tuple["Rule", ...]


@dataclass(frozen=True)
class Not:
    """Everybody else."""

    part: "Rule"


@dataclass(frozen=True, kw_only=True)
class Known:
    """A field of the customer (`CUSTOMER`)."""

    name: str
    checks: Checks


@dataclass(frozen=True, kw_only=True)
class Scored:
    """A field of the customer's RFM (`RFM`). Who never ordered has none."""

    name: str
    checks: Checks


@dataclass(frozen=True, kw_only=True)
class Attribute:
    """One of the company's own facts."""

    name: str
    checks: Checks


@dataclass(frozen=True, kw_only=True)
class Said:
    """The consent in force for a channel, or for one topic there, as `domain.customers.in_force` reads it."""

    channel: Channel
    topic: str
    word: Word


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """Events of a name whose properties pass."""

    name: str
    where: tuple[tuple[str, Checks], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Happened:
    """Events since `within` ago, or ever: their count, the sum of their `property`, when the first or the last was."""

    pattern: Pattern
    within: timedelta | None
    measure: Measure
    checks: Checks
    property: str = ""


@dataclass(frozen=True, kw_only=True)
class Missed:
    """`first` happened since `since` ago, or ever; `then` did not within `within` of it, and that time has passed."""

    first: Pattern
    since: timedelta | None
    then: Pattern
    within: timedelta


@dataclass(frozen=True, kw_only=True)
class Bought:
    """Orders that stand, placed since `within` ago, or ever; `with_code`: those with, or without, an offer code."""

    within: timedelta | None
    with_code: bool | None
    measure: Measure
    checks: Checks


@dataclass(frozen=True, kw_only=True)
class Told:
    """Messages but transactional ones that went out since `within` ago, or ever; `seen`: those certainly seen."""

    within: timedelta | None
    channel: Channel | None
    seen: bool
    checks: Checks


@dataclass(frozen=True, kw_only=True)
class Member:
    """Everybody in another segment."""

    segment: str


Condition: TypeAlias = Known | Scored | Attribute | Said | Happened | Missed | Bought | Told | Member
Rule: TypeAlias = AllOf | AnyOf | Not | Condition


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A rule, as it is written in JSON, with its name and what people call it, by language (en, ru)."""

    name: str
    label: Mapping[str, str]
    description: Mapping[str, str]
    rule: object


def conditions(rule: Rule) -> Iterator[Condition]:
    """Every condition of a rule, in the order in which it is written."""
    match rule:
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from conditions(part)
        case Not(part):
            yield from conditions(part)
        case _:
            yield rule


def named_in(rule: Rule) -> tuple[str, ...]:
    """The segments that a rule names, each once."""
    return tuple(dict.fromkeys(each.segment for each in conditions(rule) if isinstance(each, Member)))


def asks_for_engagement(rule: Rule) -> bool:
    """Whether a resolved rule asks for customers' engagement scores, which move when their scale does."""
    return any(isinstance(each, Known) and each.name == "engagement" for each in conditions(rule))


def resolved(name: str, rule: Rule, rule_of: Callable[[str], Rule | None]) -> Rule:
    """The rule of a segment, with the rules of those it names in their places.

    Raises InvalidInput for a segment that does not exist or leads back to itself, and for too many conditions.
    """
    whole = _resolved(rule, rule_of, (name,))
    if (count := sum(1 for _ in conditions(whole))) > MOST_CONDITIONS:
        raise InvalidInput(
            [f"rule: {name} has {count} conditions with those of the segments it names; the most is {MOST_CONDITIONS}"]
        )
    return whole


def _resolved(rule: Rule, rule_of: Callable[[str], Rule | None], path: tuple[str, ...]) -> Rule:
    match rule:
        case AllOf(parts):
            return AllOf(tuple(_resolved(part, rule_of, path) for part in parts))
        case AnyOf(parts):
            return AnyOf(tuple(_resolved(part, rule_of, path) for part in parts))
        case Not(part):
            return Not(_resolved(part, rule_of, path))
        case Member(segment=named) if named in path:
            raise InvalidInput([f"rule: leads back to itself: {' → '.join([*path, named])}"])
        case Member(segment=named):
            found = rule_of(named)
            if found is None:
                raise InvalidInput([f"rule: there is no segment {named!r}"])
            return _resolved(found, rule_of, (*path, named))
    return rule
