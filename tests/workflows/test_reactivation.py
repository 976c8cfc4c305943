"""Reactivation, as customers live it (S36, S49, S67, C2, C5)."""

from domain.durations import days, hours
from tests.support.playback import Playback
from tests.workflows.stories.reactivation import (
    nothing_brings_them_back,
    only_the_letters_go_unread,
    something_went_wrong,
    the_offer_works,
)

JOURNEYS = "Reactivation"
LEGS = "SELECT message, channel, state FROM sends WHERE message = 'come_back_for_less' ORDER BY leg"
TASKS = "SELECT name FROM tasks"


async def test_three_letters_in_fourteen_days_and_the_offer_by_the_next_way_too(play: Playback) -> None:
    await nothing_brings_them_back(play)

    assert await play.sent() == ["what_is_new", "come_back_for_less", "come_back_for_less", "why_did_you_go"]
    assert [(row["channel"], row["state"]) for row in await play.rows(LEGS)] == [
        ("email", "accepted"),
        ("whatsapp", "accepted"),
        (None, "refused"),  # texts are for receipts and codes (C2)
    ]
    assert await play.ending() == "lapsed"
    assert await play.rows(TASKS) == []


async def test_a_bad_experience_brings_a_call(play: Playback) -> None:
    await something_went_wrong(play)

    assert await play.rows(TASKS) == [{"name": "make_it_right"}]
    assert await play.ending() == "lapsed"


async def test_an_order_after_the_offer_ends_it_and_nobody_is_asked_why(play: Playback) -> None:
    await the_offer_works(play)
    await play.after(days(10))

    assert await play.ending() == "converted"
    assert await play.sent() == ["what_is_new", "come_back_for_less"]


async def test_who_is_still_with_us_is_asked_how_often_and_offered_nothing(play: Playback) -> None:
    await only_the_letters_go_unread(play)
    await play.after(days(14))

    assert await play.sent() == ["less_often"]
    assert await play.ending() == "lapsed"


async def test_who_has_been_away_for_a_month_is_reminded_and_asked_and_offered_nothing(play: Playback) -> None:
    await play.does("page_viewed")
    await play.after(days(31))
    await play.does("engagement_lost", source="tropa")
    for _ in range(15):
        await play.after(days(1))

    assert await play.sent() == ["what_is_new", "why_did_you_go"]
    assert await play.ending() == "lapsed"


async def test_a_visit_ends_it_and_the_sweep_next_month_starts_none(play: Playback) -> None:
    await play.does("became_dormant", source="tropa")
    await play.does("page_viewed")
    assert await play.ending() == "exited"

    await play.after(days(30))
    await play.does("engagement_lost", source="tropa")

    assert len(await play.enrollments()) == 1


async def test_an_opt_out_midway_ends_it(play: Playback) -> None:
    await play.does("became_dormant", source="tropa")
    await play.after(hours(24))
    await play.does("opted_out")
    await play.after(days(14))

    assert await play.ending() == "opted_out"
    assert await play.sent() == ["what_is_new"]
