"""VipWelcome, as the best customers live it (S38, S6)."""

from domain.durations import days
from tests.support.playback import Playback
from tests.workflows.stories.vip_welcome import a_vip_no_more, orders_again, two_letters_in_two_months

JOURNEYS = "VipWelcome"


async def test_a_person_at_once_and_two_letters_in_two_months(play: Playback) -> None:
    await two_letters_in_two_months(play)

    [task] = await play.rows(
        "SELECT name, round(extract(epoch FROM due_at - created_at) / 86400)::int AS days FROM tasks"
    )
    assert task == {"name": "be_their_person", "days": 2}
    assert [row["title"] for row in await play.rows("SELECT title FROM notices")] == ["A customer is now a VIP"]
    assert await play.sent() == ["your_person", "what_would_you_change"]
    assert await play.ending() == "lapsed"


async def test_another_order_converts_and_falling_behind_exits(play: Playback) -> None:
    await orders_again(play)
    assert await play.ending() == "converted"
    await play.after(days(60))
    assert await play.sent() == ["your_person"]


async def test_who_is_a_vip_no_more_is_asked_nothing(play: Playback) -> None:
    await a_vip_no_more(play)

    assert await play.ending() == "exited"


async def test_control_another_segment_an_opt_out_and_twice_a_year(play: Playback) -> None:
    await play.does("segment_entered", segment="loyal")
    assert await play.enrollments() == []

    for _ in range(2):
        await play.does("segment_entered", segment="vip", event_id="vip-1")
    await play.does("opted_out")
    await play.does("segment_entered", segment="vip")
    assert await play.ending() == "opted_out"
    assert len(await play.enrollments()) == 1
