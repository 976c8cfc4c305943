"""What customers live through in Birthday."""

from domain.durations import days, hours
from tests.support.playback import Playback


async def a_birthday(play: Playback) -> None:
    """Found by the sweep at four in the morning, told in the morning; nothing is bought."""
    await play.gives("birthday", 10)
    await play.is_known(hour=4)
    await play.does("birthday", on="1990-03-02")
    for each in (hours(6), days(14), days(1)):
        await play.after(each)


async def a_present_used(play: Playback) -> None:
    """Chooses something for themselves."""
    await play.gives("birthday", 10)
    await play.does("birthday", on="1990-03-02")
    await play.after(days(2))
    await play.does("order_placed", about="A-1")


async def the_birthday_of_a_vip(play: Playback) -> None:
    """A colleague congratulates, too."""
    await play.gives("birthday", 10)
    await play.is_a_vip()
    await play.does("birthday", on="1990-03-02")
    for each in (days(14), days(1)):
        await play.after(each)
