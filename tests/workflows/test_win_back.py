"""WinBack, as customers live it (S50, S99)."""

from domain.durations import days
from tests.support.playback import Playback
from tests.workflows.stories.win_back import comes_back_after_the_offer, the_last_letter

JOURNEYS = "WinBack,SupportRating"


async def test_an_offer_a_last_letter_and_the_crm_knows(play: Playback) -> None:
    await the_last_letter(play)

    assert await play.sent() == ["the_door_is_open", "shall_we_go_on"]
    assert await play.ending("WinBack") == "lapsed"
    [update] = await play.rows("SELECT facts FROM crm_updates")
    assert (update["facts"]["stage"], update["facts"]["outcome"]) == ("lost", "lapsed")


async def test_then_there_is_silence_until_they_come_back(play: Playback) -> None:
    await the_last_letter(play)
    await play.does("ticket_closed", source="tropa")  # somebody else's journey would ask
    await play.after(days(1))
    assert await play.sent("SupportRating") == []
    assert "They have done nothing for half a year, and we have said our last word" in await play.words()

    await play.after(days(20))
    await play.does("page_viewed")
    await play.does("ticket_closed")
    await play.after(days(1))

    assert await play.sent("SupportRating") == ["did_we_help"]


async def test_an_order_ends_it(play: Playback) -> None:
    await comes_back_after_the_offer(play)
    await play.after(days(40))

    assert await play.ending("WinBack") == "converted"
    assert await play.sent() == ["the_door_is_open"]


async def test_what_a_silent_sweep_found_starts_nothing(play: Playback) -> None:
    await play.does("became_gone", source="tropa", silent=True)

    assert await play.enrollments() == []
