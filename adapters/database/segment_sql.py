"""Compiles the rule of a segment to SQL: set-based, every value bound, none of it ever part of the text.

Conditions about a customer's own row become expressions over it. Every other one becomes a set of customers that is
computed once and joined; the rule asks whether the join found the customer. So one text serves everybody at once and,
with `c.id = …` added, one customer alone: PostgreSQL takes that into each set.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from adapters.database.check_sql import NOW, Binds, checks_sql, hold_of_none
from domain.checks import Checks, Kind
from domain.customers import EVERY_CHANNEL
from domain.engagement import HALF_LIFE
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

_HALF_LIVES = f"date_part('epoch', c.engagement_at - {NOW}) / {HALF_LIFE.total_seconds():.0f}"
# A customer's engagement as it is `now`. Bounded where a power would be too small to be a number.
FADED = f"coalesce(c.engagement * power(cast(2 AS float8), greatest(-1000, least(0, {_HALF_LIVES}))), 0)"
_SCORE = f"cast(round(100 * (1 - exp(-least(700, {FADED} / cast(:scale AS float8))))) AS numeric)"
_EXPRESSIONS = {
    "engagement": _SCORE,
    **{f"first_{word}": f"(c.first_touch ->> '{word}')" for word in ("source", "medium", "campaign")},
}
_OF_ALL_ORDERS = {Measure.COUNT: "orders", Measure.SUM: "revenue", Measure.LAST: "last_order_at"}


@dataclass(frozen=True, kw_only=True)
class Members:
    """A SELECT of ids, what it binds, and how many tables and sets it joins."""

    sql: str
    values: Mapping[str, object]
    joins: int


class Statement:
    """Rules compiled together. `values` are what it binds, besides `now` and `scale`, which whoever runs it adds."""

    def __init__(self) -> None:
        self._bind = Binds()
        self._sets: dict[str, str] = {}
        self._tables: dict[str, str] = {}
        self._aliases = 0

    @property
    def values(self) -> dict[str, object]:
        """What is bound."""
        return self._bind.values

    def bound(self, value: object, kind: str) -> str:
        """SQL for another value of a PostgreSQL type."""
        return self._bind(value, kind)

    def query(self, rule: Rule, *, but: str = "true", **values: object) -> Members:
        """As `members`, with all that is bound, `values` among it."""
        sql = self.members(rule, but=but)
        return Members(sql=sql, values={**self.values, **values}, joins=len(self._tables) + len(self._sets))

    def members(self, rule: Rule, *, but: str = "true") -> str:
        """A SELECT of the ids of those who meet a resolved rule and, as SQL over `c`, something else."""
        self._sets, self._tables = {}, {}
        where = self._rule(rule, wanted=True)
        joins = [
            *(f"LEFT JOIN {table} {alias} ON {alias}.customer = c.id" for table, alias in self._tables.items()),
            *(f"LEFT JOIN ({query}) {alias} ON {alias}.customer = c.id" for query, alias in self._sets.items()),
        ]
        return f"SELECT c.id FROM customers c {' '.join(joins)} WHERE c.erased_at IS NULL AND ({but}) AND {where}"  # noqa: S608  bound

    # The tree. A `not` is taken down to the conditions: a join that found nobody is quickest to ask for

    def _rule(self, rule: Rule, *, wanted: bool) -> str:
        match rule:
            case AllOf(parts):
                return self._joined(parts, "AND" if wanted else "OR", wanted=wanted)
            case AnyOf(parts):
                return self._joined(parts, "OR" if wanted else "AND", wanted=wanted)
            case Not(part):
                return self._rule(part, wanted=not wanted)
            case Known() | Scored() | Attribute():
                holds = checks_sql(*self._value(rule), rule.checks, self._bind)
                return f"({holds})" if wanted else f"({holds}) IS NOT TRUE"
            case Bought(within=None, with_code=None, measure=measure, checks=checks) if measure in _OF_ALL_ORDERS:
                return self._rule(Known(name=_OF_ALL_ORDERS[measure], checks=checks), wanted=wanted)
        return self._set(rule, wanted=wanted)

    def _joined(self, parts: Sequence[Rule], word: str, *, wanted: bool) -> str:
        return f"({f' {word} '.join(self._rule(part, wanted=wanted) for part in parts)})"

    def _value(self, condition: Known | Scored | Attribute) -> tuple[str, Kind]:
        match condition:
            case Known(name=name):
                return _EXPRESSIONS.get(name, f"c.{name}"), CUSTOMER[name].kind
            case Scored(name=name):
                return f"{self._tables.setdefault('rfm', 'r')}.{name}", RFM[name].kind
            case Attribute(name=name):
                return f"(c.attributes -> {self._bind(name, 'text')})", Kind.ANY

    # Sets ------------------------------------------------------------------------------------------------------------

    def _set(self, condition: Said | Happened | Missed | Bought | Told | Member, *, wanted: bool) -> str:
        match condition:
            case Said():
                return self._said(condition, wanted=wanted)
            case Happened():
                return self._happened(condition, wanted=wanted)
            case Missed():
                return self._in(self._missed(condition), wanted=wanted)
            case Bought():
                return self._bought(condition, wanted=wanted)
            case Told():
                return self._told(condition, wanted=wanted)
            case Member(segment=name):
                raise ValueError(f"{name}: resolve the rule first")

    def _in(self, query: str, *, wanted: bool) -> str:
        if query not in self._sets:
            self._aliases += 1
            self._sets[query] = f"s{self._aliases}"
        return f"{self._sets[query]}.customer IS {'NOT NULL' if wanted else 'NULL'}"

    def _measured(self, source: str, measures: str, kind: Kind, checks: Checks, *, wanted: bool) -> str:
        """Those of whose rows a measure passes. Who has none is in no set: where 0 passes, it is who does not fail."""
        passes = checks_sql(measures, kind, checks, self._bind)
        if kind is Kind.NUMBER and hold_of_none(checks):
            return self._in(f"{source} GROUP BY customer HAVING NOT ({passes})", wanted=not wanted)
        return self._in(f"{source} GROUP BY customer HAVING {passes}", wanted=wanted)

    def _said(self, said: Said, *, wanted: bool) -> str:
        """The newest word about the channel or about all of them; at one instant a no (`domain.customers.in_force`)."""
        scopes = self._bind([said.channel.value, EVERY_CHANNEL], "text[]")
        topic = self._bind(said.topic, "text")
        source = f"SELECT customer FROM consents WHERE topic = {topic} AND channel = ANY({scopes}) GROUP BY customer"  # noqa: S608  bound
        yes, no = ("max(at) FILTER (WHERE status = 'granted')", "max(at) FILTER (WHERE status = 'denied')")
        match said.word:
            case Word.GRANTED:
                return self._in(f"{source} HAVING {yes} > coalesce({no}, '-infinity')", wanted=wanted)
            case Word.DENIED:
                return self._in(f"{source} HAVING {no} >= coalesce({yes}, '-infinity')", wanted=wanted)
            case Word.NONE:
                return self._in(source, wanted=not wanted)

    def _happened(self, happened: Happened, *, wanted: bool) -> str:
        source = f"SELECT customer FROM {self._events(happened.pattern, 'e', happened.within)}"  # noqa: S608  bound
        match happened.measure:
            case Measure.SUM:
                value = f"(e.properties -> {self._bind(happened.property, 'text')})"
                number = f"CASE WHEN jsonb_typeof({value}) = 'number' THEN cast({value} AS numeric) END"
                return self._measured(
                    source, f"coalesce(sum({number}), 0)", Kind.NUMBER, happened.checks, wanted=wanted
                )
        return self._measured(source, *_aggregate(happened.measure, "e.occurred_at"), happened.checks, wanted=wanted)

    def _missed(self, missed: Missed) -> str:
        """Half-open, as everywhere: what comes exactly so long afterwards comes too late, and then the time is over."""
        after = self._bind(missed.within, "interval")
        # What follows a first one came after those that are too old, too; saying so spares reading it.
        first, then = self._events(missed.first, "a", missed.since), self._events(missed.then, "b", missed.since)
        other = "AND b.id <> a.id" if missed.first.name == missed.then.name else ""
        return f"""SELECT a.customer FROM {first} AND a.occurred_at <= {self._bind.ago(missed.within)}
            AND NOT EXISTS (SELECT FROM {then} AND b.customer = a.customer {other}
                AND b.occurred_at >= a.occurred_at AND b.occurred_at < a.occurred_at + {after})
            GROUP BY a.customer"""  # noqa: S608  bound

    def _bought(self, bought: Bought, *, wanted: bool) -> str:
        source = "SELECT customer FROM orders o WHERE o.status = 'placed' AND o.currency <> ''"
        source += self._since("o.placed_at", bought.within)
        if bought.with_code is not None:
            source += f" AND (cardinality(o.codes) > 0) = {self._bind(bought.with_code, 'boolean')}"
        if bought.measure is Measure.SUM:
            return self._measured(source, "sum(o.net)", Kind.NUMBER, bought.checks, wanted=wanted)
        return self._measured(source, *_aggregate(bought.measure, "o.placed_at"), bought.checks, wanted=wanted)

    def _told(self, told: Told, *, wanted: bool) -> str:
        source = "SELECT customer FROM sends WHERE state = 'accepted' AND purpose <> 'transactional'"
        source += self._since("called_at", told.within)
        if told.channel:
            source += f" AND channel = {self._bind(told.channel.value, 'text')}"
        if told.seen:
            source += " AND seen_at IS NOT NULL"
        return self._measured(source, "count(*)", Kind.NUMBER, told.checks, wanted=wanted)

    def _events(self, pattern: Pattern, alias: str, within: timedelta | None) -> str:
        """Projected events that fit, as what stands behind FROM."""
        found = f"events {alias} WHERE {alias}.number IS NOT NULL AND {alias}.name = {self._bind(pattern.name, 'text')}"
        found += self._since(f"{alias}.occurred_at", within)
        for name, checks in pattern.where:
            value = f"({alias}.properties -> {self._bind(name, 'text')})"
            found += f" AND {checks_sql(value, Kind.ANY, checks, self._bind)}"
        return found

    def _since(self, at: str, within: timedelta | None) -> str:
        return f" AND {at} > {self._bind.ago(within)}" if within else ""


def _aggregate(measure: Measure, at: str) -> tuple[str, Kind]:
    match measure:
        case Measure.FIRST:
            return f"min({at})", Kind.INSTANT
        case Measure.LAST:
            return f"max({at})", Kind.INSTANT
    return "count(*)", Kind.NUMBER
