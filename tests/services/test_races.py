"""Many senders at once, and opt-outs that race them (F46): whoever has the customer's lock first wins."""

import asyncio
import contextlib
import os
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest

from domain.sends import SendResult, SendState, send_id
from tests.services.bench import NO_LIMITS, Bench
from tests.support.factories import an_event

TIMES = int(os.environ.get("TROPA_RACES", "500"))  # with the projector running and, once more, stopped
AT_ONCE = 4  # races at the same time


@dataclass(frozen=True, kw_only=True)
class Race:
    """One customer's race. Instants are monotonic."""

    result: SendResult
    opted_out_at: float
    called_at: float | None
    state: str


async def note_each_no(bench: Bench) -> None:
    """Have the database write down when, under the customer's lock, each no was stored."""
    await bench.change("CREATE TABLE noes (customer text, at timestamptz)")
    await bench.change("""
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO noes VALUES (NEW.customer, clock_timestamp());
            RETURN NEW;
        END $$
    """)
    await bench.change("""
        CREATE TRIGGER note AFTER INSERT ON consents FOR EACH ROW WHEN (NEW.channel = 'all') EXECUTE FUNCTION note()
    """)


async def race(bench: Bench, person: str, *, head_start: float) -> Race:
    walk = await bench.a_walk(person)

    async def opt_out() -> float:
        await asyncio.sleep(max(head_start, 0))
        await bench.ingest.accept([an_event("opted_out", person, at=bench.clock.now())])
        return time.monotonic()

    async def send() -> SendResult:
        await asyncio.sleep(max(-head_start, 0))
        return await bench.send(walk, customer=person)

    opted_out_at, result = await asyncio.gather(opt_out(), send())
    called = [call.began for call in bench.email.calls if call.letter.send_id == send_id(walk, "note", 1)]
    assert len(called) <= 1
    row = await bench.rows("SELECT state FROM sends WHERE enrollment = :id", id=walk)
    return Race(
        result=result, opted_out_at=opted_out_at, called_at=called[0] if called else None, state=row[0]["state"]
    )


@contextlib.asynccontextmanager
async def projecting(bench: Bench) -> AsyncIterator[None]:
    """A projector at work, as a worker has one."""

    async def pump() -> None:
        while True:
            await asyncio.sleep(0 if await bench.projector.project_some() else 0.01)

    pumping = asyncio.create_task(pump())
    yield
    pumping.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await pumping


@pytest.mark.parametrize("projector", ["running", "stopped"])
async def test_f46_opt_outs_race_sends_and_no_call_begins_after_a_no(own_bench: Bench, projector: str) -> None:
    bench = own_bench.with_policy(NO_LIMITS)
    await note_each_no(bench)
    bench.email.lasting = 0.005
    chance, gate = random.Random(1), asyncio.Semaphore(AT_ONCE)

    async def one(n: int) -> Race:
        async with gate:
            return await race(bench, f"c{n}", head_start=chance.uniform(0, 0.1))

    async with projecting(bench) if projector == "running" else contextlib.nullcontext():
        races = await asyncio.gather(*(one(n) for n in range(TIMES)))

    called = [r for r in races if r.called_at is not None]
    assert [r for r in called if (r.called_at or 0) > r.opted_out_at + 2] == []
    assert await bench.rows("SELECT * FROM sends s JOIN noes n USING (customer) WHERE s.claimed_at > n.at") == []
    assert {r.state for r in races if r.called_at is None} <= {"withdrawn", "refused"}
    assert {r.result.state for r in called} == {SendState.ACCEPTED}
    assert 5 <= len(called) <= TIMES - 5  # each side won now and then, so this means something


async def test_fifty_senders_at_once_make_exactly_as_many_calls_as_the_cap_allows(bench: Bench) -> None:
    bench = bench.with_policy(replace(NO_LIMITS, cap=replace(NO_LIMITS.cap, times=3)))
    people = [f"c{n}" for n in range(20)]
    walks = {person: await bench.a_walk(person) for person in people}

    results = await asyncio.gather(
        *(bench.send(walks[person], visit=visit, customer=person) for visit in range(50) for person in people)
    )

    calls = [call.letter.to for call in bench.email.calls]
    assert [calls.count(f"{person}@example.com") for person in people] == [3] * 20
    assert [each.state for each in results].count(SendState.ACCEPTED) == 60
    assert [each.rule for each in results].count("cap") == 940


async def test_fifty_senders_at_once_keep_the_gap(bench: Bench) -> None:
    walk = await bench.a_walk()

    await asyncio.gather(*(bench.send(walk, visit=visit) for visit in range(50)))

    assert len(bench.email.calls) == 1
