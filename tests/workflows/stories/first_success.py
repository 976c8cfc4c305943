"""What customers live through in FirstSuccess."""

from domain.durations import days
from tests.support.playback import Playback


async def an_easy_start(play: Playback) -> None:
    """A four."""
    await play.does("activated")
    for each in (days(1), days(3)):
        await play.after(each)
    await play.answers("how_did_it_start", score=4)


async def a_hard_start(play: Playback) -> None:
    """A two: somebody calls."""
    await play.does("activated")
    for each in (days(1), days(3)):
        await play.after(each)
    await play.answers("how_did_it_start", score=2, reason="unclear")


async def no_answer(play: Playback) -> None:
    """Says nothing."""
    await play.does("activated")
    for each in (days(1), days(3), days(7)):
        await play.after(each)
