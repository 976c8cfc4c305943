"""WelcomeChain, as customers live it (S43, S44)."""

from datetime import timedelta
from typing import Any

import pytest

from domain.durations import days, hours
from domain.errors import EnrollmentRefused, InvalidInput
from tests.support.factories import STAFF
from tests.support.playback import Playback
from tests.workflows.stories.welcome_chain import converts_at_the_end, gets_stuck, silent, uses_it_already

JOURNEYS = "WelcomeChain"  # that events start


async def test_silence_brings_four_letters_and_a_task_and_lapses(play: Playback) -> None:
    await silent(play)

    assert await play.sent() == ["greeting", "basics", "did_it_work", "personal_help"]
    assert await play.ending() == "lapsed"
    assert [row["title"] for row in await play.rows("SELECT title FROM tasks")] == ["Help a new customer to get going"]


async def test_the_steps_come_on_days_0_2_5_and_7(play: Playback) -> None:
    await silent(play)

    began = (await play.enrollments())[0]["started_at"]
    slots = [row["slot_at"] - began for row in await play.rows("SELECT slot_at FROM sends ORDER BY slot_at")]
    assert [round(slot / timedelta(days=1)) for slot in slots] == [0, 2, 5, 7]


async def test_reaching_the_goal_while_waiting_ends_it_at_once(play: Playback) -> None:
    await play.does("order_placed")
    await play.after(days(1))
    await play.does("activated")

    assert await play.ending() == "converted"
    await play.after(days(10))
    assert await play.sent() == ["greeting"]


async def test_reaching_the_goal_at_the_last_wait_converts(play: Playback) -> None:
    await converts_at_the_end(play)

    assert await play.ending() == "converted"


async def test_who_uses_the_product_skips_the_basics(play: Playback) -> None:
    await uses_it_already(play)

    assert await play.sent() == ["greeting", "did_it_work", "personal_help"]
    assert await play.ending() == "lapsed"


async def test_who_used_it_before_they_bought_skips_the_basics_too(play: Playback) -> None:
    await play.does("feature_used")
    await play.does("order_placed")
    await play.after(days(5))

    assert await play.sent() == ["greeting", "did_it_work"]


async def test_who_is_stuck_is_helped_at_once_and_once(play: Playback) -> None:
    await gets_stuck(play)

    assert await play.sent() == ["greeting", "setup_help", "basics"]
    assert await play.ending() == "converted"


async def test_help_waits_for_the_gap_after_another_letter(play: Playback) -> None:
    await play.does("order_placed")
    await play.after(hours(1))
    await play.does("setup_stuck")

    assert await play.sends() == [("greeting", "accepted"), ("setup_help", "deferred")]
    await play.after(hours(3))
    assert await play.sends() == [("greeting", "accepted"), ("setup_help", "accepted")]


async def test_refusing_email_lets_the_walk_go_on_without_letters(play: Playback) -> None:
    await play.does("order_placed")
    await play.after(days(1))
    await play.does("opted_out", channel="email")
    await play.after(days(9) + hours(1))

    assert await play.sent() == ["greeting"]
    assert ("basics", "refused") in await play.sends()
    assert await play.ending() == "lapsed"


async def test_f06_the_same_event_twice_changes_nothing(play: Playback) -> None:
    for _ in range(2):
        await play.does("order_placed", event_id="order-1")
    await play.after(hours(5))
    for _ in range(2):
        await play.does("setup_stuck", event_id="stuck-1")

    assert len(await play.enrollments()) == 1
    assert await play.sent() == ["greeting", "setup_help"]


async def test_f04_an_order_we_hear_of_a_day_late_starts_nothing(play: Playback) -> None:
    await play.does("order_placed", at=play.clock.now() - hours(25))

    assert await play.enrollments() == []
    words = [row["words"] for row in await play.rows("SELECT words FROM decisions")]
    assert words == [
        "Not entered WelcomeChain: “placed an order” happened 1 day before we heard of it; old news starts nothing"
    ]


async def test_f04_a_goal_we_hear_of_late_still_ends_it(play: Playback) -> None:
    await play.does("order_placed")
    await play.after(days(3))
    await play.does("activated", at=play.clock.now() - days(2))

    assert await play.ending() == "converted"


async def test_an_order_at_night_is_greeted_in_the_morning(play: Playback) -> None:
    await play.is_known(hour=23)
    await play.does("order_placed")

    assert await play.sends() == [("greeting", "deferred")]
    await play.after(hours(11))
    assert await play.sends() == [("greeting", "accepted")]


async def test_a_pause_holds_a_letter_and_resuming_sends_it(play: Playback) -> None:
    await play.does("order_placed")
    enrollment = (await play.enrollments())[0]["id"]
    await _staff(play, "pause", enrollment)
    await play.after(days(2) + hours(1))
    assert await play.sends() == [("greeting", "accepted"), ("basics", "held")]

    await _staff(play, "resume", enrollment)

    assert await play.sends() == [("greeting", "accepted"), ("basics", "accepted")]


async def test_what_is_held_too_long_expires_and_the_walk_goes_on(play: Playback) -> None:
    await play.does("order_placed")
    await _staff(play, "pause", (await play.enrollments())[0]["id"])
    await play.after(days(12))
    await play.after(days(5))

    states = dict(await play.sends())
    assert states["basics"] == "expired"
    assert await play.ending() == "lapsed"


async def test_a_second_order_within_half_a_year_does_not_start_it_again(play: Playback) -> None:
    await play.does("order_placed")
    await play.does("activated")
    await play.does("order_placed")

    assert len(await play.enrollments()) == 1


async def test_s68_a_deal_that_is_won_begins_it_too_and_its_order_begins_nothing_more(play: Playback) -> None:
    await play.does("deal_won", about="D-1")
    await play.does("order_placed", about="A-1")

    assert len(await play.enrollments()) == 1
    assert await play.sent() == ["greeting"]


async def test_wrong_options_are_named_and_nothing_starts(play: Playback) -> None:
    with pytest.raises(InvalidInput) as caught:
        await _enroll(play, {"basics_on_day": "40 days", "discount": 10})

    assert caught.value.problems == (
        "options.basics_on_day: must be between 1 hour and 30 days; got 40 days",
        "options.discount: there is no such option; this journey has: "
        "basics_on_day, question_on_day, help_on_day, goodbye_on_day",
    )
    assert await play.enrollments() == []


async def test_options_move_the_steps(play: Playback) -> None:
    await _enroll(play, {"basics_on_day": "6 hours"})
    await play.after(hours(6))

    assert await play.sent() == ["greeting", "basics"]


async def test_f25_nobody_enters_twice(play: Playback) -> None:
    await _enroll(play, {})

    with pytest.raises(EnrollmentRefused, match="already walking it"):
        await _enroll(play, {})


async def _enroll(play: Playback, options: dict[str, Any]) -> None:
    async with play.house.database.transaction() as connection:
        await play.house.enrolling.enroll(
            connection, "WelcomeChain", play.customer_id, about="", options=options, actor=STAFF
        )
    await play.catch_up()


async def _staff(play: Playback, command: str, enrollment: str) -> None:
    async with play.house.database.transaction() as connection:
        await getattr(play.house.enrolling, command)(connection, enrollment, actor=STAFF)
    await play.catch_up()
