"""What customers live through in Upsell."""

from domain.durations import days
from tests.support.playback import Playback


async def it_works_and_stays_so(play: Playback) -> None:
    """Happy with what they have."""
    await play.does("activated")
    for each in (days(3), days(14), days(1)):
        await play.after(each)


async def out_of_room(play: Playback) -> None:
    """At a limit; moves up after the colleague's call."""
    await play.does("limit_reached", limit="10 users")
    await play.after(days(3))
    await play.does("plan_upgraded")


async def one_feature_above_all(play: Playback) -> None:
    """Reads what goes with it, and leaves it at that."""
    await play.does("feature_used_heavily", feature="Reports", related="Dashboards")
    for each in (days(14), days(1)):
        await play.after(each)
