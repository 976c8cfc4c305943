"""RFM: all 125 codes, ties, few customers, the guard, and nobody flaps."""

import json
from collections import Counter
from datetime import date
from decimal import Decimal
from itertools import product
from pathlib import Path
from random import Random

import pytest

from domain.errors import InvalidInput
from domain.rfm import (
    WORDS,
    Bounds,
    Code,
    Place,
    Purchases,
    RfmRules,
    Segment,
    codes,
    every_code,
    guarded,
    segment_of,
    settled,
    vips,
)
from tests.support.cdnow import CUSTOMERS, SEGMENTS, purchases

REFERENCE = json.loads((Path(__file__).parent.parent / "data" / "rfm_125_mapping.json").read_text())["mapping"]
SOURCE = {
    Segment.CHAMPIONS: "555 554 545",
    Segment.LOYAL: "454 445 455",
    Segment.POTENTIAL: "533 423 524",
    Segment.AT_RISK: "255 244 354",
    Segment.HIBERNATING: "122 112 212",
    Segment.LOST: "111 121",
}
SCORES = RfmRules()


def code(digits: str) -> Code:
    r, f, m = map(int, digits)
    return Code(r=r, f=f, m=m)


def people(*paid: int, **same: int) -> dict[str, Purchases]:
    """Customers who paid so much, and are alike in all else."""
    alike = {"recency_days": 5, "frequency": 2, **same}
    return {str(n): Purchases(monetary=Decimal(each), **alike) for n, each in enumerate(paid)}


# What a code says ----------------------------------------------------------------------------------------------------


def test_all_125_codes_say_what_the_reference_says() -> None:
    found = {str(code): segment.value for code, segment in every_code().items()}

    assert found == {digits: name.lower().replace(" ", "_") for digits, name in REFERENCE.items()}
    assert len(found) == 125


@pytest.mark.parametrize(
    ("segment", "digits"), [(segment, each) for segment, said in SOURCE.items() for each in said.split()]
)
def test_the_codes_that_the_source_names(segment: Segment, digits: str) -> None:
    assert segment_of(code(digits)) is segment


@pytest.mark.parametrize(("f", "m"), [*product(range(1, 6), repeat=2)])
def test_who_bought_longer_ago_is_never_in_a_better_segment(f: int, m: int) -> None:
    best_first = list(Segment)

    by_recency = [best_first.index(segment_of(Code(r=r, f=f, m=m))) for r in (5, 4, 3, 2, 1)]

    assert by_recency == sorted(by_recency)


def test_every_segment_has_a_name_and_advice_in_both_languages() -> None:
    assert set(WORDS) == set(Segment)
    for words in WORDS.values():
        assert {locale: bool(said.name and said.advice) for locale, said in words.items()} == {"en": True, "ru": True}


# Scores --------------------------------------------------------------------------------------------------------------


def test_five_fifths_of_different_customers_have_the_five_scores() -> None:
    found = codes(people(*range(50)), SCORES)

    assert Counter(each.m for each in found.values()) == {1: 10, 2: 10, 3: 10, 4: 10, 5: 10}
    assert (found["0"].m, found["49"].m) == (1, 5)


def test_equals_have_the_lowest_score_of_their_group() -> None:
    paid = [10] * 26 + list(range(11, 35))

    found = codes(people(*paid), SCORES)

    assert {found[str(n)].m for n in range(26)} == {1}
    assert {each.r for each in found.values()} == {1}, "who are all alike are all the worst"


@pytest.mark.parametrize("seed", range(12))
def test_scores_are_counted_as_defined(seed: int) -> None:
    """The definition, by brute force: 1 + 5 × (how many are worse) // n, whoever comes first."""
    chance = Random(seed)
    population = {
        str(n): Purchases(
            recency_days=chance.randrange(12), frequency=chance.randint(1, 6), monetary=Decimal(chance.randrange(40))
        )
        for n in range(chance.randint(25, 90))
    }

    found = codes(population, SCORES)

    others = population.values()
    for who, one in population.items():
        worse = (
            sum(each.recency_days > one.recency_days for each in others),
            sum(each.frequency < one.frequency for each in others),
            sum(each.monetary < one.monetary for each in others),
        )
        r, f, m = (1 + 5 * below // len(population) for below in worse)
        assert found[who] == Code(r=r, f=f, m=m)
    shuffled = chance.sample(sorted(population.items(), key=lambda each: each[0]), len(population))
    assert codes(dict(shuffled), SCORES) == found


# Few customers, and fixed bounds -------------------------------------------------------------------------------------

BOUNDS = Bounds(
    recency_days=(40, 30, 20, 10), frequency=(2, 3, 4, 5), monetary=(Decimal(10), Decimal(20), Decimal(30), Decimal(40))
)


@pytest.mark.parametrize(
    ("recency", "frequency", "paid", "expected"),
    [(0, 5, "40", "555"), (10, 4, "39.99", "544"), (11, 4, "30", "444"), (40, 1, "10", "212"), (41, 2, "9.99", "121")],
)
def test_bounds_are_part_of_the_better_score(recency: int, frequency: int, paid: str, expected: str) -> None:
    one = Purchases(recency_days=recency, frequency=frequency, monetary=Decimal(paid))

    assert str(BOUNDS.code(one)) == expected


def test_few_customers_are_scored_by_bounds_and_many_when_it_is_asked() -> None:
    few, enough = people(*[500] * 24), people(*[500] * 25)

    assert {str(each) for each in codes(few, RfmRules()).values()} == {"524"}
    assert {str(each) for each in codes(enough, RfmRules()).values()} == {"111"}
    assert {str(each) for each in codes(enough, RfmRules(fixed=True)).values()} == {"524"}


def test_bounds_that_do_not_rise_are_refused_by_name() -> None:
    with pytest.raises(InvalidInput) as refused:
        Bounds(recency_days=(30, 90, 180, 365), frequency=(2, 2, 3, 4))

    assert [problem.partition(":")[0] for problem in refused.value.problems] == ["recency_days", "frequency"]


# VIPs and one-offs ---------------------------------------------------------------------------------------------------


def test_a_vip_is_above_nine_in_ten() -> None:
    assert vips(people(*range(20))) == {"18", "19"}
    assert vips(people(*[1] * 18, 2, 2)) == {"18", "19"}
    assert vips(people(*[1] * 17, 2, 2, 2)) == set(), "of three equals none is in the top two"
    assert vips(people(*range(9))) == set()


def test_a_one_off_bought_on_one_day() -> None:
    assert [each.one_off for each in (*people(1, frequency=1).values(), *people(1).values())] == [True, False]


# The guard, and flapping ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("segment", Segment)
def test_the_best_who_are_quiet_for_90_days_act_as_at_risk(segment: Segment) -> None:
    best = segment in (Segment.CHAMPIONS, Segment.LOYAL)

    assert guarded(segment, 89) is segment
    assert guarded(segment, 90) is (Segment.AT_RISK if best else segment)


def walk(start: Segment, *found: Segment, another_day: bool = True) -> list[Segment]:
    """The segments that somebody acts as, run after run."""
    place, acted = Place(segment=start), []
    for each in found:
        place = settled(each, place, another_day=another_day)
        acted.append(place.segment)
    return acted


LOYAL, POTENTIAL, AT_RISK, CHAMPIONS, LOST = (
    Segment.LOYAL,
    Segment.POTENTIAL,
    Segment.AT_RISK,
    Segment.CHAMPIONS,
    Segment.LOST,
)


def test_a_segment_is_entered_when_two_runs_in_a_row_say_so() -> None:
    assert walk(LOYAL, POTENTIAL, POTENTIAL) == [LOYAL, POTENTIAL]
    assert walk(LOYAL, POTENTIAL, LOYAL, POTENTIAL, LOYAL) == [LOYAL] * 4
    assert walk(LOYAL, POTENTIAL, LOST, POTENTIAL) == [LOYAL] * 3


def test_champions_and_at_risk_are_entered_at_once() -> None:
    assert walk(LOYAL, CHAMPIONS, AT_RISK, CHAMPIONS) == [CHAMPIONS, AT_RISK, CHAMPIONS]
    assert walk(LOYAL, POTENTIAL, AT_RISK, POTENTIAL) == [LOYAL, AT_RISK, AT_RISK]


def test_a_run_that_is_repeated_on_its_day_confirms_nothing() -> None:
    assert walk(LOYAL, POTENTIAL, POTENTIAL, POTENTIAL, another_day=False) == [LOYAL] * 3


def test_whoever_has_no_segment_yet_gets_the_one_that_is_found() -> None:
    assert settled(POTENTIAL, None, another_day=True) == Place(segment=POTENTIAL)


# Real purchases ------------------------------------------------------------------------------------------------------


def test_the_customers_of_cdnow() -> None:
    days: dict[str, set[date]] = {}
    paid: dict[str, Decimal] = {}
    for each in purchases():
        days.setdefault(each.customer, set()).add(each.day)
        paid[each.customer] = paid.get(each.customer, Decimal(0)) + each.paid
    end = date(1998, 6, 30)
    population = {
        who: Purchases(recency_days=(end - max(on)).days, frequency=len(on), monetary=paid[who])
        for who, on in days.items()
    }

    found = codes(population, RfmRules())

    assert len(found) == CUSTOMERS
    assert Counter(segment_of(each).value for each in found.values()) == SEGMENTS
    assert {each.f for each in found.values()} == {1, 3, 4, 5}, "half of them bought once: nobody has a 2"
