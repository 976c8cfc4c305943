"""Upsell, as customers live it (S51)."""

from domain.durations import days
from tests.support.playback import Playback
from tests.workflows.stories.upsell import it_works_and_stays_so, one_feature_above_all, out_of_room

JOURNEYS = "Upsell"  # that events start


async def letters(play: Playback) -> list[tuple[str, int]]:
    query = "SELECT message, slot_at - started_at AS after FROM sends s JOIN enrollments e ON e.id = s.enrollment"
    return [(row["message"], round(row["after"] / days(1))) for row in await play.rows(query)]


async def test_success_is_left_to_be_enjoyed_before_the_next_step(play: Playback) -> None:
    await it_works_and_stays_so(play)

    assert await letters(play) == [("next_step", 3)]
    assert await play.ending() == "lapsed"


async def test_at_a_limit_more_room_at_once_then_a_person_and_an_upgrade_converts(play: Playback) -> None:
    await out_of_room(play)

    assert await letters(play) == [("more_room", 0)]
    [letter] = await play.rows("SELECT text FROM sandbox_outbox")
    assert "You have reached a limit of your plan: 10 users." in letter["text"]
    assert [row["name"] for row in await play.rows("SELECT name FROM tasks")] == ["talk_about_more_room"]
    assert await play.ending() == "converted"


async def test_who_upgrades_by_themselves_is_called_by_nobody(play: Playback) -> None:
    await play.does("limit_reached")
    await play.does("plan_upgraded")
    await play.after(days(4))

    assert await play.ending() == "converted"
    assert await play.rows("SELECT name FROM tasks") == []


async def test_who_uses_one_feature_a_lot_learns_what_goes_with_it(play: Playback) -> None:
    await one_feature_above_all(play)

    assert await letters(play) == [("what_goes_with_it", 0)]
    [letter] = await play.rows("SELECT text FROM sandbox_outbox")
    assert "You use “Reports” a lot." in letter["text"] and "“Dashboards”" in letter["text"]


async def test_who_merely_uses_it_is_left_alone(play: Playback) -> None:
    await play.does("feature_used")

    assert await play.enrollments() == []


async def test_who_complains_is_sold_nothing(play: Playback) -> None:
    await play.does("complaint_opened")
    await play.does("limit_reached", event_id="limit-1")
    await play.does("limit_reached", event_id="limit-1")
    assert await play.sends() == [("more_room", "held")]
    await play.does("opted_out")

    assert await play.ending() == "opted_out"


async def test_a_control_customer_gets_no_letter(play: Playback) -> None:
    await play.is_held_out("Upsell")
    await it_works_and_stays_so(play)

    assert await play.sends() == [("next_step", "holdout")]
