"""What customers live through in Referral."""

from domain.durations import days
from tests.support.playback import Playback
from tests.support.set_up import an_offer


async def a_friend_comes(play: Playback) -> None:
    """Bought on Monday, gave a 10 four days later; friends are thought of on day 14, and one orders."""
    await an_offer(play, "friend")
    await _glad(play)
    await play.after(days(11))
    await play.after(days(2))
    await play.does("friend_ordered")


async def nobody_comes(play: Playback) -> None:
    """Passes nothing on, and writes no review."""
    await an_offer(play, "friend")
    await _glad(play)
    for each in (days(11), days(15), days(29)):
        await play.after(each)


async def _glad(play: Playback) -> None:
    await play.does("order_placed", about="A-7")
    await play.after(days(4))
    await play.does("survey_answered", survey="purchase_nps", score=10)
