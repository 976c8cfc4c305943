"""Options and plans: what may not travel is refused when the class loads; what is wrong is named."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

import pytest

from domain.durations import days, hours, parse_duration, spoken
from domain.errors import InvalidDeclaration, InvalidInput
from domain.journeys import Plan
from domain.options import Between, Id, NoOptions, check_declared, describe, parse_options, written_options
from domain.triggers import On
from workflows.toolkit.declaring import check_plan


class Pace(StrEnum):
    SLOW = "slow"
    FAST = "fast"


@dataclass(frozen=True, kw_only=True)
class TrialOptions:
    after: Annotated[timedelta, Between(hours(1), days(30))] = days(2)
    discount: Annotated[int, Between(0, 50)] = 10
    share: float = 0.5
    loud: bool = False
    until: datetime = datetime(2026, 12, 31, tzinfo=UTC)
    pace: Pace = Pace.SLOW


@dataclass(frozen=True, kw_only=True)
class WithText:
    greeting: str = "Hello"


@dataclass(frozen=True, kw_only=True)
class WithId:
    coupon: Id = Id("10-OFF")


@dataclass(frozen=True, kw_only=True)
class WithList:
    words: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class WithHoldout:
    holdout: float = 0.5


@dataclass(frozen=True, kw_only=True)
class WithoutDefault:
    discount: int


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (WithText, "put words into a message template"),
        (WithId, "'coupon'"),
        (WithList, "'words'"),
        (WithoutDefault, "every option needs a default"),
        (dict, "must be a frozen dataclass"),
    ],
)
def test_options_that_could_carry_words_are_refused_when_the_class_loads(options: type, said: str) -> None:
    with pytest.raises(InvalidDeclaration, match=said):
        check_plan("Trial", Plan(options=options))


def test_every_allowed_kind_of_option_is_accepted() -> None:
    check_declared("Trial", TrialOptions)
    check_declared("Trial", NoOptions)


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (None, "declare `plan = Plan"),
        (Plan(hears=("Looked",)), "'Looked' is no event name"),
        (Plan(goal="a goal"), "'a goal' is no event name"),
        (Plan(starts_on=("",)), "'' is no event name"),
        (Plan(hears=("looked",), properties={"looked": {"comment": str}}), "read free text in an activity"),
        (Plan(properties={"looked": {"count": int}}), "not in `hears`"),
        (Plan(priority=0), "priority goes from 1"),
        (Plan(priority=6), "priority goes from 1"),
        (Plan(goal=On("looked", {"page": None})), "looked.page: None cannot be asked for"),
        (Plan(experiments={"tone": ("plain",)}), "two or more variants"),
        (Plan(experiments={"tone": ("plain", "plain")}), "two or more variants"),
        (Plan(experiments={"The tone": ("plain", "warm")}), "two or more variants"),
        (Plan(options=WithHoldout), "a name that every journey has"),
    ],
)
def test_a_plan_that_cannot_work_is_refused_with_what_is_wrong(plan: Plan | None, said: str) -> None:
    with pytest.raises(InvalidDeclaration, match=said):
        check_plan("Trial", plan)


def test_properties_of_every_safe_kind_may_be_declared() -> None:
    kinds: dict[str, type] = {"n": int, "x": float, "b": bool, "t": datetime, "p": Pace, "i": Id}

    check_plan("Trial", Plan(hears=("looked",), properties={"looked": kinds}))


def test_what_is_not_given_keeps_its_default() -> None:
    assert parse_options(TrialOptions, {"discount": 20}) == TrialOptions(discount=20)


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("after", "30 minutes", "options.after: must be between 1 hour and 30 days; got 30 minutes"),
        ("after", "31 days", "options.after: must be between 1 hour and 30 days; got 31 days"),
        ("after", "soon", "options.after: 'soon' is not a duration"),
        ("after", 2, "options.after: must be text, such as '2 days'"),
        ("discount", 51, "options.discount: must be between 0 and 50; got 51"),
        ("discount", -1, "options.discount: must be between 0 and 50; got -1"),
        ("discount", 1.5, "options.discount: must be a whole number"),
        ("discount", True, "options.discount: must be a whole number"),
        ("discount", "10", "options.discount: must be a whole number"),
        ("share", 10**400, "options.share: "),
        ("share", "half", "options.share: must be a number"),
        ("loud", 1, "options.loud: must be true or false"),
        ("until", "2026-01-31T09:00:00", "options.until: needs a time zone"),
        ("until", "tomorrow", "options.until: "),
        ("pace", "medium", "options.pace: must be one of slow, fast"),
        ("pace", None, "options.pace: must be text"),
        ("colour", "red", "options.colour: there is no such option; this journey has: after, discount"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_right(name: str, given: object, said: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        parse_options(TrialOptions, {name: given})

    assert [said in problem for problem in raised.value.problems] == [True]


def test_all_wrong_values_are_named_at_once() -> None:
    with pytest.raises(InvalidInput) as raised:
        parse_options(TrialOptions, {"discount": 51, "pace": "medium", "share": 0.1})

    assert len(raised.value.problems) == 2


@pytest.mark.parametrize("given", [{"after": "1 hour", "discount": 0}, {"after": "30 days", "discount": 50}])
def test_both_bounds_are_allowed(given: dict[str, Any]) -> None:
    assert written_options(parse_options(TrialOptions, given)).items() >= given.items()


def test_what_is_written_reads_back_the_same() -> None:
    options = TrialOptions(after=hours(36), share=0.25, loud=True, pace=Pace.FAST)

    assert parse_options(TrialOptions, written_options(options)) == options


def test_marketers_read_kind_default_bounds_and_choices() -> None:
    told = {option.name: option for option in describe(TrialOptions)}

    assert (told["after"].kind, told["after"].default) == ("duration", "2 days")
    assert (told["after"].least, told["after"].most) == ("1 hour", "30 days")
    assert told["pace"].choices == ("slow", "fast")
    assert (told["share"].kind, told["until"].kind, told["loud"].kind) == ("number", "instant", "boolean")


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        (days(2), "2 days"),
        (hours(36), "36 hours"),
        (timedelta(minutes=90), "90 minutes"),
        (days(1), "1 day"),
        (timedelta(seconds=1), "1 second"),
        (timedelta(seconds=90), "90 seconds"),
        (timedelta(0), "0 seconds"),
    ],
)
def test_a_duration_is_spoken_in_its_shortest_exact_words_and_read_back(duration: timedelta, words: str) -> None:
    assert spoken(duration) == words
    assert parse_duration(words) == duration


def test_a_duration_that_no_timedelta_holds_is_invalid_input() -> None:
    with pytest.raises(InvalidInput):
        parse_duration("999999999999 weeks")
