"""Stages: people go on, skip, jump back by a rule that says so, and old news never throws them back (S4)."""

from datetime import datetime

import pytest

from domain.events import Event
from domain.stages import ANYWHERE, STAGE_CHOSEN, Rule, Stage, StageSet
from domain.triggers import On
from tests.domain.builders import NOON
from tests.domain.test_projection import DAY, an_event


def a_stage(rank: int, name: str, *rules: Rule) -> Stage:
    return Stage(name=name, rank=rank, words={}, metrics=(), tools=(), rules=rules)


def on(event: str, *coming_from: str, orders: int = 0, **where: str) -> Rule:
    return Rule(on=On(event, where), coming_from=frozenset(coming_from), orders=orders)


STAGES = StageSet(
    name="test",
    stages=(
        a_stage(1, "visitor", on("page_viewed")),
        a_stage(2, "lead", on("signed_up"), on("page_viewed", page="pricing")),
        a_stage(3, "buyer", on("order_placed")),
        a_stage(4, "regular", on("order_placed", orders=2), on("order_placed", "gone")),
        a_stage(5, "gone", on("became_gone", ANYWHERE)),
    ),
)


def walked(*events: Event, start: str | None = None) -> list[str]:
    stage, since, orders, seen = start, NOON if start else None, 0, []
    for event in events:
        orders += event.name == "order_placed"
        if move := STAGES.move(event, stage, since, orders=orders):
            stage, since = move.stage.name, move.at
            seen.append(stage)
    return seen


def test_people_go_through_and_skip() -> None:
    assert walked(an_event("page_viewed"), an_event("signed_up"), an_event("order_placed")) == [
        "visitor", "lead", "buyer",
    ]  # fmt: skip
    assert walked(an_event("order_placed"), an_event("page_viewed")) == ["buyer"]


def test_the_second_order_makes_a_regular_and_not_the_first() -> None:
    assert walked(*[an_event("order_placed", at=NOON + n * DAY) for n in range(3)]) == ["buyer", "regular"]


def test_what_the_event_says_counts() -> None:
    assert walked(an_event("page_viewed", page="start"), an_event("page_viewed", page="pricing")) == ["visitor", "lead"]


def test_only_a_rule_that_says_from_where_leads_back() -> None:
    later = NOON + DAY

    assert walked(an_event("page_viewed", at=later), start="gone") == []
    assert walked(an_event("order_placed", at=later), start="gone") == ["regular"]
    assert walked(an_event("became_gone", at=later), start="visitor") == ["gone"]


@pytest.mark.parametrize(("at", "went"), [(NOON - DAY, []), (NOON + DAY, ["regular"])])
def test_old_news_leads_forward_but_never_back(at: datetime, went: list[str]) -> None:
    assert walked(an_event("order_placed", at=at), start="gone") == went

    move = STAGES.move(an_event("order_placed", at=NOON - DAY), "lead", NOON, orders=1)
    assert move is not None
    assert (move.stage.name, move.left, move.at) == ("buyer", "lead", NOON)


def test_somebody_who_knows_better_says_it() -> None:
    chosen = an_event(STAGE_CHOSEN, at=NOON + DAY, stage="visitor")

    assert walked(chosen, start="regular") == ["visitor"]
    assert walked(an_event(STAGE_CHOSEN, at=NOON - DAY, stage="visitor"), start="regular") == []
    assert walked(an_event(STAGE_CHOSEN, at=NOON + DAY, stage="nowhere"), start="regular") == []


def test_a_stage_that_the_set_has_no_more_is_none() -> None:
    assert walked(an_event("page_viewed"), start="retired") == ["visitor"]
