"""What customers live through in OfferLadder."""

from domain.durations import days
from tests.support.playback import Playback


async def nothing_tempts_them(play: Playback) -> None:
    """Two offers, no order."""
    await _offers(play)
    await play.does("signed_up")
    for each in (days(10), days(14), days(1)):
        await play.after(each)


async def up_the_ladder(play: Playback) -> None:
    """Orders with the personal offer, and comes back with the bonus."""
    await _offers(play)
    await play.does("signed_up")
    await play.after(days(10))
    await play.does("order_placed", about="A-1")
    await play.after(days(7))
    await play.does("order_placed", about="A-2")


async def comes_back_without_a_bonus(play: Playback) -> None:
    """The second order comes before the bonus would."""
    await _offers(play)
    await play.does("signed_up")
    await play.after(days(1))
    await play.does("order_placed", about="A-1")
    await play.after(days(2))
    await play.does("order_placed", about="A-2")


async def _offers(play: Playback) -> None:
    for offer, percent in (("welcome5", 5), ("personal10", 10), ("repeat10", 10)):
        await play.gives(offer, percent)
