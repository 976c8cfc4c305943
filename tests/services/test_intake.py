"""Intake: requests that share a commit are answered as if each had its own."""

import asyncio

import pytest

from adapters.database.connection import lock_customer
from domain.errors import Unavailable
from services import intake
from services.intake import Intake, Taken
from tests.services.bench import Bench
from tests.support.factories import an_event


async def test_requests_of_one_moment_share_commits(bench: Bench) -> None:
    taking = Intake(bench.ingest)

    answers = await asyncio.gather(*(taking.take_in([an_event("looked", at=bench.clock.now())]) for _ in range(100)))

    assert answers == [Taken(accepted=1)] * 100
    commits = await bench.rows("SELECT DISTINCT xmin::text FROM events")
    assert len(commits) < 10
    assert await bench.rows("SELECT count(*) AS n FROM events") == [{"n": 100}]


async def test_what_one_request_says_of_another_s_event_is_told_to_each(bench: Bench) -> None:
    taking, now = Intake(bench.ingest), bench.clock.now()
    await bench.ingest.accept([an_event("looked", event_id="known", at=now)])
    requests = [
        [an_event("looked", event_id="new", at=now), an_event("bought", event_id="known", at=now)],
        [an_event("looked", event_id="known", at=now), an_event("looked", event_id="new", at=now)],
        [an_event("looked", event_id="alone", at=now), an_event("bought", event_id="new", at=now)],
    ]

    answers = await asyncio.gather(*map(taking.take_in, requests))

    assert answers == [
        Taken(accepted=1, conflicts=[1]),
        Taken(duplicates=2),
        Taken(accepted=1, conflicts=[1]),
    ]
    assert len(await bench.rows("SELECT DISTINCT xmin::text FROM events WHERE event_id <> 'known'")) == 1


async def test_what_the_database_refuses_costs_its_own_request_one_event_and_others_nothing(own_bench: Bench) -> None:
    await own_bench.change("ALTER TABLE events ADD CONSTRAINT no_bad_luck CHECK (about <> '13')")
    taking, now = Intake(own_bench.ingest), own_bench.clock.now()
    requests = [[an_event("looked", about=about, at=now) for about in "abc"] for _ in range(5)]
    requests[2][1] = an_event("looked", about="13", at=now)

    answers = await asyncio.gather(*map(taking.take_in, requests))

    assert answers[2] == Taken(accepted=2, refused=[1])
    assert [answers[n] for n in (0, 1, 3, 4)] == [Taken(accepted=3)] * 4
    assert await own_bench.rows("SELECT count(*) AS n FROM events") == [{"n": 14}]


async def test_whoever_comes_when_too_many_wait_is_sent_away_and_nothing_of_theirs_is_kept(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "MOST_WAITING", 10)
    taking, now = Intake(bench.ingest), bench.clock.now()

    answers = await asyncio.gather(
        *(taking.take_in([an_event("looked", at=now) for _ in range(4)]) for _ in range(5)), return_exceptions=True
    )

    assert [isinstance(answer, Unavailable) for answer in answers] == [False, False, True, True, True]
    assert await bench.rows("SELECT count(*) AS n FROM events") == [{"n": 8}]
    assert await taking.take_in([an_event("looked", at=now)]) == Taken(accepted=1)


async def test_a_restriction_that_waits_for_its_customer_keeps_nobody_else_waiting(bench: Bench) -> None:
    walk = await bench.a_walk()
    taking, now = Intake(bench.ingest), bench.clock.now()
    async with bench.database.transaction() as connection:
        await lock_customer(connection, bench.ours["anna"])
        forbidding = [asyncio.create_task(taking.take_in([an_event("opted_out", at=now)])) for _ in range(5)]
        others = await asyncio.gather(*(taking.take_in([an_event("looked", at=now)]) for _ in range(20)))

    assert others == [Taken(accepted=1)] * 20
    assert await asyncio.gather(*forbidding) == [Taken(accepted=1)] * 5
    assert await bench.dispatched(walk) == ["start", "cancel"]


async def test_a_failure_of_the_database_is_told_to_everybody_who_waited_and_does_not_last(own_bench: Bench) -> None:
    taking, now = Intake(own_bench.ingest), own_bench.clock.now()
    await own_bench.change("ALTER TABLE events RENAME TO away")

    failed = await asyncio.gather(
        *(taking.take_in([an_event("looked", at=now)]) for _ in range(10)), return_exceptions=True
    )
    await own_bench.change("ALTER TABLE away RENAME TO events")

    assert all(isinstance(each, Exception) for each in failed)
    assert await taking.take_in([an_event("looked", at=now)]) == Taken(accepted=1)


async def test_a_caller_who_goes_away_takes_nobody_along(bench: Bench) -> None:
    taking, now = Intake(bench.ingest), bench.clock.now()
    requests = [asyncio.create_task(taking.take_in([an_event("looked", at=now)])) for _ in range(10)]
    await asyncio.sleep(0)

    requests[0].cancel()

    answers = await asyncio.gather(*requests, return_exceptions=True)
    assert answers[1:] == [Taken(accepted=1)] * 9


async def test_an_empty_batch_is_nothing(bench: Bench) -> None:
    assert await Intake(bench.ingest).take_in([]) == Taken()
