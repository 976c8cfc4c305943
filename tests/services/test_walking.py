"""What walks ask: fresh facts, the customer's own clock, what became of a message."""

from datetime import UTC, datetime, timedelta

from activities.walking import LocalTimeRequest, ReactionRequest
from adapters.temporal import DATA_CONVERTER
from domain.customers import Audience, CustomerFacts
from domain.local_time import Weekday
from domain.sends import Reaction, SendState
from tests.services.bench import Bench
from tests.services.test_tracking import SCANNER, click, opens, settle

DAY = timedelta(days=1)


async def test_a_journey_may_know_what_they_are_worth_and_how_often_they_come(bench: Bench) -> None:
    await bench.a_customer()
    now = bench.clock.now()
    for number, ago in enumerate((100, 68, 40, 40, 9)):
        await bench.does("order_placed", about=f"O-{number}", at=now - ago * DAY, total=30)
    facts = await bench.walking.facts(bench.ours["anna"])

    assert (facts.orders, facts.revenue, facts.last_order_at) == (5, 150.0, now - 9 * DAY)
    assert facts.cadence == 31 * DAY  # between 100, 68, 40 and 9 days ago: 32, 28 and 31
    assert facts.audiences == (Audience.ACTIVE,)
    converter = DATA_CONVERTER.payload_converter
    assert converter.from_payloads(converter.to_payloads([facts]), [CustomerFacts]) == [facts]
    assert facts.engagement > 0


async def test_two_purchases_are_no_habit(bench: Bench) -> None:
    await bench.a_customer()
    now = bench.clock.now()
    for ago in (40, 9):
        await bench.does("order_placed", about=f"O-{ago}", at=now - ago * DAY, total=30)
    await bench.does("order_placed", about="O-A", at=now - 9 * DAY, total=30)

    assert (await bench.walking.facts(bench.ours["anna"])).cadence is None


async def test_their_own_clock_is_asked(bench: Bench) -> None:
    await bench.a_walk()
    ours, monday = bench.ours["anna"], datetime(2026, 3, 2, 12, tzinfo=UTC)
    await bench.rows("UPDATE customers SET timezone = 'Asia/Almaty' WHERE id = :id RETURNING id", id=ours)

    asked = LocalTimeRequest(customer=ours, after=monday, clock="10:00")
    assert await bench.walking.local_time(asked) == datetime(2026, 3, 3, 5, tzinfo=UTC)
    asked = LocalTimeRequest(customer=ours, after=monday, clock="10:00", weekday=Weekday.FRIDAY)
    assert await bench.walking.local_time(asked) == datetime(2026, 3, 6, 5, tzinfo=UTC)


async def test_what_became_of_a_message(bench: Bench) -> None:
    walk = await bench.a_walk()

    async def reaction() -> Reaction:
        return await bench.walking.reaction(ReactionRequest(enrollment=walk, message="note"))

    assert await reaction() is Reaction.NOT_SENT
    result = await bench.sending.send(bench.request(walk, "note"), started=bench.clock.now())
    assert result.state is SendState.ACCEPTED
    letter = bench.email.calls[-1].letter.send_id
    bench.clock.pass_(timedelta(hours=1))

    await click(bench, letter, headers=SCANNER)
    await settle(bench)
    assert await reaction() is Reaction.NOT_SEEN  # a machine's click is none
    await opens(bench, letter)
    await settle(bench)
    assert await reaction() is Reaction.SEEN
    await click(bench, letter, number=2)
    await settle(bench)
    assert await reaction() is Reaction.CLICKED

    bench.clock.pass_(DAY)
    await bench.sending.send(bench.request(walk, "note", visit=2), started=bench.clock.now())
    assert await reaction() is Reaction.NOT_SEEN  # said again, that is what counts
