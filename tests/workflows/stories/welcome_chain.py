"""What customers live through in WelcomeChain."""

from domain.durations import days, hours
from tests.support.playback import Playback


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
