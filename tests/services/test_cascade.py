"""A cascade in the ledger: its legs are one touch, share one shelf life, and stop when one is seen (C1)."""

from datetime import timedelta

import pytest

from domain.deliveries import Delivery, Report
from domain.messages import Channel
from domain.sends import SendResult, SendState
from services.delivery_reports import DeliveryReports
from tests.services.bench import Bench
from tests.support.providers import REFUSED, UNKNOWN

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def leg(bench: Bench, walk: str, number: int) -> SendResult:
    request = bench.request(walk, "either", cascade=True, leg=number)
    return await bench.sending.send(request, started=bench.clock.now())


async def rows(bench: Bench) -> list[tuple[int, str | None, str]]:
    found = await bench.rows("SELECT leg, channel, state FROM sends WHERE message = 'either' ORDER BY leg")
    return [(row["leg"], row["channel"], row["state"]) for row in found]


async def test_each_leg_takes_the_next_channel_and_knows_how_many_there_are(bench: Bench) -> None:
    walk = await bench.a_walk()

    first = await leg(bench, walk, 0)
    second = await leg(bench, walk, 1)

    assert [(r.state, r.channel, r.legs) for r in (first, second)] == [
        (SendState.ACCEPTED, Channel.EMAIL, 2),
        (SendState.ACCEPTED, Channel.SMS, 2),
    ]
    assert (len(bench.email.calls), len(bench.sms.calls)) == (1, 1)


async def test_a_leg_asked_for_twice_goes_once(bench: Bench) -> None:
    walk = await bench.a_walk()
    for number in (0, 0, 1, 1):
        await leg(bench, walk, number)

    assert await rows(bench) == [(0, "email", "accepted"), (1, "sms", "accepted")]
    assert (len(bench.email.calls), len(bench.sms.calls)) == (1, 1)


async def test_two_legs_count_as_one_touch(bench: Bench) -> None:
    """The cap is two in 24 hours: after a whole cascade there is room for one more, and then for none."""
    walk = await bench.a_walk()
    await leg(bench, walk, 0)
    await leg(bench, walk, 1)
    bench.clock.pass_(4 * HOUR)

    assert (await bench.send(walk, visit=1)).state is SendState.ACCEPTED
    bench.clock.pass_(4 * HOUR)
    assert (await bench.send(walk, visit=2)).rule == "cap"


async def test_a_late_second_leg_does_not_count_when_the_first_is_out_of_sight(bench: Bench) -> None:
    walk = await bench.a_walk()
    await leg(bench, walk, 0)
    bench.clock.pass_(23 * HOUR)
    await leg(bench, walk, 1)
    bench.clock.pass_(HOUR)

    assert (await bench.send(walk)).state is SendState.ACCEPTED


async def test_after_a_refusal_by_the_provider_the_next_leg_is_the_touch(bench: Bench) -> None:
    bench.email.script = [REFUSED]
    walk = await bench.a_walk()
    await leg(bench, walk, 0)
    await leg(bench, walk, 1)

    assert await rows(bench) == [(0, "email", "failed"), (1, "sms", "accepted")]
    assert (await bench.send(walk)).rule == "gap"


async def test_a_leg_that_may_have_arrived_begins_the_touch(bench: Bench) -> None:
    bench.email.script = [UNKNOWN]
    walk = await bench.a_walk()
    await leg(bench, walk, 0)

    assert (await leg(bench, walk, 1)).state is SendState.ACCEPTED


async def test_who_read_the_first_leg_gets_no_second(bench: Bench) -> None:
    walk = await bench.a_walk()
    await leg(bench, walk, 0)
    sent = (await bench.rows("SELECT id, provider_id FROM sends"))[0]
    report = Report(
        gateway="mail", provider_id=sent["provider_id"] or "x", status="read", delivery=Delivery.READ, send=sent["id"]
    )
    await DeliveryReports(bench.database, bench.clock, bench.surrogates).take(report)

    result = await leg(bench, walk, 1)

    assert (result.state, result.rule) == (SendState.REFUSED, "seen")
    assert bench.sms.calls == []


async def test_legs_share_the_shelf_life_of_the_first(bench: Bench) -> None:
    walk = await bench.a_walk()
    await leg(bench, walk, 0)
    bench.clock.pass_(3 * DAY)

    result = await leg(bench, walk, 1)

    assert (result.state, result.rule) == (SendState.EXPIRED, "shelf_life")


@pytest.mark.parametrize(("preferred", "order"), [("email", ["email", "sms"]), ("sms", ["email", "sms"])])
async def test_texts_stay_last_for_who_prefers_them(bench: Bench, preferred: str, order: list[str]) -> None:
    await bench.a_customer(preferred_channel=preferred)
    walk = await bench.a_walk()
    await leg(bench, walk, 0)
    await leg(bench, walk, 1)

    assert [channel for _, channel, _ in await rows(bench)] == order


async def test_the_fuse_counts_a_cascade_once(bench: Bench) -> None:
    walk = await bench.a_walk()
    for visit in (1, 2):
        for number in (0, 1):
            request = bench.request(walk, "twice_either", visit=visit, cascade=True, leg=number)
            result = await bench.sending.send(request, started=bench.clock.now())
            assert result.state is SendState.ACCEPTED
        bench.clock.pass_(DAY)
