"""What leads live through in SilentLoss."""

from domain.durations import days
from tests.support.playback import Playback


async def gone_without_a_word(play: Playback) -> None:
    """A guide, the prices, a call; then nothing."""
    await play.does("downloaded", kind="guide")
    await play.after(days(2))
    await play.does("page_viewed", page="pricing")
    await play.after(days(1))
    await play.does("call_held")
    for each in (days(14), days(14), days(1)):
        await play.after(each)


async def back_after_all(play: Playback) -> None:
    """Comes back in the third week."""
    await play.does("downloaded", kind="guide")
    await play.after(days(15))
    await play.does("visited")


async def buys_in_time(play: Playback) -> None:
    """Was thinking it over."""
    await play.does("webinar_attended")
    await play.after(days(10))
    await play.does("order_placed", about="A-1")
