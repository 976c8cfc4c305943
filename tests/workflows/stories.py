"""What customers live through, by journey: told on a bench by the tests, and recorded by `make history` for replay."""

from collections.abc import Awaitable, Callable

from domain.durations import days, hours
from tests.support.playback import Playback

Story = Callable[[Playback], Awaitable[None]]


async def silent(play: Playback) -> None:
    """Nothing but the order."""
    await play.does("order_placed")
    for each in (days(2), days(3), days(2), days(3)):
        await play.after(each)


async def converts_at_the_end(play: Playback) -> None:
    """The reference walk: four letters, three waits that end by time, one that ends by the goal."""
    await play.does("order_placed")
    for each in (days(2), days(3), days(2)):
        await play.after(each)
    await play.does("activated")


async def uses_it_already(play: Playback) -> None:
    """Uses the product on the first day, then forgets it."""
    await play.does("order_placed")
    await play.after(hours(20))
    await play.does("feature_used")
    for each in (days(2), days(3), days(5)):
        await play.after(each)


async def gets_stuck(play: Playback) -> None:
    """Stuck in set-up after five hours, and again a day later; then it works."""
    await play.does("order_placed")
    await play.after(hours(5))
    await play.does("setup_stuck")
    await play.after(hours(24))
    await play.does("setup_stuck")
    await play.after(days(1))
    await play.does("activated")


async def opts_out(play: Playback) -> None:
    """Leaves everything on the second day."""
    await play.does("order_placed")
    await play.after(days(1))
    await play.does("opted_out")
    await play.after(days(1))


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


STORIES: dict[str, dict[str, Story]] = {
    "AbandonedCart": {
        story.__name__: story
        for story in (a_cart_nobody_wants, a_cart_ordered_in_time, a_cart_of_the_evening, a_cart_emptied)
    },
    "WelcomeChain": {
        story.__name__: story for story in (silent, converts_at_the_end, uses_it_already, gets_stuck, opts_out)
    },
}
