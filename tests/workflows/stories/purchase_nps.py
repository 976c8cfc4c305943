"""What customers live through in PurchaseNps."""

from domain.durations import days
from tests.support.playback import Playback


async def asked_ten_days_after_delivery(play: Playback) -> None:
    """Delivered at four in the afternoon; asked on the eleventh morning; unhappy."""
    await play.is_known(hour=16)
    await play.does("order_delivered", about="A-7")
    await play.after(days(11))
    await play.answers("how_was_this_order", score=3)


async def sent_back(play: Playback) -> None:
    """It goes back before anybody asks."""
    await play.does("order_delivered", about="A-7")
    await play.after(days(5))
    await play.does("order_returned", about="A-7")


async def late_and_complained_of(play: Playback) -> None:
    """It came too late, they said so, and nobody has settled it."""
    await play.does("complaint_opened", about="A-7")
    await play.does("order_delivered", about="A-7")
    await play.after(days(11))
