"""Nps, as customers live it (S57, S58, S69)."""

from domain.durations import days, hours
from tests.support.playback import Playback
from tests.workflows.stories.nps import a_passive_answer, an_unhappy_answer, no_answer

JOURNEYS = "Nps"
TASKS = "SELECT name, round(extract(epoch FROM due_at - created_at) / 3600) AS hours FROM tasks"
TROUBLE = "SELECT trouble FROM customers"


async def test_who_is_unhappy_is_asked_at_ten_and_called_within_a_day(play: Playback) -> None:
    await an_unhappy_answer(play)

    assert await play.sent() == ["would_you_recommend_us"]
    assert await play.ending() == "converted"
    assert await play.rows(TASKS) == [{"name": "call_the_unhappy", "hours": 24}]
    assert await play.rows(TROUBLE) == [{"trouble": "low_score"}]  # no offers until it is settled

    await play.is_done("call_the_unhappy")
    assert await play.rows(TROUBLE) == [{"trouble": None}]


async def test_what_they_wrote_stays_out_of_temporal(play: Playback) -> None:
    await an_unhappy_answer(play)

    [answer] = await play.rows("SELECT properties FROM events WHERE name = 'survey_answered'")
    assert answer["properties"]["text"] == "It came after the party."
    told = [event.workflow_execution_signaled_event_attributes.input for event in (await play.history()).events]
    said = b" ".join(payload.data for each in told for payload in each.payloads)
    assert b"survey_answered" in said and b'"score":4' in said
    assert b"party" not in said and b"delivery" not in said


async def test_an_eight_is_thanked_and_nobody_is_called(play: Playback) -> None:
    await a_passive_answer(play)

    assert await play.ending() == "converted"
    assert await play.rows(TASKS) == []
    assert await play.rows(TROUBLE) == [{"trouble": None}]


async def test_silence_lapses_and_an_answer_after_it_is_kept_all_the_same(play: Playback) -> None:
    await no_answer(play)
    assert await play.ending() == "lapsed"

    await play.answers("would_you_recommend_us", score=2)

    assert await play.rows(TROUBLE) == [{"trouble": "low_score"}]
    assert await play.rows(TASKS) == []


async def test_an_answer_to_another_letter_is_not_taken_for_this_one(play: Playback) -> None:
    await no_answer(play)
    await play.after(days(80))
    await play.does("nps_due")
    await play.after(days(1))
    first, second = [row["id"] for row in await play.rows("SELECT id FROM sends ORDER BY slot_at")]

    await play.does("survey_answered", survey="nps", score=1, send=str(first))
    assert await play.ending() is None
    await play.does("survey_answered", survey="nps", score=9, send=str(second))

    assert await play.ending() == "converted"
    assert await play.rows(TASKS) == []


async def test_who_wants_no_questions_is_asked_nothing(play: Playback) -> None:
    await play.does("opted_out", channel="email")
    await play.does("nps_due")
    await play.after(hours(24))

    assert await play.sent() == []
    assert await play.ending() == "lapsed"
