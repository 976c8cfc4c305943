"""What goes wrong in an installation: each cause is made on a bench, as old as a test wants it."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from adapters.database import sends
from domain.sends import send_id
from tests.services.bench import Bench

Cause = Callable[[Bench, timedelta], Awaitable[None]]


async def a_started_walk(bench: Bench, customer: str = "anna") -> str:
    walk = await bench.a_walk(customer)
    await bench.change("UPDATE dispatches SET done_at = now(), result = 'started'")
    await bench.change("UPDATE enrollments SET run_id = 'run of ' || id")
    return walk


async def a_send(bench: Bench, state: str, age: timedelta, *, rule: str = "allowed", customer: str = "anna") -> None:
    """A send that has stood there for some time, of a walk that is well."""
    walk, at = await a_started_walk(bench, customer), bench.clock.now() - age
    row: dict[str, Any] = {
        "id": send_id(walk, "note", 1), "enrollment": walk, "customer": bench.ours[customer], "message": "note",
        "visit": 1, "leg": 0, "purpose": "value", "kind": "triggered", "priority": 3, "state": state,
        "channel": "email", "wished_at": at, "expires_at": at + timedelta(days=30), "slot_at": at, "rule": rule,
    }  # fmt: skip
    async with bench.database.transaction() as connection:
        await sends.put(connection, row)


async def an_event_waits(bench: Bench, age: timedelta) -> None:
    at = bench.clock.now() - age
    await bench.does("looked", project=False, at=at, received=at)


async def an_event_is_poison(bench: Bench, age: timedelta) -> None:
    await an_event_waits(bench, age)
    await bench.change("UPDATE events SET quarantined = 'no such thing'")


async def an_order_is_due(bench: Bench, age: timedelta) -> None:
    await bench.a_walk()
    await bench.change("UPDATE dispatches SET due_at = now() - cast(:age AS interval)", age=age)


async def a_start_is_missing(bench: Bench, age: timedelta) -> None:
    await bench.a_walk()
    await bench.change("UPDATE enrollments SET started_at = :at", at=bench.clock.now() - age)


async def a_start_was_lost(bench: Bench, age: timedelta) -> None:
    await a_start_is_missing(bench, age)
    await bench.change("DELETE FROM dispatches")


async def a_caller_never_came_back(bench: Bench, age: timedelta) -> None:
    await a_send(bench, "claimed", timedelta(0))
    await bench.change("UPDATE sends SET claimed_at = now() - cast(:age AS interval)", age=age)


async def an_outcome_is_unknown(bench: Bench, age: timedelta) -> None:
    await a_send(bench, "unknown", timedelta(days=100))
    await bench.change("UPDATE sends SET called_at = :at", at=bench.clock.now() - age)


async def a_send_failed(bench: Bench, age: timedelta) -> None:
    await a_send(bench, "failed", age, rule="render_failed")


async def a_slot_passed(bench: Bench, age: timedelta) -> None:
    await a_send(bench, "deferred", age, rule="gap")


async def a_reserved_send_was_left(bench: Bench, age: timedelta) -> None:
    await a_send(bench, "reserved", age)


async def a_send_is_held(bench: Bench, age: timedelta) -> None:
    await a_send(bench, "held", age, rule="paused")


async def a_task_is_due(bench: Bench, age: timedelta) -> None:
    walk, now = await a_started_walk(bench), bench.clock.now()
    await bench.change(
        """INSERT INTO tasks (id, customer, enrollment, name, title, text, created_at, due_at)
           VALUES (gen_random_uuid(), :customer, :walk, 'call', 'Call', 'Call them', :now, :due)""",
        customer=bench.ours["anna"], walk=walk, now=now, due=now - age,
    )  # fmt: skip


async def a_colleague_was_not_reached(bench: Bench, age: timedelta) -> None:
    await a_started_walk(bench)
    await bench.change(
        """INSERT INTO notices (id, customer, name, title, text, at, done_at, result)
           SELECT gen_random_uuid(), id, 'hot', 'Hot', 'Hot', :now, now() - cast(:age AS interval), 'refused: 550'
           FROM customers""",
        now=bench.clock.now(), age=age,
    )  # fmt: skip


async def the_crm_was_not_told(bench: Bench, age: timedelta) -> None:
    walk = await a_started_walk(bench)
    await bench.change(
        """INSERT INTO crm_updates (id, customer, enrollment, facts, at, due_at, result)
           VALUES (gen_random_uuid(), :customer, :walk, '{}', :now, now() - cast(:age AS interval), 'later: 401')""",
        customer=bench.ours["anna"], walk=walk, now=bench.clock.now(), age=age,
    )  # fmt: skip


async def a_message_went_nowhere(bench: Bench, age: timedelta) -> None:
    await a_send(bench, "accepted", age)
    await bench.change(
        """INSERT INTO sandbox_outbox (send, at, channel, recipient, text)
           SELECT id, slot_at, 'email', 'a@example.com', 'Hello' FROM sends"""
    )


async def a_bulk_stands_still(bench: Bench, age: timedelta) -> None:
    await bench.change(
        """INSERT INTO bulks (journey, source, state, audience, entering, reachable, volume, per_second, actor,
                              actor_name, drafted_at, stretch_at, chunk_at)
           VALUES ('Trial', 'list', 'running', 2, 2, '{}', '{}', 10, 'x', 'x', :at, now() - interval '1 day',
                   now() - cast(:age AS interval))""",
        at=bench.clock.now(),
        age=age,
    )


async def nothing_was_swept(bench: Bench, age: timedelta) -> None:
    await bench.change(
        """INSERT INTO sweeps (as_of, took, rules, ranked, imports_until, counts)
           VALUES (:at, 1, '{}', true, :at, '{}')""",
        at=bench.clock.now() - age,
    )


async def nothing_was_ever_swept(bench: Bench, age: timedelta) -> None:
    await bench.change("INSERT INTO clock (anchor, pace) VALUES (:at, 1)", at=bench.clock.now() - age)


async def a_send_has_no_code(bench: Bench, age: timedelta) -> None:
    await a_send(bench, "held", age, rule="no_code_left")


async def a_pool_runs_low(bench: Bench, age: timedelta) -> None:
    """One code is left, and one was given some time ago."""
    await bench.change(
        "INSERT INTO offers (name, kind, prefix, percent, updated_at) VALUES ('spring_sale', 'pool', '', 5, :at)",
        at=bench.clock.now(),
    )
    await bench.change(
        """INSERT INTO offer_codes (offer, code, key, given_at)
           VALUES ('spring_sale', 'A', 'A', :at), ('spring_sale', 'B', 'B', NULL)""",
        at=bench.clock.now() - age,
    )


SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

# the finding, its cause, an age at which it is one, an age at which it is none
CAUSES = [
    ("projection_backlog", an_event_waits, 61 * SECOND, 59 * SECOND),
    ("quarantined_events", an_event_is_poison, 6 * DAY, 8 * DAY),
    ("dispatch_backlog", an_order_is_due, 70 * SECOND, 40 * SECOND),
    ("enrollments_never_started", a_start_is_missing, 61 * SECOND, 59 * SECOND),
    ("enrollments_never_started", a_start_was_lost, 61 * SECOND, 59 * SECOND),
    ("claimed_sends", a_caller_never_came_back, 130 * SECOND, 100 * SECOND),
    ("unknown_sends", an_outcome_is_unknown, 6 * DAY, 8 * DAY),
    ("failed_sends", a_send_failed, 23 * HOUR, 25 * HOUR),
    ("sends_not_woken", a_slot_passed, 61 * MINUTE, 59 * MINUTE),
    ("sends_not_woken", a_reserved_send_was_left, 61 * MINUTE, 59 * MINUTE),
    ("held_sends", a_send_is_held, 8 * DAY, 6 * DAY),
    ("sends_without_codes", a_send_has_no_code, SECOND, -SECOND),
    ("overdue_tasks", a_task_is_due, SECOND, -SECOND),
    ("bulks_stand_still", a_bulk_stands_still, 11 * MINUTE, 9 * MINUTE),
    ("sweep_overdue", nothing_was_swept, 37 * HOUR, 35 * HOUR),
    ("sweep_overdue", nothing_was_ever_swept, 37 * HOUR, 35 * HOUR),
    ("staff_not_reached", a_colleague_was_not_reached, 23 * HOUR, 25 * HOUR),
    ("crm_not_told", the_crm_was_not_told, 23 * HOUR, 25 * HOUR),
    ("sandbox_in_production", a_message_went_nowhere, 23 * HOUR, 25 * HOUR),
]
