"""What customers live through in DoubleOptIn."""

from typing import Any

from domain.durations import days, hours, minutes
from tests.support.playback import Playback

ASKED: dict[str, Any] = {
    "channel": "email",
    "wording": "News and offers, at most weekly",
    "proof": "https://shop.example/join",
}
GUIDE: dict[str, Any] = {
    "channel": "email",
    "source": "form",
    "form": "laptop_guide",
    "title": "How to choose a laptop: seven criteria",
    "magnet": "laptop_guide",
}


async def never_answers(play: Playback) -> None:
    """Somebody wrote another's address into a form; its owner does nothing."""
    await play.does("opt_in_requested", **ASKED)
    await play.after(days(15))


async def asks_again(play: Playback) -> None:
    """Sends the form twice, does not find the letter, and asks again on the next day."""
    await play.does("opt_in_requested", **ASKED)
    await play.after(minutes(1))
    await play.does("opt_in_requested", **ASKED)
    await play.after(hours(20))
    await play.does("opt_in_requested", **ASKED)
    await play.after(days(16))


async def confirms(play: Playback) -> None:
    """Asked for a guide, and presses the button an hour later."""
    await play.does("opt_in_requested", **GUIDE)
    await play.after(hours(1))
    await play.does("opt_in_confirmed", letters=False)
