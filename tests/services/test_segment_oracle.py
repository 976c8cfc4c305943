"""The SQL of segments against brute force: random rules over random people, and both find the same ones."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database.segment_sql import Statement
from domain.checks import COMPARISONS, Comparison, Kind
from domain.customers import Consent, ConsentStatus
from domain.segment_rules import read_rule
from domain.segments import CUSTOMER, RFM, Rule, conditions, resolved
from tests.services.bench import Bench
from tests.support.populating import settle
from tests.support.segment_oracle import Oracle, Person, Row

RULES, PEOPLE, SCALE = 250, 60, 20.0
AGES = (0, 1, 2, 7, 30, 90, 180)  # days; rules speak of the same, so that edges are met exactly
NAMES = ("seen", "left", "paid")
WORDS = ("a", "b", "a b", "B", "'; DROP TABLE customers; --", "2026-02-01", "2026-02-30", "2026-02-01T10:00:00+02:00")
OTHER_WORDS = ("soon", "now", "infinity", "2026-02-01 10:00", "2026-02-01T10:00Z", "2026-03-05", ":v0", "%s", "{}")
NUMBERS = (0, 1, 2, 2.5, 3, -1)
WITHOUT_EXISTS = tuple(each for each in COMPARISONS[Kind.NUMBER] if each is not Comparison.EXISTS)


class Dice:
    """Random people, and rules about them."""

    def __init__(self, seed: int, now: datetime) -> None:
        self._random, self._now = random.Random(seed), now
        self.one, self.some = self._random.choice, self._random.sample

    def maybe(self, chance: float = 0.5) -> bool:
        return self._random.random() < chance

    def at(self) -> datetime:
        edge = self._now - timedelta(days=self.one(AGES))
        return edge + timedelta(microseconds=self.one((-1, 0, 0, 0, 1)))

    def json(self) -> Any:
        values: tuple[Any, ...] = (
            *WORDS,
            *OTHER_WORDS,
            *NUMBERS,
            True,
            False,
            None,
            ["a", 1, "B"],
            ["a b"],
            {"a": 1},
            [],
        )
        return self.one(values)

    def properties(self) -> dict[str, Any]:
        return {name: self.json() for name in ("x", "y", "x'y") if self.maybe(0.7)}

    # People ----------------------------------------------------------------------------------------------------------

    def person(self, number: int) -> Person:
        instants = [name for name, field in CUSTOMER.items() if field.kind is Kind.INSTANT and name != "last_order_at"]
        row: dict[str, Any] = {name: self.at() if self.maybe(0.8) else None for name in instants}
        row["first_seen_at"] = self.at()
        for name, field in CUSTOMER.items():
            if field.kind is Kind.TEXT and not name.startswith("first_"):
                row[name] = self.one((None, *(field.choices or WORDS)))
        row["customer_id"] = f"c{number}"
        row["engagement"], row["engagement_at"] = self.one(((0.0, None), *((n, self.at()) for n in (0.0, 5.0, 20.0))))
        row["first_touch"] = self.one((None, {"source": self.one(WORDS), "medium": self.one(WORDS), "campaign": ""}))
        return Person(
            id="",
            row=row,
            attributes=self.properties(),
            consents={scope: self._consent() for scope in self.some(("email", "all", "all/news", "email/news"), 2)},
            rfm=self._rfm() if self.maybe(0.7) else None,
            events=[
                Row(at=self.at(), name=self.one(NAMES), facts=self.properties()) for _ in range(self.one(range(9)))
            ],
            orders=[self._order() for _ in range(self.one((0, 1, 3)))],
            sends=[self._send() for _ in range(self.one((0, 2, 5)))],
        )

    def _consent(self) -> Consent:
        return Consent(
            status=self.one(tuple(ConsentStatus)), at=self._now - timedelta(days=self.one((1, 2))), source=""
        )

    def _rfm(self) -> dict[str, Any]:
        kinds = {Kind.NUMBER: NUMBERS[:3], Kind.TEXT: ("lost", "loyal"), Kind.BOOLEAN: (True, False)}
        return {name: self.one(kinds.get(of.kind, (self.at(),))) for name, of in RFM.items()}

    def _order(self) -> Row:
        status, currency = self.one(("placed", "placed", "refunded")), self.one(("EUR", "EUR", ""))
        facts = {"status": status, "currency": currency, "stands": (status, currency) == ("placed", "EUR")}
        net = Decimal(self.one((0, 1, 2))) if facts["stands"] else Decimal(0)
        return Row(at=self.at(), facts={**facts, "net": net, "codes": self.one(([], ["X"]))})

    def _send(self) -> Row:
        facts = {
            "state": self.one(("accepted", "accepted", "expired")),
            "purpose": self.one(("value", "offer", "transactional")),
            "channel": self.one(("email", "whatsapp")),
            "seen_at": self.one((None, self._now)),
        }
        return Row(at=self.at(), facts=facts)

    # Rules -----------------------------------------------------------------------------------------------------------

    def rule(self, level: int = 0) -> dict[str, Any]:
        if level < 4 and self.maybe(0.6 - level * 0.1):
            if self.maybe(0.25):
                return {"not": self.rule(level + 1)}
            return {self.one(("all", "any")): [self.rule(level + 1) for _ in range(self.one((1, 2, 3)))]}
        ways = (self._customer, self._attribute, self._rfm_rule, self._consent_rule, self._event, self._event)
        return self.one((*ways, self._sequence, self._orders, self._messages, self._segment))()

    def _customer(self) -> dict[str, Any]:
        name = self.one(tuple(CUSTOMER))
        return {"customer": {name: self._checks(CUSTOMER[name].kind, CUSTOMER[name].choices)}}

    def _attribute(self) -> dict[str, Any]:
        return {"attribute": {self.one(("x", "y", "x'y", "z")): self._checks(Kind.ANY)}}

    def _rfm_rule(self) -> dict[str, Any]:
        name = self.one(tuple(RFM))
        return {"rfm": {name: self._checks(RFM[name].kind, ("lost", "loyal"))}}

    def _consent_rule(self) -> dict[str, Any]:
        return {"consent": {self.one(("email", "email/news", "sms")): self.one(("granted", "denied", "none"))}}

    def _pattern(self) -> dict[str, Any]:
        where = {"where": {self.one(("x", "y", "x'y")): self._checks(Kind.ANY)}} if self.maybe(0.4) else {}
        return {"name": self.one(NAMES), **where}

    def _window(self) -> dict[str, Any]:
        return {"within": self._days()} if self.maybe(0.6) else {}

    def _measure(self, *counted: str) -> dict[str, Any]:
        name = self.one((*counted, "first", "last"))
        if name in counted:
            return {name: self._checks(Kind.NUMBER, among=WITHOUT_EXISTS)}
        return {name: self._checks(Kind.INSTANT, among=COMPARISONS[Kind.INSTANT][:-1])}

    def _event(self) -> dict[str, Any]:
        told = self._measure("count", "sum") if self.maybe(0.8) else {}
        if "sum" in told:
            told["sum"] = {self.one(("x", "y")): told["sum"]}
        return {"event": {**self._pattern(), **self._window(), **told}}

    def _sequence(self) -> dict[str, Any]:
        first = {**self._pattern(), **self._window()}
        return {"sequence": {"first": first, "then_not": self._pattern(), "within": self._days()}}

    def _orders(self) -> dict[str, Any]:
        code = {"with_code": self.maybe()} if self.maybe(0.4) else {}
        return {"orders": {**self._window(), **code, **self._measure("count", "revenue")}}

    def _messages(self) -> dict[str, Any]:
        channel = {"channel": self.one(("email", "whatsapp"))} if self.maybe() else {}
        count = self._checks(Kind.NUMBER, among=WITHOUT_EXISTS)
        return {"messages": {**self._window(), **channel, "seen": self.maybe(), "count": count}}

    def _segment(self) -> dict[str, Any]:
        return {"segment": self.one(tuple(NAMED))}

    def _days(self) -> str:
        return f"{self.one(AGES[1:])} days"

    def _checks(self, kind: Kind, words: Sequence[str] = (), among: Sequence[Comparison] = ()) -> dict[str, Any]:
        chosen = self.some(tuple(among or COMPARISONS[kind]), self.one((1, 1, 2)) if kind is not Kind.BOOLEAN else 1)
        return {each.value: self._than(each, kind, words or WORDS) for each in chosen}

    def _than(self, comparison: Comparison, kind: Kind, words: Sequence[str]) -> Any:
        values = {Kind.NUMBER: NUMBERS, Kind.TEXT: words, Kind.BOOLEAN: (True, False)}
        match comparison:
            case Comparison.EXISTS:
                return self.maybe()
            case Comparison.CONTAINS:
                return self.one(("a", "b", "';"))
            case Comparison.BEFORE | Comparison.AFTER:
                return self.at().isoformat()
            case Comparison.WITHIN | Comparison.OLDER_THAN:
                return self._days()
            case Comparison.IN:
                return [self.one(values.get(kind, (*WORDS, *NUMBERS, True))) for _ in range(2)]
            case Comparison.EQUALS:
                return self.one(values.get(kind, (*WORDS, *OTHER_WORDS, *NUMBERS, True, False)))
        return self.one(NUMBERS)


NAMED = {
    "buyers": {"customer": {"orders": {"at_least": 1}}},
    "others": {"not": {"any": [{"segment": "buyers"}, {"event": {"name": "paid"}}]}},
}


def rule_of(name: str) -> Rule:
    return read_rule(NAMED[name])


async def test_sql_and_brute_force_find_the_same_people(bench: Bench) -> None:
    now = bench.clock.now()
    dice = Dice(2026, now)
    people = [dice.person(number) for number in range(PEOPLE)]
    oracle = Oracle(now=now, scale=SCALE, rule_of=rule_of)
    sizes, kinds = [], set()
    async with bench.database.transaction() as connection:
        await settle(connection, people)
        for _ in range(RULES):
            given = dice.rule()
            rule = read_rule(given)
            whole = resolved("it", rule, rule_of)
            expected = sorted(person.id for person in people if oracle.matches(rule, person))

            found = await members(connection, whole, now)

            assert found == expected, msgspec.json.encode(given).decode()
            one = dice.one(people).id
            assert await members(connection, whole, now, alone=one) == [one] * (one in expected)
            sizes.append(len(found))
            kinds |= {type(condition).__name__ for condition in conditions(rule)}
    assert len(kinds) == 9, "every condition had its turn"
    assert sum(0 < size < PEOPLE for size in sizes) > RULES / 2, "most rules told some from others"


async def members(connection: AsyncConnection, rule: Rule, now: datetime, alone: str | None = None) -> list[str]:
    """Who meets it, of everybody or of one alone."""
    statement = Statement()
    query = statement.members(rule, but=f"c.id = {statement.bound(alone, 'text')}" if alone else "true")
    values = {**statement.values, "now": now, "scale": SCALE}
    return sorted((await connection.execute(text(query), values)).scalars())
