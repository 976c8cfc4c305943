"""LeadRequest, as whoever asks lives it (S41)."""

from domain.durations import days, hours
from tests.support.factories import STAFF
from tests.support.playback import Playback
from tests.workflows.stories.lead_request import (
    a_request_and_nobody_in,
    a_request_answered_late,
    a_request_that_nobody_answers,
)

JOURNEYS = "LeadRequest"


async def test_a_request_of_the_night_is_confirmed_at_once_without_any_consent(play: Playback) -> None:
    await play.is_known(hour=3, consent="denied")
    await play.does("demo_requested")

    assert await play.sends() == [("we_have_it", "accepted")]
    [task] = await play.rows("SELECT name, due_at - created_at AS within FROM tasks")
    assert (task["name"], round(task["within"] / hours(1), 2)) == ("answer_request", 4)
    await play.after(hours(1))
    await play.is_done("answer_request")
    assert await play.ending("LeadRequest") == "converted"


async def test_silence_of_the_staff_alarms_them_and_owns_up_to_it(play: Playback) -> None:
    await a_request_that_nobody_answers(play)

    assert await play.sent("LeadRequest") == ["we_have_it", "we_are_late"]
    notices = await play.rows("SELECT title FROM notices ORDER BY at")
    assert [row["title"] for row in notices] == ["A lead asks to hear from us", "A lead still waits for an answer"]
    assert await play.ending("LeadRequest") == "lapsed"


async def test_an_answer_after_the_apology_still_converts(play: Playback) -> None:
    await a_request_answered_late(play)

    assert await play.sent("LeadRequest") == ["we_have_it", "we_are_late"]
    assert await play.ending("LeadRequest") == "converted"


async def test_whoever_was_not_reached_is_asked_when_it_suits_and_may_ask_again(play: Playback) -> None:
    await a_request_and_nobody_in(play)
    assert await play.sent("LeadRequest") == ["we_have_it", "when_suits_you"]
    assert await play.ending("LeadRequest") == "lapsed"

    await play.does("demo_requested")

    assert await play.sent("LeadRequest") == ["we_have_it", "when_suits_you", "we_have_it"]


async def test_another_colleagues_task_answers_no_request(play: Playback) -> None:
    await play.does("demo_requested")
    await play.does("task_closed", task="call_hot_lead", outcome="done")

    assert await play.ending("LeadRequest") is None


async def test_a_deal_won_meanwhile_converts(play: Playback) -> None:
    await play.does("demo_requested")
    await play.does("deal_won", about="D-1")
    assert await play.ending("LeadRequest") == "converted"


async def test_who_left_our_letters_and_asks_us_is_answered(play: Playback) -> None:
    await play.does("opted_out")
    await play.does("demo_requested")
    await play.after(days(2))

    assert await play.sent("LeadRequest") == ["we_have_it", "we_are_late"]


async def test_a_form_in_their_name_brings_no_letter_to_who_opts_out_of_everything(play: Playback) -> None:
    async with play.house.database.transaction() as connection:
        starts: dict[str, object] = {"starts_on": ["form_submitted", "demo_requested"]}
        await play.house.catalogue.set_options(connection, "LeadRequest", starts, actor=STAFF)
    await play.does("form_submitted", source="form", form="contact")
    assert await play.sent() == ["we_have_it"]

    await play.does("opted_out")
    assert await play.ending() == "opted_out"
    await play.does("form_submitted", source="form", form="contact")
    await play.after(days(2))
    assert await play.sent() == ["we_have_it"]

    await play.does("demo_requested")
    assert await play.sent() == ["we_have_it", "we_have_it"]


async def test_control_twice_and_late(play: Playback) -> None:
    await play.does("page_viewed", page="demo")
    await play.does("demo_requested", at=play.clock.now() - hours(30))
    assert await play.enrollments() == []

    for _ in range(2):
        await play.does("demo_requested", event_id="ask-1")
    await play.does("offer_requested")
    assert await play.sent("LeadRequest") == ["we_have_it"]
