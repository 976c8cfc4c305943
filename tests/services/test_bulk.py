"""Entering many: who would, said first; then everybody once, by the rules that hold when their turn comes."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import RowMapping

from activities.bulk import BulkProgress
from domain.bulk import BulkState
from domain.errors import Conflict, InvalidInput, NotFound
from services import bulk_entering
from services.audiences import Asked
from services.audit import Actor
from services.bulks import BulkNow
from tests.services.bench import Bench
from tests.support.factories import STAFF

BOSS = Actor(id="fedcba987654", name="the boss")
EVERYTHING = "SELECT count(*) AS n FROM {}"
FAST = 500.0  # customers a second: chunks of 125


async def draft(
    bench: Bench, who: Sequence[str | tuple[str, str]], journey: str = "Trial", *, per_second: float = FAST
) -> str:
    named = [each if isinstance(each, tuple) else (each, "") for each in who]
    async with bench.database.transaction() as connection:
        return await bench.drafting.draft(
            connection, journey, Asked(customers=named), options={}, per_second=per_second, actor=STAFF
        )


async def do(bench: Bench, command: str, bulk: str, *, actor: Actor = STAFF, **how: Any) -> None:
    async with bench.database.transaction() as connection:
        await getattr(bench.bulks, command)(connection, bulk, actor=actor, **how)


async def look(bench: Bench, bulk: str) -> BulkNow:
    async with bench.database.transaction() as connection:
        return await bench.bulks.get(connection, bulk)


async def enter(bench: Bench, bulk: str, *, looks: int | None = None) -> BulkProgress:
    """Work on a bulk, for so many looks."""
    left = iter(range(1, looks)) if looks else None
    return await bench.entering.enter(bulk, lambda progress: left is None or next(left, None) is not None)


async def started(bench: Bench, who: Sequence[str], **how: Any) -> str:
    bulk = await draft(bench, who)
    await do(bench, "start", bulk, **how)
    return bulk


async def crowd(bench: Bench, size: int) -> list[str]:
    """So many customers with an address and a yes, in two statements."""
    await bench.change(
        """
        INSERT INTO customers (customer_id, email, first_seen_at)
        SELECT 'c' || n, 'c' || n || '@example.com', :now FROM generate_series(1, :size) AS n
        """,
        now=bench.clock.now(),
        size=size,
    )
    await bench.change(
        """
        INSERT INTO consents (customer, channel, status, at, source)
        SELECT id, 'email', 'granted', :now, 'test' FROM customers WHERE customer_id ~ '^c[0-9]+$'
        """,
        now=bench.clock.now(),
    )
    return [f"c{number}" for number in range(1, size + 1)]


def by_rule(reasons: Sequence[RowMapping], state: str) -> dict[str, int]:
    return {each["rule"]: each["count"] for each in reasons if each["state"] == state}


async def walkers(bench: Bench) -> Counter[str]:
    found = await bench.rows("SELECT customer_id FROM enrollments e JOIN customers c ON c.id = e.customer")
    return Counter(row["customer_id"] for row in found)


async def count(bench: Bench, table: str) -> int:
    return int((await bench.rows(EVERYTHING.format(table)))[0]["n"])


# Who would -----------------------------------------------------------------------------------------------------------


async def test_the_blast_radius_names_every_reason_and_changes_nothing(bench: Bench) -> None:
    for name in ("anna", "boris", "walks", "silent", "said no", "gone", "joined"):
        await bench.a_customer(name)
    await bench.change("UPDATE customers SET email = NULL, phone = NULL WHERE customer_id = 'silent'")
    await bench.a_customer("texts only", email=None, phone="+15550199")
    await bench.a_walk("walks")
    await bench.does("opted_out", "said no")
    await bench.erase("gone")
    await bench.merge("anna", "joined")
    before = {table: await count(bench, table) for table in ("enrollments", "dispatches", "decisions", "events")}

    named = ["anna", "joined", "boris", "walks", "silent", "said no", "gone", "nobody", "anna", "texts only"]
    bulk = await look(bench, await draft(bench, named))

    assert (bulk.row["audience"], bulk.row["entering"], bulk.row["state"]) == (9, 3, "drafted")
    assert by_rule(bulk.reasons, "left_out") == {
        "already_walking": 1,
        "opted_out_of_all": 1,
        "journey_erased": 1,
        "no_channel": 1,
        "named_twice": 1,
        "unknown": 1,
    }
    samples = {each["rule"]: each["sample"] for each in bulk.reasons}
    assert samples["named_twice"] == ["joined"] and samples["unknown"] == ["nobody"]
    assert "gone" not in str(await bench.rows("SELECT customer_id, facts FROM bulk_customers"))
    assert bulk.row["reachable"] == {"email": 2, "sms": 1}
    assert before == {table: await count(bench, table) for table in before}


async def test_a_forecast_rests_on_what_earlier_walks_were_sent(bench: Bench) -> None:
    for number in range(25):
        walk = await bench.a_walk(f"old-{number}")
        await bench.send(walk, customer=f"old-{number}")
    bench.clock.pass_(timedelta(days=8))

    volume = (await look(bench, await draft(bench, await crowd(bench, 10)))).row["volume"]

    assert (volume["entering_first_hour"], volume["messages_first_hour_likely"]) == (10, 10)
    assert volume["messages_by_day_likely"] == [10, 0, 0, 0, 0, 0, 0]
    assert (volume["messages_first_hour_at_most"], volume["messages_a_day_at_most"]) == (1001 * 10, 1002 * 10)


async def test_a_segment_names_who_is_in_it_at_that_moment(bench: Bench) -> None:
    async def drafted(**asked: Any) -> str:
        async with bench.database.transaction() as connection:
            return await bench.drafting.draft(
                connection, "Trial", Asked(**asked), options={}, per_second=FAST, actor=STAFF
            )

    with pytest.raises(InvalidInput, match="nobody is in everybody now"):
        await drafted(segment="everybody")
    await crowd(bench, 3)
    bulk = await look(bench, await drafted(segment="everybody"))
    await bench.a_customer("late")

    assert (bulk.row["source"], bulk.row["entering"]) == ("segment everybody", 3)
    with pytest.raises(NotFound):
        await drafted(segment="nobody")
    with pytest.raises(InvalidInput, match="not both"):
        await drafted(segment="everybody", customers=[("late", "")])


@pytest.mark.parametrize(
    ("journey", "who", "said"),
    [
        ("Trial", [], "customers: names nobody"),
        ("Trial", [("anna", "C-1")], "about: Trial is not about any one thing"),
        ("Cart", ["anna"], "about: Cart is about a cart, and 1 lines name none"),
    ],
)
async def test_a_wrong_audience_says_what_is_wrong(bench: Bench, journey: str, who: list[Any], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        await draft(bench, who, journey)


async def test_each_cart_of_a_customer_enters_by_itself(bench: Bench) -> None:
    await bench.a_customer()
    bulk = await draft(bench, [("anna", "C-1"), ("anna", "C-2"), ("anna", "C-1")], "Cart")
    await do(bench, "start", bulk)

    await enter(bench, bulk)

    assert {row["about"] for row in await bench.rows("SELECT about FROM enrollments")} == {"C-1", "C-2"}


# Entering ------------------------------------------------------------------------------------------------------------


async def test_everybody_enters_once_and_who_stays_out_is_told_why(bench: Bench) -> None:
    names = await crowd(bench, 150)
    await bench.change("UPDATE customers SET email = NULL WHERE customer_id ~ '0$'")
    bulk = await started(bench, names)

    progress = await enter(bench, bulk)

    assert progress == BulkProgress(state=BulkState.DONE, entered=135, refused=0, remaining=0)
    assert await walkers(bench) == Counter(name for name in names if not name.endswith("0"))
    assert await count(bench, "dispatches WHERE kind = 'start'") == 135
    assert set(await bench.words(state="entered")) == {"Entered Trial: staff"}
    stayed = "Not entered Trial: none of its messages may reach the customer by any channel"
    assert Counter(await bench.words(state="not_entered")) == Counter({stayed: 15})
    assert (await look(bench, bulk)).seconds_left is None


async def test_each_is_decided_again_when_their_turn_comes(bench: Bench) -> None:
    for name in ("anna", "boris", "clara", "dora", "erik", "joined", "fred"):
        await bench.a_customer(name)
    bulk = await started(bench, ["anna", "boris", "clara", "dora", "erik", "joined", "fred"])
    await bench.does("opted_out", "boris", project=False)
    await bench.erase("clara")
    await bench.does("trial_started", "dora", project=False)  # projected under her lock, it is there first
    await bench.merge("erik", "joined")
    await bench.change("UPDATE customers SET phone = NULL WHERE customer_id = 'fred'")
    await bench.does("hard_bounced", "fred", project=False)

    progress = await enter(bench, bulk)

    assert (progress.entered, progress.refused) == (2, 5)
    assert await walkers(bench) == Counter(["anna", "dora", "erik"])
    assert by_rule((await look(bench, bulk)).reasons, "refused") == {
        "opted_out_of_all": 1,
        "journey_erased": 1,
        "already_walking": 1,
        "walked_before": 1,
        "no_channel": 1,
    }
    assert "Not entered Trial: the customer opted out of everything" in str(await bench.words(state="not_entered"))


async def test_two_workers_at_the_same_bulk_let_nobody_enter_twice(bench: Bench) -> None:
    names = await crowd(bench, 180)
    bulk = await started(bench, names)

    await asyncio.gather(*(enter(bench, bulk) for _ in range(4)))

    assert await walkers(bench) == Counter(names)


async def test_who_makes_the_database_fail_is_set_aside_and_the_others_enter(bench: Bench) -> None:
    names = await crowd(bench, 12)
    bulk = await started(bench, names)
    await bench.change("UPDATE bulk_customers SET about = repeat(md5(random()::text), 9000) WHERE customer_id = 'c7'")

    progress = await enter(bench, bulk)  # nothing so long fits into the index of open walks

    assert (progress.state, progress.entered, progress.refused) == (BulkState.DONE, 11, 1)
    assert await walkers(bench) == Counter(set(names) - {"c7"})
    assert by_rule((await look(bench, bulk)).reasons, "refused") == {"bulk_failed": 1}


async def test_a_worker_that_stops_leaves_a_whole_chunk_and_the_next_goes_on(bench: Bench) -> None:
    names = await crowd(bench, 180)
    bulk = await started(bench, names)

    first = await enter(bench, bulk, looks=1)
    waiting = (await look(bench, bulk)).remaining
    second = await enter(bench, bulk)

    assert (first.state, first.entered, waiting) == (BulkState.RUNNING, 125, 55)
    assert (second.state, second.entered) == (BulkState.DONE, 180)
    assert await walkers(bench) == Counter(names)


async def test_nobody_enters_while_temporal_is_behind(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_entering, "STARTS_WAITING", 100)
    monkeypatch.setattr(bulk_entering, "BEAT", 0.01)
    names = await crowd(bench, 180)
    bulk = await started(bench, names)

    behind = await enter(bench, bulk, looks=3)  # one after the chunk, two while it waits
    await bench.change("UPDATE dispatches SET done_at = now()")
    caught_up = await enter(bench, bulk)

    assert (behind.entered, caught_up.entered) == (125, 180)


# What people do to it ------------------------------------------------------------------------------------------------


async def test_a_canary_enters_and_waits_for_a_look(bench: Bench) -> None:
    names = await crowd(bench, 40)
    bulk = await started(bench, names, canary_share=0.1)

    canary = await enter(bench, bulk)
    again = await enter(bench, bulk)
    await do(bench, "resume", bulk)
    rest = await enter(bench, bulk)

    assert (canary.state, canary.entered, again) == (BulkState.LOOKING, 4, canary)
    assert (rest.state, rest.entered) == (BulkState.DONE, 40)
    asked = await bench.rows("SELECT asked, told FROM bulks")
    assert asked == [{"asked": 2, "told": 0}]  # its workflow hears of the start and of the resuming


async def test_after_a_pause_nobody_enters_until_it_is_resumed_and_after_cancelling_nobody(bench: Bench) -> None:
    names = await crowd(bench, 180)
    bulk = await started(bench, names, per_second=200)
    await enter(bench, bulk, looks=1)

    await do(bench, "pause", bulk)
    assert (await enter(bench, bulk)).entered == 50
    await do(bench, "resume", bulk)
    await enter(bench, bulk, looks=1)
    await do(bench, "cancel", bulk)

    assert await enter(bench, bulk) == BulkProgress(state=BulkState.CANCELLED, entered=100, refused=0, remaining=80)
    assert (await look(bench, bulk)).remaining == 0
    log = await bench.rows("SELECT action, actor FROM audit WHERE subject_kind = 'bulk' ORDER BY id")
    assert [row["action"] for row in log] == [
        f"bulk.{did}" for did in ("drafted", "started", "paused", "resumed", "cancelled")
    ]


async def test_above_a_size_another_key_must_approve(bench: Bench) -> None:
    bench.bulks.approve_above = 2
    for name in ("anna", "boris", "clara"):
        await bench.a_customer(name)
    bulk = await draft(bench, ["anna", "boris", "clara"])

    with pytest.raises(Conflict, match="another API key has to approve"):
        await do(bench, "start", bulk)
    with pytest.raises(Conflict, match="somebody else has to look"):
        await do(bench, "approve", bulk)
    await do(bench, "approve", bulk, actor=BOSS)
    await do(bench, "start", bulk)

    assert (await look(bench, bulk)).row["approver_name"] == "the boss"
    assert (await enter(bench, bulk)).entered == 3


async def test_what_cannot_be_done_now_says_so(bench: Bench) -> None:
    nobody = await draft(bench, ["a stranger"])

    with pytest.raises(Conflict, match="Nobody of this bulk can enter"):
        await do(bench, "start", nobody)
    for command in ("pause", "resume"):
        with pytest.raises(Conflict, match=f"drafted; it cannot {command} now"):
            await do(bench, command, nobody)
    with pytest.raises(NotFound):
        await do(bench, "start", "blk_unknown")
    await do(bench, "cancel", nobody)
    with pytest.raises(Conflict, match="cancelled; it cannot start now"):
        await do(bench, "start", nobody)


async def test_an_old_draft_is_forgotten(bench: Bench) -> None:
    await bench.a_customer()
    old = await draft(bench, ["anna"])
    bench.clock.pass_(timedelta(days=31))

    await draft(bench, ["anna"])

    with pytest.raises(NotFound):
        await look(bench, old)
