"""Referral, as customers live it (S37, S59)."""

import pytest

from domain.durations import days
from tests.support.playback import Playback
from tests.support.set_up import an_offer
from tests.workflows.stories.referral import a_friend_comes, nobody_comes

JOURNEYS = "Referral"
WHEN = "SELECT message, slot_at - (SELECT min(occurred_at) FROM events WHERE name = 'order_placed') AS after FROM sends"


async def test_fourteen_days_after_the_purchase_and_a_friend_ends_it(play: Playback) -> None:
    await a_friend_comes(play)

    assert await play.ending() == "converted"
    [sent] = await play.rows(WHEN)
    assert sent["message"] == "for_your_friends"
    assert days(14) <= sent["after"] < days(15.1)


async def test_then_a_review_and_then_peace(play: Playback) -> None:
    await nobody_comes(play)

    assert await play.sent() == ["for_your_friends", "tell_how_it_went"]
    assert await play.ending() == "lapsed"


@pytest.mark.parametrize(
    "answer", [{"survey": "nps", "score": 8}, {"survey": "support", "score": 5}, {"score": 10}], ids=str
)
async def test_no_other_answer_starts_it(play: Playback, answer: dict[str, object]) -> None:
    await play.does("survey_answered", **answer)

    assert await play.enrollments() == []


async def test_a_complaint_ends_it_before_anything_is_asked_of_them(play: Playback) -> None:
    await an_offer(play, "friend")
    await play.does("survey_answered", survey="nps", score=9)
    await play.does("complaint_opened")
    await play.after(days(20))

    assert await play.ending() == "exited"
    assert await play.sent() == []
