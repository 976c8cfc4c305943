"""FirstSuccess, as customers live it (S48, S57, S58)."""

from domain.durations import days, hours
from tests.support.playback import Playback
from tests.workflows.stories.first_success import a_hard_start, an_easy_start, no_answer

JOURNEYS = "FirstSuccess,WelcomeChain"


async def test_the_first_success_ends_the_chain_and_at_ten_the_next_morning_there_is_more(play: Playback) -> None:
    await play.is_known(hour=15)
    await play.does("deal_won", about="D-1")
    await play.after(days(1))
    await play.does("activated")
    await play.after(hours(17))
    assert await play.sent() == ["greeting"]
    await play.after(hours(3))

    assert await play.sent("FirstSuccess") == ["it_works"]
    assert await play.ending("WelcomeChain") == "converted"


async def test_s57_three_days_later_one_question_and_an_easy_start_is_that(play: Playback) -> None:
    await an_easy_start(play)

    assert await play.sent() == ["it_works", "how_did_it_start"]
    assert await play.ending() == "converted"
    assert await play.rows("SELECT 1 FROM tasks") == []


async def test_s58_a_hard_start_brings_a_call_and_holds_offers(play: Playback) -> None:
    await a_hard_start(play)

    [task] = await play.rows("SELECT name, due_at - created_at AS within FROM tasks")
    assert (task["name"], round(task["within"] / days(1))) == ("mend_the_start", 1)
    assert await play.rows("SELECT trouble FROM customers") == [{"trouble": "low_score"}]


async def test_silence_lapses_and_a_second_activation_asks_nothing(play: Playback) -> None:
    await no_answer(play)
    await play.does("activated")

    assert await play.ending() == "lapsed"
    assert await play.sent() == ["it_works", "how_did_it_start"]


async def test_control_who_merely_uses_it_has_not_seen_what_it_is_for(play: Playback) -> None:
    await play.does("feature_used")

    assert await play.enrollments() == []
