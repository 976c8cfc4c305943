"""Announcement, as customers live it (S71, S81–S88)."""

from zoneinfo import ZoneInfo

import pytest

from domain.durations import days
from domain.errors import InvalidInput
from tests.support.playback import Playback
from tests.workflows.stories.announcement import an_invitation_in_the_morning, news_at_once, two_tuesdays

JOURNEYS = "Announcement"  # that events start


async def local(play: Playback) -> list[tuple[str, str]]:
    query = (
        "SELECT message, slot_at, timezone FROM sends s JOIN customers c ON c.id = s.customer WHERE state = 'accepted'"
    )
    return [
        (row["message"], f"{row['slot_at'].astimezone(ZoneInfo(row['timezone'])):%a %H:%M}")
        for row in await play.rows(f"{query} ORDER BY slot_at")
    ]


async def test_now(play: Playback) -> None:
    await news_at_once(play)

    assert await play.sent() == ["news"]
    assert await play.ending() == "lapsed"


async def test_at_an_hour_of_their_own(play: Playback) -> None:
    await an_invitation_in_the_morning(play)

    assert [(message, at[4:]) for message, at in await local(play)] == [("invitation", "10:00")]


async def test_weekly_so_many_weeks_and_no_more(play: Playback) -> None:
    await two_tuesdays(play)

    assert await local(play) == [("news", "Tue 11:00"), ("news", "Tue 11:00")]
    assert await play.ending() == "lapsed"


async def test_a_sale_waits_for_what_is_owed_and_is_over_when_its_day_is(play: Playback) -> None:
    """An offer of a scheduled journey needs two letters of value before it (S84)."""
    await play.is_entered("Announcement", message="sale")
    assert await play.sends() == [("sale", "held")]
    await play.after(days(1))

    assert await play.sends() == [("sale", "expired")]


async def test_what_is_announced_is_one_of_what_is_declared(play: Playback) -> None:
    with pytest.raises(InvalidInput, match=r"options\.message: must be one of news, invitation, sale"):
        await play.is_entered("Announcement", message="Buy now!")
    await play.does("order_placed", about="A-1")

    assert await play.enrollments() == []


async def test_a_control_customer_gets_none_and_who_left_neither(play: Playback) -> None:
    await play.is_held_out("Announcement")
    await play.is_entered("Announcement")
    assert await play.sends() == [("news", "holdout")]
    await play.does("opted_out")

    assert await play.ending() == "opted_out"
