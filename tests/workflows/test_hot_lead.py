"""HotLead, as leads and the staff live it (S66, S64)."""

from domain.durations import days, hours
from tests.support.playback import Playback
from tests.workflows.stories.hot_lead import (
    a_lead_who_asks_first,
    a_lead_who_is_never_in,
    a_lead_whom_nobody_calls,
    a_look_at_the_prices,
)

JOURNEYS = "HotLead"


async def test_the_staff_are_told_at_once_and_the_lead_gets_no_letter(play: Playback) -> None:
    await play.is_known(hour=23)  # the lead's night holds no colleague back
    await a_look_at_the_prices(play)

    [task] = await play.rows("SELECT name, due_at - created_at AS within FROM tasks")
    assert (task["name"], round(task["within"] / hours(1), 2)) == ("call_hot_lead", 2)
    assert [row["title"] for row in await play.rows("SELECT title FROM notices")] == ["A lead is looking at the prices"]
    assert await play.ending("HotLead") == "converted"
    assert await play.sends() == []


async def test_whoever_was_not_reached_is_called_once_more_and_not_again(play: Playback) -> None:
    await a_lead_who_is_never_in(play)

    rows = await play.rows("SELECT name FROM tasks ORDER BY created_at")
    assert [row["name"] for row in rows] == ["call_hot_lead", "call_hot_lead_again"]
    assert await play.ending("HotLead") == "lapsed"


async def test_a_task_that_nobody_does_goes_to_the_head_and_the_walk_lapses(play: Playback) -> None:
    await a_lead_whom_nobody_calls(play)
    await play.house.tasks.escalate_some()

    [task] = await play.rows("SELECT outcome, escalated_at IS NOT NULL AS escalated FROM tasks")
    assert task == {"outcome": None, "escalated": True}
    assert await play.ending("HotLead") == "lapsed"


async def test_asking_ends_it_because_a_request_has_its_own_journey(play: Playback) -> None:
    await a_lead_who_asks_first(play)

    assert await play.ending("HotLead") == "exited"


async def test_a_deal_won_while_nobody_called_converts(play: Playback) -> None:
    await play.does("page_viewed", page="pricing")
    await play.after(days(1))
    await play.does("deal_won", about="D-1")

    assert await play.ending("HotLead") == "converted"


async def test_control_another_page_and_those_who_bought_call_nobody(play: Playback) -> None:
    await play.does("page_viewed", page="about")
    await play.does("order_placed", about="A-1", total=100)
    await play.does("page_viewed", page="pricing")

    assert await play.rows("SELECT 1 FROM tasks") == []
    assert await play.ending("HotLead") == "exited"


async def test_control_nobody_calls_whom_nobody_can_reach(play: Playback) -> None:
    await play.does("opted_out", channel="email")
    await play.does("page_viewed", page="pricing")

    assert await play.rows("SELECT 1 FROM tasks") == []


async def test_looking_again_and_hearing_it_twice_calls_once(play: Playback) -> None:
    for _ in range(2):
        await play.does("page_viewed", page="pricing", event_id="look-1")
    await play.does("page_viewed", page="pricing")
    await play.is_done("call_hot_lead")
    await play.after(days(1))
    await play.does("page_viewed", page="pricing")

    assert len(await play.enrollments()) == 1
    assert len(await play.rows("SELECT 1 FROM tasks")) == 1
