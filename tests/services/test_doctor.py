"""`tropa doctor`: each finding is there when its cause is, and only then."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from adapters.database import health, sends
from adapters.database.connection import Database
from domain.sends import send_id
from services.doctor import Diagnosis, Doctor, Severity
from services.watching import TemporalHealth, Watching
from tests.services.bench import Bench
from tropa.embedded.ports import free_port

HEAD = "0001"

Cause = Callable[[Bench, timedelta], Awaitable[None]]


async def look(bench: Bench, *, production: bool = False, temporal: TemporalHealth | None = None) -> Diagnosis:
    head = (await bench.rows("SELECT version_num FROM alembic_version"))[0]["version_num"]
    watching = Watching(bench.database, head, temporal)
    return await Doctor(bench.database, watching, production=production, clock=bench.clock).look()


async def a_started_walk(bench: Bench, customer: str = "anna") -> str:
    walk = await bench.a_walk(customer)
    await bench.change("UPDATE dispatches SET done_at = now(), result = 'started'")
    return walk


async def a_send(bench: Bench, state: str, age: timedelta, *, rule: str = "allowed", customer: str = "anna") -> None:
    """A send that has stood there for some time, of a walk that is well."""
    walk, at = await a_started_walk(bench, customer), bench.clock.now() - age
    row: dict[str, Any] = {
        "id": send_id(walk, "note", 1), "enrollment": walk, "customer": bench.ours[customer], "message": "note",
        "visit": 1, "leg": 0, "purpose": "value", "priority": 3, "state": state, "channel": "email",
        "wished_at": at, "expires_at": at + timedelta(days=30), "slot_at": at, "rule": rule,
    }  # fmt: skip
    async with bench.database.transaction() as connection:
        await sends.put(connection, row)


# Causes --------------------------------------------------------------------------------------------------------------


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


async def a_message_went_nowhere(bench: Bench, age: timedelta) -> None:
    await a_send(bench, "accepted", age)
    await bench.change(
        """INSERT INTO sandbox_outbox (send, at, channel, recipient, text)
           SELECT id, slot_at, 'email', 'a@example.com', 'Hello' FROM sends"""
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
    ("overdue_tasks", a_task_is_due, SECOND, -SECOND),
    ("sandbox_in_production", a_message_went_nowhere, 23 * HOUR, 25 * HOUR),
]
IDS = [cause.__name__ for _, cause, _, _ in CAUSES]


@pytest.mark.parametrize(("name", "cause", "ill", "_well"), CAUSES, ids=IDS)
async def test_a_cause_is_found_counted_and_dated(
    bench: Bench, name: str, cause: Cause, ill: timedelta, _well: timedelta
) -> None:
    await cause(bench, ill)

    found = await look(bench, production=True)

    assert [(each.name, each.count, each.severity) for each in found.findings] == [(name, 1, Severity.LOOK)]
    oldest = found.findings[0].oldest
    assert oldest is not None and abs(oldest - ill) < timedelta(seconds=5)
    assert (found.verdict, found.exit_code) == ("look", 1)


@pytest.mark.parametrize(("_name", "cause", "_ill", "well"), CAUSES, ids=IDS)
async def test_what_is_in_time_or_long_past_is_no_finding(
    bench: Bench, _name: str, cause: Cause, _ill: timedelta, well: timedelta
) -> None:
    await cause(bench, well)

    found = await look(bench, production=True)

    assert (found.findings, found.verdict, found.exit_code) == ([], "well", 0)


@pytest.mark.parametrize(("attempts", "names"), [(5, ["dispatch_attempts"]), (4, [])])
async def test_an_enrollment_that_temporal_refuses_again_and_again(
    bench: Bench, attempts: int, names: list[str]
) -> None:
    walk = await bench.a_walk()
    await bench.change(
        "INSERT INTO dispatch_leases (enrollment, token, until, attempts) VALUES (:id, gen_random_uuid(), now(), :n)",
        id=walk, n=attempts,
    )  # fmt: skip

    assert [each.name for each in (await look(bench)).findings] == names


@pytest.mark.parametrize(
    ("cause", "cure"),
    [
        (an_event_waits, "UPDATE events SET number = 1"),
        (an_order_is_due, "UPDATE dispatches SET done_at = now()"),
        (a_start_is_missing, "UPDATE enrollments SET ended_at = started_at, leaving = 'stopped'"),
        (a_start_is_missing, "UPDATE dispatches SET done_at = now()"),
        (a_caller_never_came_back, "UPDATE sends SET state = 'accepted'"),
        (a_slot_passed, "UPDATE sends SET state = 'expired'"),
        (a_send_is_held, "UPDATE sends SET state = 'withdrawn'"),
        (a_task_is_due, "UPDATE tasks SET closed_at = due_at"),
    ],
)
async def test_what_was_cured_is_no_finding(bench: Bench, cause: Cause, cure: str) -> None:
    await cause(bench, 10 * DAY)
    assert (await look(bench)).findings != []

    await bench.change(cure)

    assert (await look(bench)).findings == []


async def test_failures_are_told_apart_by_their_rules_and_the_commonest_is_first(bench: Bench) -> None:
    for customer, rule in (("anna", "provider_refused"), ("boris", "render_failed"), ("clara", "render_failed")):
        await a_send(bench, "failed", HOUR, rule=rule, customer=customer)

    found = (await look(bench)).findings

    assert [(each.count, each.words.split(": ")[1]) for each in found] == [
        (2, "render failed"),
        (1, "provider refused"),
    ]


async def test_the_sandbox_is_nothing_to_remark_in_development(bench: Bench) -> None:
    await a_message_went_nowhere(bench, HOUR)

    assert (await look(bench, production=False)).findings == []


@pytest.mark.parametrize(("age", "names"), [(2 * HOUR, []), (timedelta(minutes=17281), ["sends_not_woken"])])
async def test_where_a_day_lasts_five_seconds_a_real_minute_of_lateness_is_still_no_finding(
    bench: Bench, age: timedelta, names: list[str]
) -> None:
    await bench.change("INSERT INTO clock (one, anchor, pace) VALUES (true, now(), 17280)")
    await a_slot_passed(bench, age)

    assert [each.name for each in (await look(bench)).findings] == names


# Up or down ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("answers", "names", "said"), [(True, [], "ok"), (False, ["temporal"], "down")])
async def test_temporal_is_asked_where_it_is_known(bench: Bench, answers: bool, names: list[str], said: str) -> None:
    async def temporal() -> bool:
        return answers

    found = await look(bench, temporal=temporal)

    assert ([each.name for each in found.findings], found.temporal) == (names, said)
    assert found.exit_code == len(names)


async def test_temporal_is_not_asked_where_nobody_knows_it(bench: Bench) -> None:
    assert (await look(bench)).temporal == "not asked"


@pytest.mark.parametrize("change", ["port", "database", "password"])
async def test_a_database_that_does_not_answer_is_broken(bench: Bench, change: str) -> None:
    wrong = {"port": free_port(), "database": "nobody_made_it", "password": "guessed"}[change]
    url = make_url(bench.database.url).set(**{change: wrong})  # type: ignore[arg-type]  # one of its parts
    database = Database(url.render_as_string(hide_password=False), pool_size=1)

    found = await Doctor(database, Watching(database, HEAD)).look()

    assert [(each.name, each.severity) for each in found.findings] == [("database", Severity.BROKEN)]
    assert (found.verdict, found.exit_code) == ("broken", 2)
    assert "guessed" not in found.findings[0].words
    await database.close()


@pytest.mark.parametrize("change", ["DROP TABLE alembic_version", "UPDATE alembic_version SET version_num = 'older'"])
async def test_another_schema_is_broken(own_bench: Bench, change: str) -> None:
    head = (await own_bench.rows("SELECT version_num FROM alembic_version"))[0]["version_num"]
    await own_bench.change(change)

    found = await Doctor(own_bench.database, Watching(own_bench.database, head)).look()

    assert ([each.name for each in found.findings], found.exit_code) == (["migrations"], 2)


async def test_a_table_that_is_gone_is_broken(own_bench: Bench) -> None:
    await own_bench.change("DROP TABLE sandbox_outbox, tasks")

    found = await look(own_bench)

    assert ([each.name for each in found.findings], found.exit_code) == (["database"], 2)


async def test_the_doctor_cannot_write(bench: Bench) -> None:
    async with bench.database.engine.connect() as connection:
        await health.only_look(connection)
        with pytest.raises(DBAPIError, match="read-only transaction"):
            await connection.execute(text("DELETE FROM events"))
