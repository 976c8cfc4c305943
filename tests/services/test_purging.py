"""What machinery keeps only for a while: told orders and answers for repeats, by real time."""

from typing import Any, cast

from adapters.database import purging
from services.delivery_reports import DeliveryReports
from services.keys import Keys
from services.reconcile import Reconciler
from tests.api.texting import Quiet
from tests.services.bench import Bench


async def purge(bench: Bench, limit: int = 100) -> int:
    async with bench.database.transaction() as connection:
        return await purging.purge(connection, limit)


async def test_what_temporal_was_told_goes_after_a_week_and_what_it_was_not_told_stays(bench: Bench) -> None:
    walks = [await bench.a_walk(f"c{n}") for n in range(3)]
    ages = {walks[0]: "8 days", walks[1]: "6 days"}
    for walk, age in ages.items():
        await bench.change(f"UPDATE dispatches SET done_at = now() - interval '{age}' WHERE enrollment = :id", id=walk)

    gone = await purge(bench)

    left = await bench.rows("SELECT enrollment FROM dispatches ORDER BY id")
    assert (gone, [row["enrollment"] for row in left]) == (1, walks[1:])


async def test_answers_kept_for_repeats_go_after_two_days(bench: Bench) -> None:
    await Keys(bench.database).create("the shop", ["events:write"])
    for key, age in {"old": "49 hours", "young": "47 hours"}.items():
        await bench.change(
            f"""INSERT INTO idempotency_keys (api_key, key, digest, created_at)
                SELECT id, :key, '', now() - interval '{age}' FROM api_keys""",
            key=key,
        )

    gone = await purge(bench)

    assert (gone, await bench.rows("SELECT key FROM idempotency_keys")) == (1, [{"key": "young"}])


async def test_a_large_past_goes_piece_by_piece_the_oldest_first(bench: Bench) -> None:
    walk = await bench.a_walk()
    await bench.change(
        """INSERT INTO dispatches (enrollment, kind, done_at)
           SELECT :id, 'released', now() - interval '8 days' - n * interval '1 hour' FROM generate_series(1, 25) n""",
        id=walk,
    )

    assert [await purge(bench, 10) for _ in range(4)] == [10, 10, 5, 0]
    assert await bench.dispatched(walk) == ["start"]


async def test_each_round_of_the_reconciler_lets_a_piece_of_the_past_go(bench: Bench) -> None:
    walk, temporal = await bench.a_walk(), cast(Any, Quiet())
    await bench.change("UPDATE dispatches SET done_at = now() - interval '8 days'")
    reports = DeliveryReports(bench.database, bench.clock, bench.surrogates)

    await Reconciler(bench.database, bench.clock, temporal, bench.sending, reports, bench.offers).reconcile()

    assert await bench.dispatched(walk) == []
