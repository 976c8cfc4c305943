"""RFM: how recently, how often and for how much customers bought, each from 1 to 5, and what that says (S77–S79).

Scores compare customers with each other, so they move when others move. `adapters/database/rfm.py` computes the same
for a whole installation in one statement; a test holds the two together.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise, product
from typing import TypeVar

from domain.durations import days
from domain.errors import InvalidInput

FEW = 25
"""Fewer customers than these are not compared with each other, but scored by fixed bounds."""
QUIET_AFTER = days(90)
SCORES = range(1, 6)

V = TypeVar("V", int, Decimal)


class Segment(StrEnum):
    """What a code says, the best first (S78)."""

    CHAMPIONS = "champions"
    LOYAL = "loyal"
    POTENTIAL = "potential"
    AT_RISK = "at_risk"
    HIBERNATING = "hibernating"
    LOST = "lost"


GUARDED = frozenset({Segment.CHAMPIONS, Segment.LOYAL})
AT_ONCE = frozenset({Segment.CHAMPIONS, Segment.AT_RISK})
"""Entered at once; any other only when two days' runs in a row say so."""


@dataclass(frozen=True, kw_only=True)
class Purchases:
    """What a customer bought: days since the last order, days with orders, and what they paid.

    Days are the installation's. Orders that were cancelled or fully refunded do not count; who has no other has no RFM.
    """

    recency_days: int
    frequency: int
    monetary: Decimal

    @property
    def one_off(self) -> bool:
        """Whether they bought on one day alone (S73)."""
        return self.frequency == 1


@dataclass(frozen=True, kw_only=True, order=True)
class Code:
    """Three scores from 1 to 5, 5 the best."""

    r: int
    f: int
    m: int

    def __str__(self) -> str:
        return f"{self.r}{self.f}{self.m}"


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What scores 2, 3, 4 and 5 take: at most so many days since the last order, at least so many days with orders, at
    least so much paid, in the installation's currency. Raises InvalidInput for bounds that do not rise.
    """

    recency_days: tuple[int, int, int, int] = (365, 180, 90, 30)
    frequency: tuple[int, int, int, int] = (2, 3, 5, 8)
    monetary: tuple[Decimal, Decimal, Decimal, Decimal] = (Decimal(50), Decimal(150), Decimal(400), Decimal(1000))

    def __post_init__(self) -> None:
        rise = {
            "recency_days": _rise([-each for each in self.recency_days]),
            "frequency": _rise(self.frequency),
            "monetary": _rise(self.monetary),
        }
        wanted = "must be four numbers for the scores 2, 3, 4 and 5, each better than the one before"
        problems = [f"{name}: {wanted}" for name, does in rise.items() if not does]
        if problems:
            raise InvalidInput(problems)

    def code(self, bought: Purchases) -> Code:
        """The scores of one customer by themselves."""
        return Code(
            r=1 + sum(bought.recency_days <= bound for bound in self.recency_days),
            f=1 + sum(bought.frequency >= bound for bound in self.frequency),
            m=1 + sum(bought.monetary >= bound for bound in self.monetary),
        )


@dataclass(frozen=True, kw_only=True)
class RfmRules:
    """How an installation reads RFM. Orders older than `window` do not count. `fixed` scores by `bounds` whoever many
    customers there are.
    """

    window: timedelta | None = None
    fixed: bool = False
    bounds: Bounds = field(default_factory=Bounds)

    def are_fixed(self, customers: int) -> bool:
        """Whether so many customers are scored by bounds."""
        return self.fixed or customers < FEW


def codes(population: Mapping[str, Purchases], rules: RfmRules) -> dict[str, Code]:
    """The code of each customer, by id."""
    if rules.are_fixed(len(population)):
        return {who: rules.bounds.code(bought) for who, bought in population.items()}
    r = _scores({who: -bought.recency_days for who, bought in population.items()})
    f = _scores({who: bought.frequency for who, bought in population.items()})
    m = _scores({who: bought.monetary for who, bought in population.items()})
    return {who: Code(r=r[who], f=f[who], m=m[who]) for who in population}


def vips(population: Mapping[str, Purchases]) -> set[str]:
    """The top tenth by what they paid (S73): at least nine in ten paid less."""
    places = _places([bought.monetary for bought in population.values()])
    return {who for who, bought in population.items() if 10 * places[bought.monetary] >= 9 * len(population)}


def segment_of(code: Code) -> Segment:
    """What a code says. The first rule that fits; together they cover all 125, and agree with the 17 of S78."""
    r, f, m = code.r, code.f, code.m
    if r == 5 and f >= 4 and m >= 4:
        return Segment.CHAMPIONS
    if r >= 4:
        return Segment.LOYAL if f >= 4 else Segment.POTENTIAL
    if f >= 4 or f + m >= 6:
        return Segment.AT_RISK
    if r == 3:
        return Segment.POTENTIAL
    return Segment.LOST if r == 1 and f <= 2 and m == 1 else Segment.HIBERNATING


def every_code() -> dict[Code, Segment]:
    """All 125, each with its segment."""
    made = (Code(r=r, f=f, m=m) for r, f, m in product(SCORES, repeat=3))
    return {code: segment_of(code) for code in made}


def guarded(segment: Segment, recency_days: int) -> Segment:
    """The best who have not ordered for 90 days act as at risk, however little the others buy (S79)."""
    return Segment.AT_RISK if segment in GUARDED and recency_days >= QUIET_AFTER.days else segment


@dataclass(frozen=True, kw_only=True)
class Place:
    """The segment that a customer acts as, and the one that the last run would have had instead."""

    segment: Segment
    candidate: Segment | None = None


def settled(found: Segment, before: Place | None, *, another_day: bool) -> Place:
    """Where a run that found a segment puts a customer who was somewhere before, so that nobody flaps.

    `another_day` says that the run before was on an earlier day: a run repeated on its day confirms nothing.
    """
    if before is None or found in AT_ONCE or found is before.segment:
        return Place(segment=found)
    if found is before.candidate and another_day:
        return Place(segment=found)
    return Place(segment=before.segment, candidate=found)


def _scores(values: Mapping[str, V]) -> dict[str, int]:
    """1 + 5 × (rank − 1) / n in whole numbers, the worst first: equals get equal scores, the lowest of their group."""
    places = _places(values.values())
    return {who: 1 + 5 * places[value] // len(values) for who, value in values.items()}


def _rise(bounds: Sequence[V]) -> bool:
    return len(bounds) == 4 and all(low < high for low, high in pairwise(bounds))


def _places(values: Collection[V]) -> dict[V, int]:
    """How many are below each value."""
    places: dict[V, int] = {}
    for below, value in enumerate(sorted(values)):
        places.setdefault(value, below)
    return places


@dataclass(frozen=True, kw_only=True)
class Words:
    """What people call a segment, and what is to be done about it (S78)."""

    name: str
    advice: str


WORDS: Mapping[Segment, Mapping[str, Words]] = {
    Segment.CHAMPIONS: {
        "en": Words(name="Champions", advice="Thank them, give them exclusives, ask for reviews and referrals."),
        "ru": Words(name="Чемпионы", advice="Благодарите, предлагайте эксклюзив, просите об отзывах и рекомендациях."),
    },
    Segment.LOYAL: {
        "en": Words(name="Loyal", advice="Offer upgrades and related products, invite them to the loyalty program."),
        "ru": Words(
            name="Лояльные", advice="Предлагайте более дорогое и сопутствующее, зовите в программу лояльности."
        ),
    },
    Segment.POTENTIAL: {
        "en": Words(name="Potential", advice="Engage them: show them goods that suit them."),
        "ru": Words(name="Перспективные", advice="Вовлекайте: показывайте подходящие им товары."),
    },
    Segment.AT_RISK: {
        "en": Words(name="At risk", advice="Win them back now, in person."),
        "ru": Words(name="В зоне риска", advice="Срочно возвращайте, обращаясь лично."),
    },
    Segment.HIBERNATING: {
        "en": Words(name="Hibernating", advice="Try to win them back, or stop mailing."),
        "ru": Words(name="Уснувшие", advice="Попробуйте вернуть или прекратите рассылку."),
    },
    Segment.LOST: {
        "en": Words(name="Lost", advice="One last try, then write no more."),
        "ru": Words(name="Потерянные", advice="Последняя попытка, и больше не пишите."),
    },
}
