"""Ingest: stored once, whole or not at all, and restrictions in force when it returns."""

import asyncio
import contextlib
import random
from datetime import timedelta

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError

from adapters.database import customers
from domain.customers import Consent, ConsentStatus
from domain.messages import Channel
from domain.sends import SendState
from services.ingest import Accepted
from tests.services.bench import Bench
from tests.support.factories import an_event

HOUR = timedelta(hours=1)


async def test_f03_a_hundred_tellings_of_one_event_at_once_store_it_once(bench: Bench) -> None:
    event = an_event("looked", event_id="e1", at=bench.clock.now())

    answers = await asyncio.gather(*(bench.ingest.accept([event]) for _ in range(100)))

    assert sorted((a.accepted, a.duplicates) for a in answers) == [(0, 1)] * 99 + [(1, 0)]
    assert await bench.rows("SELECT count(*) AS n FROM events") == [{"n": 1}]


async def test_f03_one_id_with_two_bodies_is_a_conflict_and_the_first_stays(bench: Bench) -> None:
    await bench.ingest.accept([an_event("looked", event_id="e1", at=bench.clock.now())])

    answer = await bench.ingest.accept(
        [
            an_event("looked", event_id="e0", at=bench.clock.now()),
            an_event("bought", event_id="e1", at=bench.clock.now()),
        ]
    )

    assert answer == Accepted(accepted=1, duplicates=0, conflicts=[1])
    assert await bench.rows("SELECT name FROM events WHERE event_id = 'e1'") == [{"name": "looked"}]


async def test_f03_a_hundred_bodies_for_one_id_at_once_leave_one(bench: Bench) -> None:
    bodies = [an_event("looked", event_id="e1", at=bench.clock.now(), count=n) for n in range(100)]

    answers = await asyncio.gather(*(bench.ingest.accept([body]) for body in bodies))

    assert sum(a.accepted for a in answers) == 1
    assert [a.conflicts for a in answers].count([0]) == 99


@pytest.mark.parametrize("others", [0, 2])
async def test_whatever_is_written_in_an_event_is_stored_as_it_was(bench: Bench, others: int) -> None:
    now = bench.clock.now() - timedelta(microseconds=7)
    odd = an_event("looked", "anna\n\ue001", event_id="e\x1f\ue000", at=now, word='",{}\u2028\x1f', empty="")
    plain = [an_event("looked", event_id=f"e{n}", at=now, about=f"a{n}") for n in range(others)]

    await bench.ingest.accept([odd, *plain])

    stored = await bench.rows(
        "SELECT event_id, customer_id, name, occurred_at, received_at, source, about, properties, digest FROM events"
    )
    columns = ("event_id", "customer_id", "name", "occurred_at", "received_at", "source", "about", "digest")
    assert sorted(tuple(row[name] for name in columns) for row in stored) == sorted(
        tuple(getattr(event, name) for name in columns) for event in [odd, *plain]
    )
    assert {"word": '",{}\u2028\x1f', "empty": ""} in [row["properties"] for row in stored]


async def test_repeats_within_a_batch_are_told_apart_by_their_bodies(bench: Bench) -> None:
    now = bench.clock.now()
    batch = [
        an_event("looked", event_id="e1", at=now),
        an_event("looked", event_id="e1", at=now),
        an_event("bought", event_id="e1", at=now),
        an_event("looked", event_id="e2", at=now),
    ]

    first, second = await bench.ingest.accept(batch), await bench.ingest.accept(batch)

    assert first == Accepted(accepted=2, duplicates=1, conflicts=[2])
    assert second == Accepted(accepted=0, duplicates=3, conflicts=[2])


async def test_an_empty_batch_is_nothing(bench: Bench) -> None:
    assert await bench.ingest.accept([]) == Accepted()


async def test_batches_that_share_events_in_opposite_orders_never_deadlock(bench: Bench) -> None:
    events = [an_event("looked", f"c{n}", event_id=f"e{n}", at=bench.clock.now()) for n in range(2000)]

    answers = await asyncio.gather(*(bench.ingest.accept(events[:: (-1) ** turn]) for turn in range(6)))

    assert sum(a.accepted for a in answers) == len(events)
    assert sum(a.duplicates for a in answers) == len(events) * 5


async def test_batches_that_restrict_the_same_customers_in_opposite_orders_never_deadlock(bench: Bench) -> None:
    people = [f"c{n}" for n in range(20)]
    for person in people[::2]:  # half of them are known, and walk
        await bench.a_walk(person)
    now = bench.clock.now()

    async def forbid(order: list[str], turn: int) -> Accepted:
        names = ("opted_out", "complained", "hard_bounced")
        return await bench.ingest.accept([an_event(names[turn % 3], person, at=now) for person in order])

    async def go_on() -> None:
        for person in people:
            await bench.ingest.accept([an_event("looked", person, at=now)])
        await bench.project()

    shuffled = random.Random(1)
    going_on = asyncio.gather(*(go_on() for _ in range(4)))
    answers = await asyncio.gather(*(forbid(shuffled.sample(people, len(people)), turn) for turn in range(30)))
    await going_on

    assert [a.accepted for a in answers] == [len(people)] * 30
    assert await bench.rows("SELECT count(*) AS n FROM enrollments WHERE ended_at IS NULL") == [{"n": 0}]


async def test_connections_that_the_server_ended_are_not_used_again(bench: Bench) -> None:
    await asyncio.gather(*(bench.ingest.accept([an_event("looked", at=bench.clock.now())]) for _ in range(10)))
    await bench.change(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )

    async def tries() -> int:
        for attempt in range(5):
            with contextlib.suppress(DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                await bench.ingest.accept([an_event("looked", event_id="after", at=bench.clock.now())])
                return attempt
        return 5

    assert await tries() <= 1, "one notices, and all are replaced"
    assert await bench.rows("SELECT count(*) AS n FROM events") == [{"n": 11}]


# Restrictions --------------------------------------------------------------------------------------------------------


async def opted_out(bench: Bench, customer_id: str = "anna", *, age: timedelta = timedelta(0), **details: str) -> None:
    now = bench.clock.now()
    await bench.ingest.accept([an_event("opted_out", customer_id, at=now - age, received=now, **details)])


async def says_yes(bench: Bench, channel: str, *, age: timedelta = timedelta(0)) -> None:
    word = Consent(status=ConsentStatus.GRANTED, at=bench.clock.now() - age, source="preferences")
    async with bench.database.transaction() as connection:
        await customers.put_consent(connection, bench.ours["anna"], channel, word)


async def consents(bench: Bench) -> dict[str, str]:
    return {r["channel"]: r["status"] for r in await bench.rows("SELECT channel, status FROM consents")}


async def test_an_opt_out_of_everything_acts_before_anything_is_projected(bench: Bench) -> None:
    walk, other = await bench.a_walk(), await bench.a_walk(journey="Cart", about="c1")
    await bench.change("UPDATE customers SET timezone = 'Asia/Tokyo'")
    bench.clock.pass_(timedelta(hours=3))  # 22:00 there
    deferred = await bench.send(walk)

    await opted_out(bench)

    assert deferred.state is SendState.DEFERRED
    assert (await consents(bench))["all"] == "denied"
    assert await bench.rows("SELECT DISTINCT leaving FROM enrollments") == [{"leaving": "opted_out"}]
    assert (await bench.ledger(walk))["state"] == "withdrawn"
    assert [await bench.dispatched(each) for each in (walk, other)] == [["start", "cancel"]] * 2
    assert "Withdrawn: the journey ended (opted out)" in await bench.words()
    assert await bench.rows("SELECT number FROM events") == [{"number": None}]


async def test_an_unknown_customer_may_opt_out_before_we_know_them(bench: Bench) -> None:
    await opted_out(bench, "stranger")
    await bench.does("trial_started", "stranger")

    assert await bench.rows("SELECT id FROM enrollments") == []
    assert [w for w in await bench.words() if "opted out of everything" in w]


async def test_an_opt_out_told_twice_acts_once(bench: Bench) -> None:
    walk = await bench.a_walk()
    event = an_event("opted_out", "anna", event_id="stop", at=bench.clock.now())

    await asyncio.gather(*(bench.ingest.accept([event]) for _ in range(20)))

    assert await bench.dispatched(walk) == ["start", "cancel"]


async def test_an_opt_out_older_than_a_later_yes_is_kept_and_does_not_act(bench: Bench) -> None:
    walk = await bench.a_walk()
    await says_yes(bench, "email")

    await opted_out(bench, age=2 * HOUR)

    assert await consents(bench) == dict.fromkeys(Channel, "granted") | {"all": "denied"}
    assert await bench.dispatched(walk) == ["start"]
    assert (await bench.send(walk)).state is SendState.ACCEPTED
    assert await bench.words(state="stale") == [
        "This opt-out is older than the customer's later yes, so it changes nothing"
    ]
    assert len(await bench.rows("SELECT id FROM events WHERE name = 'opted_out'")) == 1


async def test_an_opt_out_of_one_channel_leaves_journeys_walking_and_other_channels_open(bench: Bench) -> None:
    walk = await bench.a_walk()

    await opted_out(bench, channel="email")

    assert await bench.dispatched(walk) == ["start"]
    assert (await bench.send(walk, "note")).rule == "opted_out"
    assert (await bench.send(walk, "either")).channel == "sms"


@pytest.mark.parametrize("channel", ["Email", "fax", "", 7, ["email"], {"a": 1}, None])
async def test_an_opt_out_of_a_channel_that_we_cannot_read_is_an_opt_out_of_everything(
    bench: Bench, channel: object
) -> None:
    walk = await bench.a_walk()

    await bench.ingest.accept([an_event("opted_out", at=bench.clock.now(), channel=channel)])

    assert await bench.dispatched(walk) == ["start", "cancel"]


async def test_a_complaint_refuses_the_channel_and_the_address(bench: Bench) -> None:
    walk = await bench.a_walk()

    await bench.does("complained", project=False)

    assert (await bench.send(walk)).rule == "suppressed"
    assert (await consents(bench))["email"] == "denied"
    assert await bench.dispatched(walk) == ["start"]


async def test_a_hard_bounce_closes_the_address_whoever_else_has_it(bench: Bench) -> None:
    await bench.a_customer("anna", email="shared@example.com")
    await bench.a_customer("boris", email="Shared@Example.com ")
    walk = await bench.a_walk("boris")

    await bench.does("hard_bounced", "anna", project=False)

    refused = await bench.send(walk, customer="boris")
    assert refused.rule == "suppressed"
    assert "The address for email is suppressed: it bounced for good" in await bench.words()


async def test_a_restriction_of_a_channel_without_an_address_breaks_nothing(bench: Bench) -> None:
    await bench.a_customer(email=None)

    await bench.does("hard_bounced", project=False)

    assert await bench.rows("SELECT * FROM suppressions") == []
