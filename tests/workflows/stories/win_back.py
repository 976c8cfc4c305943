"""What customers live through in WinBack."""

from domain.durations import days
from tests.support.playback import Playback
from tests.support.set_up import an_offer


async def the_last_letter(play: Playback) -> None:
    """An offer, the last letter, and nothing ever after."""
    await _gone(play)
    for each in (days(21), days(1), days(14)):
        await play.after(each)


async def comes_back_after_the_offer(play: Playback) -> None:
    """Orders with the code."""
    await _gone(play)
    await play.after(days(2))
    await play.does("order_placed", about="A-9")


async def _gone(play: Playback) -> None:
    await an_offer(play, "winback")
    await play.does("order_placed", about="A-1", at=play.clock.now() - days(181))
    await play.does("became_gone", source="tropa")
    await play.after(days(1))
