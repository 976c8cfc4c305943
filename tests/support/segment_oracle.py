"""Who meets a segment's rule, by brute force: one person at a time, every row looked at, nothing of the SQL."""

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from domain.checks import Check, Checks, Comparison, Kind
from domain.customers import Consent, in_force
from domain.engagement import Engagement, score
from domain.segments import (
    CUSTOMER,
    RFM,
    AllOf,
    AnyOf,
    Attribute,
    Bought,
    Happened,
    Known,
    Measure,
    Member,
    Missed,
    Not,
    Pattern,
    Rule,
    Said,
    Scored,
    Told,
    Word,
)


@dataclass(frozen=True, kw_only=True)
class Row:
    """An event, an order or a message: when it was, and what is known of it."""

    at: datetime
    name: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(kw_only=True)
class Person:
    """A customer with all that the database has of them. `row` are the columns."""

    id: str
    row: dict[str, Any]
    attributes: dict[str, Any]
    consents: dict[str, Consent]
    rfm: dict[str, Any] | None
    events: list[Row]
    orders: list[Row]
    sends: list[Row]


@dataclass(frozen=True, kw_only=True)
class Oracle:
    """Answers at one instant."""

    now: datetime
    scale: float
    rule_of: Callable[[str], Rule]

    def matches(self, rule: Rule, person: Person) -> bool:  # noqa: C901  one case for each kind
        """Whether a person meets a rule."""
        match rule:
            case AllOf(parts):
                return all(self.matches(part, person) for part in parts)
            case AnyOf(parts):
                return any(self.matches(part, person) for part in parts)
            case Not(part):
                return not self.matches(part, person)
            case Member(segment=name):
                return self.matches(self.rule_of(name), person)
            case Known(name=name, checks=checks):
                return self._pass(self._field(person, name), CUSTOMER[name].kind, checks)
            case Scored(name=name, checks=checks):
                return self._pass((person.rfm or {}).get(name), RFM[name].kind, checks)
            case Attribute(name=name, checks=checks):
                return self._pass(person.attributes.get(name), Kind.ANY, checks)
            case Said(channel=channel, topic=topic, word=word):
                said = in_force(person.consents, channel, topic)
                return word == (said.status.value if said else Word.NONE)
            case Happened(pattern=pattern, within=within, measure=measure, checks=checks):
                found = [e for e in person.events if self._fits(e, pattern) and self._recent(e, within)]
                return self._measured(measure, found, rule.property, checks)
            case Missed():
                return self._missed(rule, person)
            case Bought(within=within, with_code=with_code, measure=measure, checks=checks):
                orders = [o for o in person.orders if o.facts["stands"] and self._recent(o, within)]
                orders = [o for o in orders if with_code is None or bool(o.facts["codes"]) is with_code]
                return self._measured(measure, orders, "net", checks)
            case Told(within=within, channel=channel, seen=seen, checks=checks):
                sends = [s for s in person.sends if s.facts["state"] == "accepted" and self._recent(s, within)]
                sends = [s for s in sends if s.facts["purpose"] != "transactional"]
                sends = [s for s in sends if channel is None or s.facts["channel"] == channel]
                return self._measured(Measure.COUNT, [s for s in sends if s.facts["seen_at"] or not seen], "", checks)

    def _field(self, person: Person, name: str) -> Any:
        if name == "engagement":
            engagement = Engagement(value=person.row["engagement"], at=person.row["engagement_at"])
            return score(engagement.on(self.now), self.scale)
        if name.startswith("first_") and name != "first_seen_at":
            return (person.row["first_touch"] or {}).get(name.removeprefix("first_"))
        standing = [order for order in person.orders if order.facts["stands"]]
        match name:
            case "orders":
                return len(standing)
            case "revenue":
                return sum(order.facts["net"] for order in standing)
            case "last_order_at":
                return max((order.at for order in standing), default=None)
        return person.row[name]

    def _recent(self, row: Row, within: timedelta | None) -> bool:
        return within is None or self.now - row.at < within

    def _fits(self, event: Row, pattern: Pattern) -> bool:
        return event.name == pattern.name and all(
            self._pass(event.facts.get(name), Kind.ANY, checks) for name, checks in pattern.where
        )

    def _measured(self, measure: Measure, rows: Iterable[Row], of: str, checks: Checks) -> bool:
        rows = list(rows)
        match measure:
            case Measure.COUNT:
                return self._pass(len(rows), Kind.NUMBER, checks)
            case Measure.SUM:
                numbers = [r.facts.get(of) for r in rows]
                return self._pass(sum((_number(n) for n in numbers if _is_number(n)), Decimal(0)), Kind.NUMBER, checks)
            case Measure.FIRST:
                return self._pass(min((r.at for r in rows), default=None), Kind.INSTANT, checks)
            case Measure.LAST:
                return self._pass(max((r.at for r in rows), default=None), Kind.INSTANT, checks)

    def _missed(self, missed: Missed, person: Person) -> bool:
        for first in person.events:
            if not self._fits(first, missed.first) or not self._recent(first, missed.since):
                continue
            if self.now - first.at < missed.within:
                continue  # there is still time
            then = [e for e in person.events if self._fits(e, missed.then) and e is not first]
            if not any(timedelta(0) <= e.at - first.at < missed.within for e in then):
                return True
        return False

    def _pass(self, value: Any, kind: Kind, checks: Checks) -> bool:
        return all(self._passes(value, kind, check) for check in checks)

    def _passes(self, value: Any, kind: Kind, check: Check) -> bool:
        than: Any = check.than
        if check.comparison is Comparison.EXISTS:
            return (value is not None) is bool(than)
        if value is None:
            return False
        match check.comparison:
            case Comparison.EQUALS:
                return _same(value, than)
            case Comparison.IN:
                return any(_same(value, each) for each in than)
            case Comparison.CONTAINS:
                if isinstance(value, list):
                    return any(isinstance(each, str) and each == than for each in value)
                return isinstance(value, str) and than in value
            case Comparison.BEFORE | Comparison.AFTER | Comparison.WITHIN | Comparison.OLDER_THAN:
                at = _instant(value) if kind is Kind.ANY else value
                return at is not None and self._passes_in_time(at, kind, check)
        if not _is_number(value):
            return False
        compare = {
            Comparison.AT_LEAST: operator.ge,
            Comparison.AT_MOST: operator.le,
            Comparison.MORE_THAN: operator.gt,
            Comparison.LESS_THAN: operator.lt,
        }[check.comparison]
        return bool(compare(_number(value), than))

    def _passes_in_time(self, at: datetime, kind: Kind, check: Check) -> bool:
        than: Any = check.than
        match check.comparison:
            case Comparison.BEFORE:
                return bool(at < than)
            case Comparison.AFTER:
                return bool(at > than)
            case Comparison.OLDER_THAN:
                return bool(self.now - at >= than)
        return bool(self.now - at < than) and (kind is not Kind.ANY or at <= self.now)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def _number(value: Any) -> Decimal:
    return Decimal(str(value))


def _same(value: Any, than: Any) -> bool:
    if _is_number(value) and _is_number(than):
        return bool(_number(value) == than)
    return type(value) is type(than) and bool(value == than)


def _instant(value: object) -> datetime | None:
    """What JSON says of an instant: a day, which begins at midnight UTC, or a time with its zone."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    if len(value) == 10:
        return datetime.combine(at.date(), time(0), tzinfo=UTC)
    return at if at.tzinfo else None
