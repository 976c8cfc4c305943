"""Variants and control groups: sticky, by their shares, and independent of each other."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from domain.experiments import BUCKETS, Experiment, bucket, held_out

PEOPLE = [f"cus_{number:05}" for number in range(20_000)]
TONE = Experiment(salt="Trial/tone", weights={"warm": 1, "plain": 1})
SPRING = datetime(2026, 4, 1, tzinfo=UTC)


def test_a_customer_always_gets_the_same() -> None:
    assert [TONE.variant_of(each) for each in PEOPLE[:50]] == [TONE.variant_of(each) for each in PEOPLE[:50]]


@pytest.mark.parametrize("weights", [{"a": 1, "b": 1}, {"a": 9, "b": 1}, {"a": 1, "b": 2, "c": 3}, {"a": 0, "b": 5}])
def test_variants_come_by_their_weights(weights: dict[str, int]) -> None:
    found = Counter(Experiment(salt="x", weights=weights).variant_of(each) for each in PEOPLE)

    for variant, weight in weights.items():
        assert found[variant] / len(PEOPLE) == pytest.approx(weight / sum(weights.values()), abs=0.015)


def test_two_experiments_know_nothing_of_each_other() -> None:
    other = Experiment(salt="Trial/price", weights={"low": 1, "high": 1})
    found = Counter((TONE.variant_of(each), other.variant_of(each)) for each in PEOPLE)

    assert all(count / len(PEOPLE) == pytest.approx(0.25, abs=0.015) for count in found.values())


def test_a_winner_is_for_everybody() -> None:
    won = Experiment(salt=TONE.salt, weights=TONE.weights, winner="warm")

    assert {won.variant_of(each) for each in PEOPLE[:200]} == {"warm"}


def test_more_weight_for_one_moves_nobody_away_from_it() -> None:
    before, after = ({"a": a, "b": 10 - a} for a in (5, 7))
    kept = [each for each in PEOPLE if Experiment(salt="x", weights=before).variant_of(each) == "a"]

    assert {Experiment(salt="x", weights=after).variant_of(each) for each in kept} == {"a"}


def test_buckets_are_even() -> None:
    assert 0 <= min(bucket("x", each) for each in PEOPLE) < 20
    assert BUCKETS - 20 < max(bucket("x", each) for each in PEOPLE) < BUCKETS


def test_a_control_group_has_its_share_and_is_drawn_anew_each_quarter() -> None:
    spring = {each for each in PEOPLE if held_out(each, 0.05, entered_at=SPRING)}
    june = {each for each in PEOPLE if held_out(each, 0.05, entered_at=SPRING.replace(month=6, day=30))}
    summer = {each for each in PEOPLE if held_out(each, 0.05, entered_at=SPRING.replace(month=7))}
    of_one = {each for each in PEOPLE if held_out(each, 0.05, journey="Trial", entered_at=SPRING)}

    assert len(spring) / len(PEOPLE) == pytest.approx(0.05, abs=0.006)
    assert spring == june
    for other in (summer, of_one):
        assert len(spring & other) / len(spring) == pytest.approx(0.05, abs=0.03)
    assert not any(held_out(each, 0.0, entered_at=SPRING) for each in PEOPLE[:500])
