"""What an event does to a customer and their journeys, one event at a time."""

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import count, pairwise
from uuid import NAMESPACE_DNS, uuid5

import pytest

from domain.consequences import CatchUp, Consequence, End, NotStarted, Past, Signal, Start, Walk
from domain.customers import EVERY_CHANNEL
from domain.events import IMPORT, OURS, Event
from domain.journeys import SIGNALS_AN_HOUR, SIGNALS_IN_ALL, Declaration, Outcome, Plan, Reentry
from domain.options import Id
from domain.projection import consequences
from domain.routing import Listed, Routing
from domain.standing import Standing
from tests.domain.builders import NOON, no, yes

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Size(StrEnum):
    SMALL = "small"
    BIG = "big"


CART = Plan(
    starts_on=("cart_left",),
    hears=("looked", "asked"),
    goal="bought",
    exits=("emptied",),
    about="cart",
    properties={
        "looked": {
            "product": Id,
            "count": int,
            "price": float,
            "new": bool,
            "size": Size,
            "seen_at": datetime,
            "lasted": timedelta,
        }
    },
)
WELCOME = Plan(starts_on=("order_placed",), hears=("looked",), goal="activated", reentry=Reentry.NEVER)


@dataclass
class Story:
    """A customer among journeys. Time is told by the caller; everything that followed is kept."""

    plans: dict[str, Plan] = field(default_factory=lambda: {"Cart": CART, "Welcome": WELCOME})
    standing: Standing = field(default_factory=Standing)
    now: datetime = NOON
    ids: Iterable[int] = field(default_factory=count)

    def meets(self, event: Event) -> list[Consequence]:
        following = consequences(event, self.standing, self.routing(), now=self.now, mint=self.mint)
        self.standing.take(event, following, self.routing(), self.now)
        return following

    def does(self, name: str, about: str = "", **details: object) -> list[Consequence]:
        return self.meets(an_event(name, about, at=self.now, **details))  # type: ignore[arg-type]  # properties

    def often(self, name: str, times: int, about: str = "") -> list[Consequence]:
        return [each for _ in range(times) for each in self.does(name, about)]

    def mint(self) -> str:
        return f"enr_{next(iter(self.ids))}"

    def routing(self) -> Routing:
        listed = {
            name: Listed(
                declaration=Declaration(name=name, folder=name.lower(), plan=plan, story=""),
                starts_on=frozenset(plan.beginnings),
            )
            for name, plan in self.plans.items()
        }
        return Routing(journeys=listed, surrogate=lambda value: f"s({value})")


NUMBERS = count()


def an_event(
    name: str,
    about: str = "",
    *,
    at: datetime = NOON,
    received: datetime | None = None,
    source: str = "shop",
    **properties: object,
) -> Event:
    event_id = f"{name}-{next(NUMBERS)}"
    return Event(
        id=uuid5(NAMESPACE_DNS, event_id),
        event_id=event_id,
        name=name,
        occurred_at=at,
        received_at=received or at,
        source=source,
        about=about,
        properties=properties,
    )


def signals(found: list[Consequence]) -> list[Signal]:
    return [each for each in found if isinstance(each, Signal)]


def rules(found: list[Consequence]) -> list[str]:
    return [each.decision.rule for each in found if isinstance(each, NotStarted)]


def in_the_cart_journey(about: str = "c1") -> Story:
    story = Story()
    story.does("cart_left", about)
    return story


# Hearing ---------------------------------------------------------------------------------------------------------


def test_a_walk_hears_only_what_it_declares() -> None:
    story = in_the_cart_journey()

    assert signals(story.does("looked", "c1"))
    assert story.does("sneezed", "c1") == []


def test_a_walk_hears_only_of_what_it_is_about() -> None:
    story = in_the_cart_journey("c1")
    story.does("cart_left", "c2")

    heard = signals(story.does("looked", "c2"))

    assert [each.walk.about for each in heard] == ["c2"]
    assert story.does("looked") == []


def test_an_order_names_the_cart_that_it_came_from() -> None:
    story = in_the_cart_journey("c1")
    story.does("cart_left", "c2")

    ended = story.does("bought", "order-7", cart="c2")

    assert [each.walk.about for each in ended if isinstance(each, End)] == ["c2"]
    assert story.does("bought", "order-8", cart=["c1"]) == []


def test_a_walk_that_hears_what_starts_it_is_told_and_nothing_else_is_said() -> None:
    story = Story(plans={"Cart": replace(CART, hears=("cart_left",))})
    story.does("cart_left", "c1")

    again = story.does("cart_left", "c1")

    assert [type(each) for each in again] == [Signal]


def test_a_walk_about_nothing_hears_of_everything() -> None:
    story = Story()
    story.does("order_placed", "o1")

    assert len(signals(story.does("looked", "anything"))) == 1


def test_a_goal_of_another_cart_ends_nothing() -> None:
    assert in_the_cart_journey("c1").does("bought", "c2") == []


def test_a_signal_carries_our_id_the_number_and_declared_properties_alone() -> None:
    story = in_the_cart_journey()
    event = an_event("looked", "c1", product="sku-1", count=2, note="please call Anna")

    told = signals(story.meets(event))[0].heard

    assert (told.id, told.number, told.name, told.at) == (str(event.id), 2, "looked", NOON)
    assert told.properties == {"product": "s(sku-1)", "count": 2}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"product": "sku-1"}, {"product": "s(sku-1)"}),
        ({"product": 17}, {"product": "s(17)"}),
        ({"product": True}, {}),
        ({"product": None}, {}),
        ({"product": ["sku-1"]}, {}),
        ({"count": 2}, {"count": 2}),
        ({"count": 2.5}, {}),
        ({"count": "two"}, {}),
        ({"count": True}, {}),
        ({"price": 2}, {"price": 2}),
        ({"price": 2.5}, {"price": 2.5}),
        ({"price": "2.5"}, {}),
        ({"new": False}, {"new": False}),
        ({"new": 0}, {}),
        ({"new": "false"}, {}),
        ({"size": "big"}, {"size": "big"}),
        ({"size": "Anna"}, {}),
        ({"size": ["big"]}, {}),
        ({"size": None}, {}),
        ({"seen_at": "2026-06-01T12:00:00Z"}, {"seen_at": "2026-06-01T12:00:00Z"}),
        ({"seen_at": "yesterday"}, {}),
        ({"seen_at": 20260601}, {}),
        ({"lasted": "2 days"}, {"lasted": "2 days"}),
        ({"lasted": "ages"}, {}),
        ({"lasted": 2}, {}),
        ({"product": {"name": "Anna"}}, {}),
        ({"product": 1.5}, {}),
        ({"name": "Anna"}, {}),
    ],
)
def test_a_property_travels_only_as_the_kind_it_was_declared(given: dict[str, object], told: dict[str, object]) -> None:
    story = in_the_cart_journey()

    heard = signals(story.meets(replace(an_event("looked", "c1"), properties=given)))

    assert heard[0].heard.properties == told


# Ending ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "outcome"), [("bought", Outcome.CONVERTED), ("emptied", Outcome.EXITED)])
def test_a_goal_or_an_exit_ends_the_walk_and_says_by_what(name: str, outcome: Outcome) -> None:
    story = in_the_cart_journey()

    (end,) = story.does(name, "c1")

    assert isinstance(end, End)
    assert end.ending.outcome is outcome
    assert name in end.decision.words()
    assert story.standing.walks == {}


def test_what_has_ended_hears_no_more() -> None:
    story = in_the_cart_journey()
    story.does("bought", "c1")

    assert story.does("looked", "c1") == []
    assert story.does("bought", "c1") == []


def test_an_event_that_is_goal_and_start_ends_first_and_does_not_start_over() -> None:
    loop = Plan(starts_on=("ordered",), goal="ordered", reentry=Reentry.AFTER_EXIT)
    story = Story(plans={"Loop": loop})
    story.does("ordered")

    found = story.does("ordered")

    assert [type(each) for each in found] == [End, NotStarted]


def test_walks_of_a_journey_that_this_build_lacks_hear_nothing() -> None:
    story = in_the_cart_journey()
    story.plans = {}

    assert story.does("bought", "c1") == []
    assert len(story.standing.walks) == 1


# Old news --------------------------------------------------------------------------------------------------------


def test_f04_old_news_starts_nothing_and_says_how_old_it_was() -> None:
    found = Story().meets(an_event("order_placed", at=NOON - 26 * HOUR, received=NOON))

    assert rules(found) == ["old_news"]
    assert [each.decision.words() for each in found if isinstance(each, NotStarted)] == [
        "Not entered Welcome: “placed an order” happened 1 day before we heard of it; old news starts nothing"
    ]


def test_news_of_exactly_the_allowed_age_still_starts() -> None:
    found = Story().meets(an_event("order_placed", at=NOON - DAY, received=NOON))

    assert [type(each) for each in found] == [Start]


@pytest.mark.parametrize("source", ["shop", IMPORT])
def test_f04_old_news_still_ends_and_wakes(source: str) -> None:
    story = in_the_cart_journey()
    old = {"at": NOON - 30 * DAY, "received": NOON, "source": source}

    assert len(signals(story.meets(an_event("looked", "c1", **old)))) == 1  # type: ignore[arg-type]
    assert [type(each) for each in story.meets(an_event("bought", "c1", **old))] == [End]  # type: ignore[arg-type]


def test_history_starts_nothing_however_fresh_it_looks_and_leaves_no_decision() -> None:
    story = Story()

    assert story.meets(an_event("order_placed", source=IMPORT)) == []
    assert story.standing.orders == 1


# Entering --------------------------------------------------------------------------------------------------------


def test_a_start_about_nothing_where_something_is_needed_is_refused() -> None:
    assert rules(Story().does("cart_left")) == ["no_about"]


def test_one_walk_for_each_cart() -> None:
    story = in_the_cart_journey("c1")

    assert [type(each) for each in story.does("cart_left", "c2")] == [Start]
    assert rules(story.does("cart_left", "c1")) == ["already_walking"]
    assert sorted(walk.about for walk in story.standing.walks.values()) == ["c1", "c2"]


def reentering(reentry: Reentry, after: timedelta = DAY) -> Story:
    plan = replace(CART, reentry=reentry, reentry_after=after)
    story = Story(plans={"Cart": plan})
    story.does("cart_left", "c1")
    return story


def test_f26_never_again_means_never_again() -> None:
    story = reentering(Reentry.NEVER)
    story.does("bought", "c1")
    story.now += 1000 * DAY

    assert rules(story.does("cart_left", "c1")) == ["walked_before"]


def test_after_its_exit_a_journey_may_be_walked_at_once() -> None:
    story = reentering(Reentry.AFTER_EXIT)

    assert rules(story.does("cart_left", "c1")) == ["already_walking"]
    story.does("bought", "c1")
    assert [type(each) for each in story.does("cart_left", "c1")] == [Start]


@pytest.mark.parametrize(("passed", "found"), [(DAY - HOUR, ["walked_before"]), (DAY, []), (2 * DAY, [])])
def test_after_a_time_counts_from_the_start(passed: timedelta, found: list[str]) -> None:
    story = reentering(Reentry.AFTER_A_TIME)
    story.does("bought", "c1")
    story.now += passed

    assert rules(story.does("cart_left", "c1")) == found


def test_a_walk_still_open_is_not_entered_again_however_long_it_lasts() -> None:
    story = reentering(Reentry.AFTER_A_TIME)
    story.now += 2 * DAY

    assert rules(story.does("cart_left", "c1")) == ["already_walking"]


def test_a_past_walk_stands_against_its_own_thing_alone() -> None:
    story = Story(plans={"Cart": replace(CART, reentry=Reentry.NEVER)})
    story.standing.past["Cart", "c1"] = Past(started_at=NOON - DAY, ended_at=NOON - HOUR)

    assert rules(story.does("cart_left", "c1")) == ["walked_before"]
    assert [type(each) for each in story.does("cart_left", "c2")] == [Start]


def test_who_was_erased_enters_nothing() -> None:
    assert rules(Story(standing=Standing(erased_at=NOON)).does("order_placed")) == ["journey_erased"]


def test_who_opted_out_of_everything_enters_nothing_until_they_say_yes_again() -> None:
    story = Story(standing=Standing(consents={EVERY_CHANNEL: no(NOON)}))

    assert rules(story.does("order_placed")) == ["opted_out_of_all"]
    story.standing.consents = {EVERY_CHANNEL: no(NOON), "sms": yes(NOON + HOUR)}
    assert [type(each) for each in story.does("order_placed")] == [Start]


def test_who_asks_to_hear_from_us_after_that_no_may_be_asked_whether_they_mean_it() -> None:
    ask = Plan(starts_on=("opt_in_requested", "order_placed"))
    story = Story(plans={"Ask": ask}, standing=Standing(consents={EVERY_CHANNEL: no(NOON)}))

    assert rules(story.does("opt_in_requested")) == ["opted_out_of_all"]  # at the same instant the no wins
    story.now += HOUR
    assert rules(story.does("order_placed")) == ["opted_out_of_all"]
    assert [type(each) for each in story.does("opt_in_requested")] == [Start]


def test_a_form_which_anybody_may_send_serves_nobody_who_opted_out() -> None:
    plans = {"Lead": Plan(starts_on=("demo_requested", "form_submitted"), serves=True)}
    story = Story(plans=plans, standing=Standing(consents={EVERY_CHANNEL: no(NOON)}))
    story.now += HOUR

    assert rules(story.does("form_submitted")) == ["opted_out_of_all"]
    assert [type(each) for each in story.does("demo_requested")] == [Start]


def test_who_opted_out_of_everything_is_still_served() -> None:
    plans = {"Order": Plan(starts_on=("order_placed",), serves=True), "Welcome": WELCOME}
    story = Story(plans=plans, standing=Standing(consents={EVERY_CHANNEL: no(NOON)}))

    assert [type(each) for each in story.does("order_placed")] == [Start, NotStarted]


def test_who_opted_out_of_one_channel_may_still_enter() -> None:
    story = Story(standing=Standing(consents={"email": no(NOON)}))

    assert [type(each) for each in story.does("order_placed")] == [Start]


# The budget ------------------------------------------------------------------------------------------------------


def test_twenty_signals_an_hour_of_one_name_and_then_one_catch_up() -> None:
    story = in_the_cart_journey()

    found = story.often("looked", SIGNALS_AN_HOUR + 30, "c1")

    assert [type(each) for each in found] == [Signal] * SIGNALS_AN_HOUR + [CatchUp]
    assert [each.at for each in found if isinstance(each, CatchUp)] == [NOON + HOUR]


def test_each_name_has_a_budget_of_its_own() -> None:
    story = in_the_cart_journey()
    story.often("looked", 50, "c1")

    assert len(signals(story.often("asked", SIGNALS_AN_HOUR, "c1"))) == SIGNALS_AN_HOUR


def test_a_new_hour_brings_a_new_budget() -> None:
    story = in_the_cart_journey()
    story.often("looked", 50, "c1")
    story.now += HOUR

    assert len(signals(story.often("looked", 50, "c1"))) == SIGNALS_AN_HOUR


def test_two_hundred_in_all_and_then_one_catch_up_an_hour() -> None:
    story = in_the_cart_journey()
    told: list[Consequence] = []
    for _ in range(15):
        told += story.often("looked", 30, "c1")
        story.now += HOUR

    assert len(signals(told)) == SIGNALS_IN_ALL
    due = [each.at for each in told if isinstance(each, CatchUp)]
    assert len(due) == 15
    assert min(later - sooner for sooner, later in pairwise(due)) == HOUR


def test_a_catch_up_that_is_on_its_way_is_not_ordered_twice() -> None:
    story = in_the_cart_journey()
    story.often("looked", SIGNALS_AN_HOUR + 1, "c1")
    story.now += HOUR - timedelta(seconds=1)

    assert story.often("looked", 5, "c1") == []


def test_catch_ups_stay_an_hour_apart_however_events_fall() -> None:
    story = in_the_cart_journey()
    story.often("looked", SIGNALS_AN_HOUR + 1, "c1")
    story.now += timedelta(minutes=61)
    found = story.often("looked", SIGNALS_AN_HOUR + 1, "c1")

    assert [each.at for each in found if isinstance(each, CatchUp)] == [NOON + 2 * HOUR]


def test_a_goal_is_never_held_back_by_the_budget() -> None:
    story = in_the_cart_journey()
    walk = next(iter(story.standing.walks.values()))
    story.standing.walks[walk.id] = replace(walk, signals=SIGNALS_IN_ALL)
    story.often("looked", 50, "c1")

    assert [type(each) for each in story.does("bought", "c1")] == [End]


def test_a_budget_that_came_back_from_the_database_goes_on_counting() -> None:
    story = in_the_cart_journey()
    story.often("looked", 19, "c1")
    walk = next(iter(story.standing.walks.values()))
    stored = {name: list(value) for name, value in walk.hearing.items()}  # as JSON gives it back
    story.standing.walks[walk.id] = replace(walk, hearing=stored)

    assert [type(each) for each in story.often("looked", 2, "c1")] == [Signal, CatchUp]


# Counting --------------------------------------------------------------------------------------------------------


def test_f04_orders_are_counted_and_the_latest_is_kept_whatever_the_order_of_arrival() -> None:
    story = Story(plans={})
    for day in (3, 1, 2):
        story.meets(an_event("order_placed", at=NOON + day * DAY))

    assert (story.standing.orders, story.standing.last_order_at) == (3, NOON + 3 * DAY)


def test_the_first_activation_and_the_last_use_are_kept() -> None:
    story = Story(plans={})
    for day in (2, 1, 3):
        story.meets(an_event("activated", at=NOON + day * DAY))
        story.meets(an_event("feature_used", at=NOON + day * DAY))

    assert (story.standing.activated_at, story.standing.feature_used_at) == (NOON + DAY, NOON + 3 * DAY)


def test_every_event_is_numbered_one_by_one_even_if_nobody_listens() -> None:
    story = Story(plans={})
    story.often("sneezed", 3)

    assert story.standing.number == 3


def test_an_error_in_one_event_leaves_the_standing_untouched() -> None:
    story = in_the_cart_journey()
    before = deepcopy(story.standing)
    poison = replace(an_event("looked", "c1"), properties=None)  # type: ignore[arg-type]

    with pytest.raises(AttributeError):
        story.meets(poison)

    assert story.standing == before


def test_walks_are_told_oldest_first() -> None:
    standing = Standing(
        walks={n: Walk(id=n, journey="Welcome", about="", started_at=NOON) for n in ("enr_1", "enr_2", "enr_3")}
    )

    found = signals(Story(standing=standing).does("looked"))

    assert [each.walk.id for each in found] == ["enr_1", "enr_2", "enr_3"]


def test_what_we_tell_of_one_walk_is_nothing_to_the_others() -> None:
    story = Story(
        {
            "Call": Plan(starts_on=("asked",), hears=("task_closed",)),
            "Wait": Plan(starts_on=("asked",), goal="task_closed"),
        }
    )
    story.does("asked")  # enr_0 walks Call, enr_1 Wait
    told = an_event("task_closed", at=NOON, source=OURS, enrollment="enr_0")

    assert [type(each) for each in story.meets(told)] == [Signal]
    assert [type(each) for each in story.does("task_closed", enrollment="enr_0")] == [
        Signal,
        End,
    ]  # theirs says nothing
