"""What customers live through in AbandonedCart."""

from domain.durations import days, hours
from tests.support.playback import Playback


async def a_cart_nobody_wants(play: Playback) -> None:
    """A morning's cart; neither the letter nor WhatsApp brings them back."""
    await play.is_known(hour=9)
    await play.has_a_phone()
    await play.does("cart_updated", about="C-1")
    for each in (hours(2), hours(4), hours(4), days(3)):
        await play.after(each)


async def a_cart_ordered_in_time(play: Playback) -> None:
    """Still choosing an hour later; the letter brings them back, and nothing follows."""
    await play.is_known(hour=9)
    await play.has_a_phone()
    await play.does("cart_updated", about="C-1")
    await play.after(hours(1))
    await play.does("cart_updated", about="C-1")
    await play.after(hours(2))
    await play.does("order_placed", about="A-1", cart="C-1")


async def a_cart_of_the_evening(play: Playback) -> None:
    """Left at eight in the evening: too late for tomorrow, and too late to write today."""
    await play.is_known(hour=20)
    await play.does("cart_updated", about="C-1")
    for each in (hours(2), hours(12), hours(4), hours(4), days(3)):
        await play.after(each)


async def a_cart_emptied(play: Playback) -> None:
    """Thinks better of it."""
    await play.does("cart_updated", about="C-1")
    await play.after(hours(1))
    await play.does("cart_emptied", about="C-1")
