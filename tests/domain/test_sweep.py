"""The daily sweep: when it is silent, which rules cannot be, and whose birthday it is."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from domain.errors import InvalidInput
from domain.rfm import Bounds, RfmRules
from domain.sweep import Silent, Sweep, SweepRules, birthdays_since, celebrated_on, why_silent
from tests.domain.builders import NOON

DAY = timedelta(days=1)
RULES = SweepRules()
LAST = Sweep(as_of=NOON, rules=RULES, ranked=True, imports_until=NOON)


def test_an_ordinary_sweep_tells() -> None:
    assert why_silent(LAST, RULES, imported=0, customers=0) is None


def test_the_first_sweep_is_silent() -> None:
    assert why_silent(None, RULES, imported=0, customers=10) is Silent.FIRST


@pytest.mark.parametrize(
    "changed",
    [
        replace(RULES, dormant_after=60 * DAY),
        replace(RULES, rfm=RfmRules(fixed=True)),
        replace(RULES, rfm=RfmRules(window=365 * DAY)),
        replace(RULES, rfm=RfmRules(bounds=Bounds(monetary=tuple(map(Decimal, (1, 2, 3, 4)))))),  # type: ignore[arg-type]
    ],
)
def test_the_first_sweep_by_other_rules_is_silent(changed: SweepRules) -> None:
    assert why_silent(LAST, changed, imported=0, customers=10) is Silent.RULES


@pytest.mark.parametrize(("imported", "customers", "silent"), [(1, 100, True), (1, 101, False), (50, 10, True)])
def test_the_first_sweep_after_an_import_is_silent_and_a_few_customers_are_none(
    imported: int, customers: int, silent: bool
) -> None:
    assert why_silent(LAST, RULES, imported=imported, customers=customers) is (Silent.IMPORT if silent else None)


def test_rules_that_cannot_be_are_refused_by_name() -> None:
    with pytest.raises(InvalidInput) as refused:
        SweepRules(
            disengaged_after=DAY / 2, dormant_after=90 * DAY, gone_after=90 * DAY, rfm=RfmRules(window=timedelta(0))
        )

    assert [each.partition(":")[0] for each in refused.value.problems] == [
        "disengaged_after",
        "gone_after",
        "rfm_window",
    ]


@pytest.mark.parametrize(
    ("day", "birthdays"),
    [
        (date(2026, 3, 2), {"03-02"}),
        (date(2027, 2, 28), {"02-28", "02-29"}),
        (date(2028, 2, 28), {"02-28"}),
        (date(2028, 2, 29), {"02-29"}),
        (date(2100, 2, 28), {"02-28", "02-29"}),
    ],
)
def test_who_is_celebrated_on_a_day(day: date, birthdays: set[str]) -> None:
    assert celebrated_on(day) == birthdays


TODAY = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("last", "due"),
    [
        (None, [TODAY]),
        (TODAY, []),
        (TODAY + DAY, []),
        (TODAY - DAY, [TODAY]),
        (TODAY - 2 * DAY, [TODAY - DAY, TODAY]),
        (TODAY - 30 * DAY, [TODAY - DAY, TODAY]),
    ],
)
def test_a_birthday_is_told_a_day_late_at_most(last: date | None, due: list[date]) -> None:
    assert birthdays_since(last, TODAY) == due
