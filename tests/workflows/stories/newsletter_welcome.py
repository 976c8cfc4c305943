"""What readers live through in NewsletterWelcome."""

from domain.durations import days, hours
from tests.support.playback import Playback


async def a_newcomer_who_reads_nothing(play: Playback) -> None:
    """Signs up and forgets it."""
    await play.gives("welcome5", 5)
    await play.does("newsletter_signed_up")
    for each in (days(2), days(3), days(4), days(7)):
        await play.after(each)


async def a_newcomer_who_looks(play: Playback) -> None:
    """Sees the welcome and follows nothing."""
    await play.gives("welcome5", 5)
    await play.does("newsletter_signed_up")
    await play.after(hours(1))
    await play.sees("welcome")
    await play.after(days(5))


async def a_newcomer_who_follows_and_orders(play: Playback) -> None:
    """Reads the seven criteria, compares, orders."""
    await play.gives("welcome5", 5)
    await play.does("newsletter_signed_up", category="kettles")
    await play.after(days(2))
    await play.after(hours(1))
    await play.clicks("seven_criteria")
    await play.after(days(3))
    await play.does("order_placed", about="A-1", total=50)


async def a_regular(play: Playback) -> None:
    """Bought a month ago."""
    await _bought(play, 30)
    await play.does("newsletter_signed_up")
    for each in (days(4), days(5)):
        await play.after(each)


async def somebody_of_the_autumn(play: Playback) -> None:
    """Buys every half year, the last time three months ago."""
    await _bought(play, 450, 270, 90)
    await play.does("newsletter_signed_up")
    for each in (days(70), days(10), days(28)):
        await play.after(each)


async def somebody_who_was_gone(play: Playback) -> None:
    """Bought once, a year ago; looks around again."""
    await _bought(play, 365)
    await play.does("newsletter_signed_up")
    await play.after(hours(1))
    await play.clicks("welcome_back")
    await play.after(days(14))


async def _bought(play: Playback, *days_ago: int) -> None:
    for ago in days_ago:
        await play.does("order_placed", about=f"B-{ago}", total=50, at=play.clock.now() - days(ago), source="import")
