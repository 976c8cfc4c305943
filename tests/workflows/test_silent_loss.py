"""SilentLoss, as leads and the staff live it (S61)."""

from domain.durations import days
from tests.support.playback import Playback
from tests.workflows.stories.silent_loss import back_after_all, buys_in_time, gone_without_a_word

JOURNEYS = "SilentLoss"  # that events start


async def test_the_staff_hear_who_is_gone_and_where_it_was(play: Playback) -> None:
    await gone_without_a_word(play)

    [notice] = await play.rows("SELECT title, text FROM notices")
    assert notice["title"] == "Gone quiet: a lead, in the stage “Decision”"
    trail = [line[11:] for line in notice["text"].splitlines() if line[:2] == "20"]
    assert trail == ["A call was held", "Looked at a page", "Took a file"]
    assert await play.sends() == []
    assert await play.ending() == "lapsed"


async def test_who_is_there_is_no_loss(play: Playback) -> None:
    await play.does("downloaded", kind="guide")
    for _ in range(3):
        await play.after(days(10))
        await play.does("page_viewed", page="blog")

    assert await play.rows("SELECT title FROM notices") == []


async def test_who_comes_back_converts(play: Playback) -> None:
    await back_after_all(play)

    assert len(await play.rows("SELECT title FROM notices")) == 1
    assert await play.ending() == "converted"


async def test_an_order_ends_it_at_once_and_a_customer_is_no_lead(play: Playback) -> None:
    await buys_in_time(play)
    assert await play.ending() == "converted"
    await play.after(days(60))
    await play.does("downloaded", kind="guide")

    assert await play.ending() == "exited"
    assert await play.rows("SELECT title FROM notices") == []


async def test_a_passer_by_is_no_loss_and_who_left_is_known_to_be_gone(play: Playback) -> None:
    await play.does("page_viewed", page="blog")
    assert await play.enrollments() == []
    for _ in range(2):
        await play.does("downloaded", event_id="guide-1")
    await play.does("opted_out")
    await play.after(days(15))

    assert [row["leaving"] for row in await play.enrollments()] == ["opted_out"]
    assert await play.rows("SELECT title FROM notices") == []
