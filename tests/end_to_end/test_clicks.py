"""A click becomes known by itself while a worker runs."""

from datetime import timedelta

from domain.tracking import SETTLES_AFTER
from tests.end_to_end.live import Live
from tests.support.factories import SettableClock

BROWSER = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Firefox/128.0", "accept-language": "en"}


async def test_a_human_click_is_graded_told_and_seen_while_a_worker_pumps(live: Live) -> None:
    await live.starts()
    clock, tracking = live.house.clock, live.house.tracking
    assert isinstance(clock, SettableClock)
    send = (await live.rows("SELECT id FROM sends"))[0]["id"]
    clock.pass_(timedelta(minutes=1))

    await tracking.clicked(await tracking.read(live.house.links.click(send, 1).rpartition("/")[2]), BROWSER)
    clock.pass_(SETTLES_AFTER)

    await live.until(lambda: live.rows("SELECT 1 FROM sends WHERE seen_at IS NOT NULL"))
    told = await live.until(lambda: live.rows("SELECT number FROM events WHERE name = 'message_clicked'"))
    assert len(told) == 1
