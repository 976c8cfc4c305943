"""SupportRating, as customers live it (S57, S58)."""

from collections.abc import AsyncIterator

import pytest

from domain.durations import days, hours
from tests.support.playback import Playback
from tests.workflows.stories.support_rating import it_is_not_over, not_helped, says_nothing

JOURNEYS = "SupportRating"
HEAD = "head@acme.test"


@pytest.fixture
async def play(database_url: str) -> AsyncIterator[Playback]:
    async with Playback.on(None, database_url, journeys=JOURNEYS, head=HEAD) as bench:
        yield bench


async def test_a_bad_review_goes_to_the_head_at_once_and_holds_offers(play: Playback) -> None:
    await not_helped(play)

    assert await play.ending() == "converted"
    [task] = await play.rows("SELECT name, owner FROM tasks")
    assert task == {"name": "make_it_right", "owner": HEAD}
    assert await play.rows("SELECT trouble FROM customers") == [{"trouble": "low_score"}]


async def test_a_four_is_thanked_and_that_is_all(play: Playback) -> None:
    await play.does("ticket_closed", about="T-1")
    await play.after(hours(3))
    await play.answers("did_we_help", score=4)

    assert await play.ending() == "converted"
    assert await play.rows("SELECT 1 FROM tasks") == []
    assert await play.rows("SELECT trouble FROM customers") == [{"trouble": None}]


async def test_who_writes_again_is_not_asked_yet(play: Playback) -> None:
    await it_is_not_over(play)
    await play.after(days(1))

    assert await play.ending() == "exited"
    assert await play.sent() == []


async def test_silence_lapses_and_the_next_ticket_of_the_week_asks_nothing(play: Playback) -> None:
    await says_nothing(play)
    await play.does("ticket_closed", about="T-2")
    await play.after(hours(5))

    assert await play.ending() == "lapsed"
    assert await play.sent() == ["did_we_help"]
