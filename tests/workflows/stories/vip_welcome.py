"""What the best customers live through in VipWelcome."""

from domain.durations import days
from tests.support.playback import Playback


async def two_letters_in_two_months(play: Playback) -> None:
    """Becomes a VIP, and nothing else happens."""
    await play.does("segment_entered", segment="vip")
    for each in (days(1), days(29), days(30)):
        await play.after(each)


async def orders_again(play: Playback) -> None:
    """Buys once more."""
    await play.does("segment_entered", segment="vip")
    await play.after(days(2))
    await play.does("order_placed", about="A-1", total=900)


async def a_vip_no_more(play: Playback) -> None:
    """Others overtake them."""
    await play.does("segment_entered", segment="vip")
    await play.after(days(2))
    await play.does("segment_left", segment="vip")
