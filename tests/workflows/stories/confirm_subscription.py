"""What customers live through in ConfirmSubscription."""

from domain.durations import days, hours, minutes
from tests.support.playback import Playback

ASKED = {"channel": "email", "wording": "News and offers, at most weekly", "proof": "https://shop.example/join"}


async def never_answers(play: Playback) -> None:
    """Somebody wrote another's address into the form; its owner does nothing."""
    await play.does("consent_requested", **ASKED)
    await play.after(days(14))


async def asks_again(play: Playback) -> None:
    """Sends the form twice, does not find the letter, and asks again on the next day."""
    await play.does("consent_requested", **ASKED)
    await play.after(minutes(1))
    await play.does("consent_requested", **ASKED)
    await play.after(hours(20))
    await play.does("consent_requested", **ASKED)
    await play.after(days(14))


async def confirms(play: Playback) -> None:
    """Presses the button an hour later."""
    await play.does("consent_requested", **ASKED)
    await play.after(hours(1))
    await play.does("consent_confirmed", channel="email")
