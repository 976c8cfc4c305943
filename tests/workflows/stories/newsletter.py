"""What customers live through in Newsletter."""

from domain.durations import days
from tests.support.playback import Playback
from tests.support.set_up import a_setting, an_offer, content, reads_actively


async def three_weeks(play: Playback) -> None:
    """Reads actively: education, a story, an offer, and education again."""
    await an_offer(play, "newsletter")
    await content(play, "guides", "stories")
    await reads_actively(play)
    await play.does("newsletter_signed_up")
    for _ in range(4):
        await reads_actively(play)
        await play.after(days(7))


async def falls_asleep_for_good(play: Playback) -> None:
    """Two letters, then nothing for half a year."""
    await content(play, "guides", "stories")
    await play.does("newsletter_signed_up")
    await play.after(days(36))
    await play.does("became_gone", source="tropa")


async def a_quarter(play: Playback) -> None:
    """A letter each week for a quarter: the history grows long, and a fresh run begins."""
    await an_offer(play, "newsletter")
    await content(play, "guides", "stories")
    await a_setting(play, "Newsletter", weekly_from=0, loyal_from=100)
    await play.does("newsletter_signed_up")
    for _ in range(13):
        await play.does("page_viewed")
        await play.after(days(7))
