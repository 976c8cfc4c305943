"""Who moves to another zone while a message waits gets it by the clock of the place where they are then."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from domain.sends import SendState
from tests.services.bench import Bench

ALMATY, NEW_YORK = ZoneInfo("Asia/Almaty"), ZoneInfo("America/New_York")


async def test_a_message_that_waits_for_the_morning_waits_for_the_morning_of_the_new_place(bench: Bench) -> None:
    late = datetime(2027, 6, 1, 23, tzinfo=ALMATY).astimezone(UTC)
    bench.clock.set(late)
    walk = await bench.a_walk()
    ours = bench.ours["anna"]
    await bench.change("UPDATE customers SET timezone = 'Asia/Almaty' WHERE id = :id", id=ours)

    first = await bench.sending.send(bench.request(walk), started=late)
    assert (first.state, first.rule) == (SendState.DEFERRED, "quiet_hours")
    assert first.until == datetime(2027, 6, 2, 9, tzinfo=ALMATY)

    await bench.change(
        "UPDATE customers SET timezone = 'America/New_York' WHERE id = :id", id=ours
    )  # it is 23:00 there
    bench.clock.set(first.until)
    again = await bench.sending.send(bench.request(walk), started=first.until)
    assert (again.state, again.rule) == (SendState.DEFERRED, "quiet_hours")
    assert again.until == datetime(2027, 6, 2, 9, tzinfo=NEW_YORK)

    bench.clock.set(again.until + timedelta(seconds=1))
    assert (await bench.sending.send(bench.request(walk), started=bench.clock.now())).state is SendState.ACCEPTED
    assert len(bench.email.calls) == 1
