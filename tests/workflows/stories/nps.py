"""What customers live through in Nps."""

from domain.durations import days, hours
from tests.support.playback import Playback


async def an_unhappy_answer(play: Playback) -> None:
    """Asked at ten, answered three hours later with a 4: somebody is to call."""
    await _asked(play)
    await play.after(hours(3))
    await play.answers("would_you_recommend_us", score=4, reason="delivery", text="It came after the party.")


async def a_passive_answer(play: Playback) -> None:
    """An 8: thanks, and that is all."""
    await _asked(play)
    await play.answers("would_you_recommend_us", score=8)


async def no_answer(play: Playback) -> None:
    """Says nothing for two weeks."""
    await _asked(play)
    await play.after(days(14))


async def _asked(play: Playback) -> None:
    await play.is_known(hour=4)
    await play.does("nps_due")
    await play.after(hours(6))
