"""WelcomeChain, as customers live it (S43, S44)."""

from domain.durations import days, hours
from tests.support.playback import Playback


async def test_a_silent_customer_gets_all_four_letters_and_a_task(play: Playback) -> None:
    await play.does("order_placed")
    await play.after(days(2))
    await play.after(days(3))
    await play.after(days(2))
    await play.after(days(3))

    assert await play.sent() == ["greeting", "basics", "did_it_work", "personal_help"]
    assert await play.ending() == "lapsed"
    assert [row["title"] for row in await play.rows("SELECT title FROM tasks")] == ["Help a new customer to get going"]


async def test_reaching_the_goal_while_waiting_ends_it_at_once(play: Playback) -> None:
    await play.does("order_placed")
    await play.after(days(1))
    await play.does("activated")

    assert await play.ending() == "converted"
    await play.after(days(10))
    assert await play.sent() == ["greeting"]


async def test_who_uses_the_product_skips_the_basics(play: Playback) -> None:
    await play.does("order_placed")
    await play.after(hours(20))
    await play.does("feature_used")
    await play.after(days(5))

    assert await play.sent() == ["greeting", "did_it_work"]


async def test_who_is_stuck_is_helped_at_once_and_once(play: Playback) -> None:
    await play.does("order_placed")
    await play.after(hours(5))
    await play.does("setup_stuck")

    assert await play.sent() == ["greeting", "setup_help"]
    await play.after(hours(20))
    await play.does("setup_stuck")
    assert await play.sent() == ["greeting", "setup_help"]


async def test_opting_out_midway_leaves_the_journey(play: Playback) -> None:
    await play.does("order_placed")
    await play.after(days(1))
    await play.does("opted_out")
    await play.after(days(9))

    assert await play.ending() == "opted_out"
    assert await play.sent() == ["greeting"]
