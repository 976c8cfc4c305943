"""What customers live through in SupportRating."""

from domain.durations import days, hours
from tests.support.playback import Playback


async def not_helped(play: Playback) -> None:
    """Closed at ten, asked at one, answered at two with a 1."""
    await play.does("ticket_closed", about="T-1")
    await play.after(hours(4))
    await play.answers("did_we_help", score=1, reason="not_solved")


async def it_is_not_over(play: Playback) -> None:
    """Writes again before we ask."""
    await play.does("ticket_closed", about="T-1")
    await play.after(hours(1))
    await play.does("support_contacted", about="T-1")


async def says_nothing(play: Playback) -> None:
    """Does not answer for a week."""
    await play.does("ticket_closed", about="T-1")
    await play.after(hours(4))
    await play.after(days(7))
