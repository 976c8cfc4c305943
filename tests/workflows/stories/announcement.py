"""What customers live through in Announcement, which staff start."""

from typing import Any

from domain.durations import days
from tests.support.playback import Playback


async def news_at_once(play: Playback) -> None:
    """Read by nobody."""
    await play.is_entered("Announcement")
    for each in (days(3), days(1)):
        await play.after(each)


async def an_invitation_in_the_morning(play: Playback) -> None:
    """Started in the evening, for ten the next day."""
    await play.is_known(hour=19)
    await play.is_entered("Announcement", message="invitation", when="at_hour")
    for each in (days(1), days(3), days(1)):
        await play.after(each)


async def two_tuesdays(play: Playback) -> None:
    """The same, two weeks in a row."""
    await play.is_entered("Announcement", **WEEKLY)
    for _ in range(3):
        await play.after(days(7))


WEEKLY: dict[str, Any] = {"message": "news", "when": "weekly", "weekday": "tuesday", "hour": 11, "weeks": 2}
