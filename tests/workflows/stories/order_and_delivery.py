"""What customers live through in OrderAndDelivery."""

from domain.durations import days
from tests.support.playback import Playback


async def ordered_and_delivered(play: Playback) -> None:
    """Two days on the way; all is well, and nobody says so."""
    await play.has_a_phone()
    await play.does("order_placed", about="A-1", product="Kettle K2", total=49.9, currency="EUR")
    await play.after(days(1))
    await play.does("order_shipped", about="A-1")
    await play.after(days(1))
    await play.does("order_delivered", about="A-1")
    for each in (days(1), days(2)):
        await play.after(each)


async def delivered_and_broken(play: Playback) -> None:
    """Delivered without a word that it was sent; it is broken, and the tips are not for now."""
    await play.does("order_placed", about="A-1")
    await play.after(days(2))
    await play.does("order_delivered", about="A-1")
    await play.after(days(1))
    await play.does("complaint_opened", about="A-1")
    await play.after(days(3))


async def late_and_complained_of(play: Playback) -> None:
    """On the way for a week; they ask where it is, and then it comes."""
    await play.does("order_placed", about="A-1")
    await play.after(days(1))
    await play.does("order_shipped", about="A-1")
    await play.after(days(6))
    await play.does("complaint_opened", about="A-1")
    await play.after(days(1))
    await play.does("order_delivered", about="A-1")
    await play.after(days(4))


async def returned(play: Playback) -> None:
    """Not what they wanted."""
    await play.does("order_placed", about="A-1")
    await play.after(days(2))
    await play.does("order_delivered", about="A-1")
    await play.after(days(2))
    await play.does("order_returned", about="A-1")


async def never_delivered(play: Playback) -> None:
    """Sent, and never heard of again."""
    await play.does("order_placed", about="A-1")
    await play.after(days(1))
    await play.does("order_shipped", about="A-1")
    await play.after(days(45))
