"""What customers live through in Reactivation."""

from domain.durations import days, hours
from tests.support.playback import Playback
from tests.support.set_up import an_offer


async def nothing_brings_them_back(play: Playback) -> None:
    """A letter, an offer by two ways, a question: silence."""
    await _fell_silent(play)
    for each in (days(4), days(1), days(1), days(5), days(5)):
        await play.after(each)


async def something_went_wrong(play: Playback) -> None:
    """Silent until we ask why; then somebody is to call."""
    await _fell_silent(play)
    for each in (days(4), days(1), days(1), days(4)):
        await play.after(each)
    await play.answers("why_did_you_go", reason="bad_experience", text="The kettle leaked, and nobody answered.")
    await play.after(days(6))


async def the_offer_works(play: Playback) -> None:
    """Orders the day after the offer."""
    await _fell_silent(play)
    await play.after(days(4))
    await play.after(hours(20))
    await play.does("order_placed", about="A-9")


async def only_the_letters_go_unread(play: Playback) -> None:
    """Buys, and opens nothing for a month: one letter, and no offer."""
    await play.does("page_viewed")
    await play.after(days(20))
    await play.does("order_placed", about="A-1")
    await play.after(days(11))
    await play.does("engagement_lost", source="tropa")
    await play.after(days(1))


async def _fell_silent(play: Playback) -> None:
    await an_offer(play, "comeback")
    await play.is_known(hour=4)
    await play.has_a_phone()
    await play.does("order_placed", about="A-1", at=play.clock.now() - days(91))
    await play.does("became_dormant", source="tropa")
    await play.after(hours(6))
