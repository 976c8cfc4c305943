"""Merging beside sends, projectors and other merges: caps hold, nobody waits for ever, nobody is two (F44)."""

import asyncio
import os
import random
from dataclasses import replace
from itertools import pairwise

from adapters.database.connection import lock_customers
from tests.services.bench import NO_LIMITS, Bench
from tests.support.factories import STAFF, an_event

MERGES = int(os.environ.get("TROPA_MERGES", "100"))


async def test_f44_the_cap_of_the_merged_holds_during_fifty_concurrent_sends(bench: Bench) -> None:
    bench = bench.with_policy(replace(NO_LIMITS, cap=replace(NO_LIMITS.cap, times=2)))
    bench.email.lasting = 0.002
    chance = random.Random(44)
    people = [(f"a{n}", f"b{n}") for n in range(10)]
    walks = {p: await bench.a_walk(p, "Trial", p) for pair in people for p in pair}
    merged: dict[str, object] = {}

    async def send(person: str, visit: int) -> None:
        await asyncio.sleep(chance.uniform(0, 1))
        while True:  # as a walk does whose slot was taken back
            result = await bench.send(walks[person], visit=visit, customer=person)
            if result.rule != "merged":
                return

    async def merge(into: str, other: str) -> None:
        await asyncio.sleep(chance.uniform(0, 1))
        await bench.merge(into, other)
        merged[into] = (await bench.rows("SELECT clock_timestamp() AS at"))[0]["at"]

    await asyncio.gather(
        *(send(person, visit) for visit in range(25) for pair in people for person in pair),
        *(merge(into, other) for into, other in people),
    )

    late = 0
    for into, at in merged.items():
        claims = await bench.rows(
            "SELECT claimed_at AS at FROM sends WHERE customer = :id AND claimed_at IS NOT NULL ORDER BY claimed_at",
            id=bench.ours[into],
        )
        assert len(claims) <= 4, "two each before the merge, at the very most"
        assert len([claim for claim in claims[2:] if claim["at"] > at]) == 0, "none above the cap since"
        late += len([claim for claim in claims if claim["at"] > at])
    assert len(merged) == 10
    assert len(bench.email.calls) >= 20 - late


async def test_merges_under_load_never_deadlock(bench: Bench) -> None:
    bench = bench.with_policy(NO_LIMITS)
    chance, rounds = random.Random(1), max(1, MERGES // 10)

    async def one(n: int) -> None:
        people = [f"p{n}-{i}" for i in range(11)]
        walks = [await bench.a_walk(person, "Trial", person) for person in people]
        pairs = list(pairwise(people))
        chance.shuffle(pairs)

        async def merge(into: str, other: str) -> None:
            await bench.merge(into, other)

        async def restrict() -> None:
            both = chance.sample(people, 4)
            await bench.ingest.accept([an_event("opted_out", p, at=bench.clock.now(), channel="sms") for p in both])

        await asyncio.gather(
            *(merge(into, other) for into, other in pairs),
            *(merge(other, into) for into, other in pairs[:3]),
            *(bench.send(walk, customer=person) for walk, person in zip(walks, people, strict=True)),
            *(restrict() for _ in range(4)),
            bench.project(),
        )

    for n in range(rounds):
        await one(n)
    await bench.project()

    assert await bench.rows("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()") == [
        {"deadlocks": 0}
    ]
    assert len(await bench.rows("SELECT 1 FROM customers")) == rounds
    assert len(await bench.rows("SELECT 1 FROM customer_aliases")) == 10 * rounds
    astray = "SELECT 1 FROM sends s WHERE NOT EXISTS (SELECT 1 FROM customers c WHERE c.id = s.customer)"
    assert await bench.rows(astray) == []


async def test_a_lock_waited_for_while_its_profile_is_merged_away_is_given_back(bench: Bench) -> None:
    for person in ("anna", "anja"):
        await bench.a_customer(person)
    anna, anja = bench.ours["anna"], bench.ours["anja"]

    async def waits() -> list[str]:
        async with bench.database.transaction() as connection:
            got = await lock_customers(connection, [anja])
            held = "SELECT count(*) AS held FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
            assert (await connection.exec_driver_sql(held)).scalar_one() == 1
            return got

    async with bench.database.transaction() as connection:
        waiting = asyncio.create_task(waits())
        await bench.merging.merge(connection, "anna", "anja", actor=STAFF)
        while not await bench.rows("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"):
            await asyncio.sleep(0.01)

    assert await waiting == [anna]


async def test_whoever_is_minted_while_they_are_merged_away_is_no_second_person(bench: Bench) -> None:
    await bench.a_customer("anna")
    async with bench.database.transaction() as connection:
        minted = asyncio.create_task(bench.does("looked", "visitor-1", project=False))
        await minted
        await bench.merging.identify(connection, "anna", "visitor-1", actor=STAFF)
        projecting = asyncio.create_task(bench.project())
        await asyncio.sleep(0.2)  # it waits for the visitor's row, or finds it soon
    await projecting
    await bench.project()

    assert await bench.rows("SELECT customer_id FROM customers") == [{"customer_id": "anna"}]
    looked = await bench.rows("SELECT customer FROM events WHERE name = 'looked'")
    assert looked == [{"customer": bench.ours["anna"]}]
