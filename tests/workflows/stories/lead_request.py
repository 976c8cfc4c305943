"""What whoever asks lives through in LeadRequest."""

from domain.durations import days, hours
from tests.support.playback import Playback


async def a_request_answered(play: Playback) -> None:
    """Asks for a demo, and a colleague calls within the hour."""
    await play.does("demo_requested")
    await play.after(hours(1))
    await play.is_done("answer_request")


async def a_request_that_nobody_answers(play: Playback) -> None:
    """Asked for an offer, and the staff are asleep."""
    await play.does("offer_requested")
    await play.after(days(1))
    await play.after(days(3))


async def a_request_answered_late(play: Playback) -> None:
    """The answer comes after the apology."""
    await play.does("demo_requested")
    await play.after(days(1))
    await play.after(hours(1))
    await play.is_done("answer_request")


async def a_request_and_nobody_in(play: Playback) -> None:
    """A colleague rings, and nobody answers."""
    await play.does("callback_requested")
    await play.after(hours(1))
    await play.is_done("answer_request", "no_answer")
