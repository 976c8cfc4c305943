"""The engagement score: acts count and fade; what is heard of late counts as if it had come in time."""

import math
from datetime import timedelta
from itertools import permutations

import pytest

from domain.engagement import FEW, SCALE, Engagement, EngagementModel, is_theirs, scale_for, score
from domain.events import OURS, Event
from tests.domain.builders import NOON
from tests.domain.test_projection import an_event

MODEL = EngagementModel()
FORTNIGHT = timedelta(days=14)


def after(*events: Event) -> Engagement:
    value = Engagement()
    for event in events:
        value = value.after(event, MODEL)
    return value


def test_an_act_counts_half_after_a_fortnight() -> None:
    bought = after(an_event("order_placed", at=NOON))

    assert bought.on(NOON) == 10
    assert bought.on(NOON + FORTNIGHT) == pytest.approx(5)
    assert bought.on(NOON + 2 * FORTNIGHT) == pytest.approx(2.5)


def test_acts_add_up_in_whatever_order_they_are_heard_of() -> None:
    acts = [
        an_event("order_placed", at=NOON - 2 * FORTNIGHT),
        an_event("form_submitted", at=NOON - FORTNIGHT),
        an_event("page_viewed", at=NOON),
    ]
    values = [after(*order).on(NOON) for order in permutations(acts)]

    assert values == pytest.approx([10 / 4 + 5 / 2 + 1] * 6)


def test_an_opt_out_takes_away_but_never_below_nothing() -> None:
    assert after(an_event("page_viewed"), an_event("opted_out")).on(NOON) == 0


def test_what_says_nothing_of_interest_changes_nothing() -> None:
    assert after(an_event("parcel_weighed")) == Engagement()


def test_the_score_goes_from_nothing_to_a_hundred() -> None:
    scores = [score(value, SCALE) for value in (0, 1, 5, 20, 100, 10_000)]

    assert scores == sorted(scores)
    assert (scores[0], scores[-1]) == (0, 100)


@pytest.mark.parametrize("usual", [0.8, 3.0, 40.0])
def test_by_the_measured_scale_the_median_active_customer_has_50(usual: float) -> None:
    assert score(usual, scale_for(usual, FEW, SCALE)) == 50


def test_the_scale_stays_while_few_are_active_or_it_would_hardly_move() -> None:
    median = SCALE * math.log(2)

    assert scale_for(3.0, FEW - 1, SCALE) == SCALE
    assert scale_for(median * 1.09, 1000, SCALE) == scale_for(median * 0.92, 1000, SCALE) == SCALE
    assert scale_for(median * 1.2, 1000, SCALE) == 24.0


def test_where_hardly_anybody_does_anything_one_page_is_not_everything() -> None:
    assert score(1, scale_for(0.001, 1000, SCALE)) == 63


def test_what_we_found_out_ourselves_is_nothing_that_they_did() -> None:
    assert not is_theirs(an_event("stage_entered", source=OURS))
    assert is_theirs(an_event("message_clicked", source=OURS))
    assert is_theirs(an_event("page_viewed", source="site"))


def test_a_form_that_anybody_may_have_sent_is_no_sign_of_life_and_its_press_is() -> None:
    assert not is_theirs(an_event("form_submitted", source="form"))
    assert not is_theirs(an_event("opt_in_requested", source="form"))
    assert is_theirs(an_event("opt_in_confirmed", source="double opt-in"))
    assert is_theirs(an_event("form_submitted", source="crm"))

    pressed = Engagement().after(an_event("opt_in_confirmed", source="double opt-in"), EngagementModel())
    assert pressed.value == EngagementModel().weights["form_submitted"]
