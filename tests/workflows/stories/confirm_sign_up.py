"""What customers live through in ConfirmSignUp."""

from typing import Any

from domain.durations import days, hours
from tests.support.playback import Playback

GUIDE: dict[str, Any] = {"form": "laptop_guide", "title": "Seven criteria", "confirm": True}


async def a_form_that_nobody_confirms(play: Playback) -> None:
    """Somebody wrote Anna's address into a form."""
    await play.does("form_submitted", about="laptop_guide", **GUIDE)
    for each in (days(2), days(1)):
        await play.after(each)


async def a_form_confirmed_within_the_hour(play: Playback) -> None:
    """It was Anna."""
    await play.does("form_submitted", about="laptop_guide", **GUIDE)
    await play.after(hours(1))
    await play.does("form_confirmed", about="laptop_guide", form="laptop_guide")


async def a_form_sent_again_and_again(play: Playback) -> None:
    """Somebody means it badly, or the letter lies among the spam."""
    for _ in range(4):
        await play.does("form_submitted", about="laptop_guide", **GUIDE)
        await play.after(hours(3))
    await play.after(days(2))


async def a_form_sent_for_weeks(play: Playback) -> None:
    """Somebody means it badly, and has patience: each time after the walk before has lapsed."""
    for _ in range(5):
        await play.does("form_submitted", about="laptop_guide", **GUIDE)
        await play.after(hours(3))
        await play.does("form_submitted", about="laptop_guide", **GUIDE)
        await play.after(days(3))
