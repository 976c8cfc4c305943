"""What leads and the staff live through in HotLead."""

from domain.durations import days, hours
from tests.support.playback import Playback


async def a_look_at_the_prices(play: Playback) -> None:
    """Looks at the prices; a colleague calls an hour later."""
    await play.does("page_viewed", page="pricing")
    await play.after(hours(1))
    await play.is_done("call_hot_lead")


async def a_lead_who_is_never_in(play: Playback) -> None:
    """Two calls into the void."""
    await play.does("page_viewed", page="pricing")
    await play.after(hours(1))
    await play.is_done("call_hot_lead", "no_answer")
    await play.after(hours(20))
    await play.is_done("call_hot_lead_again", "no_answer")


async def a_lead_whom_nobody_calls(play: Playback) -> None:
    """The task is left lying."""
    await play.does("page_viewed", page="pricing")
    await play.after(days(3))


async def a_lead_who_asks_first(play: Playback) -> None:
    """Asks for a demo before anybody calls."""
    await play.does("page_viewed", page="pricing")
    await play.after(hours(1))
    await play.does("demo_requested")
