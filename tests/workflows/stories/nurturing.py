"""What leads live through in Nurturing."""

from domain.durations import days
from tests.support.playback import Playback


async def reads_nothing(play: Playback) -> None:
    """Takes a guide and is not heard of again."""
    await play.does("downloaded", kind="guide")
    await _letters(play, 11)


async def reads_the_case_and_waits(play: Playback) -> None:
    """At a webinar meanwhile; reads the case and does not follow it; counts; looks at the demo and does not book."""
    await play.does("downloaded", kind="whitepaper")
    await _letters(play, 2)
    await play.does("webinar_attended")
    await _letters(play, 3, first=False)
    await play.sees("case")
    await play.does("calculator_used")
    await _letters(play, 2, first=False)
    await play.clicks("demo")
    await _letters(play, 1, first=False)


async def asks_for_a_demo(play: Playback) -> None:
    """The second letter is enough."""
    await play.does("calculator_used")
    await _letters(play, 2)
    await play.does("demo_requested")


async def bought_long_ago(play: Playback) -> None:
    """A customer who takes a guide."""
    await play.does("order_placed", about="A-1", total=100)
    await play.does("downloaded", kind="guide")


async def _letters(play: Playback, count: int, *, first: bool = True) -> None:
    """So many days for letters pass. The first comes 5 to 11 days after the beginning, the others week by week."""
    for number in range(count):
        await play.after(days(11 if first and number == 0 else 7))
