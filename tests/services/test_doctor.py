"""`tropa doctor`: each finding is there when its cause is, and only then."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from adapters.database import health
from adapters.database.connection import Database
from services.doctor import Doctor
from services.findings import Diagnosis, Severity
from services.watching import TemporalHealth, Watching
from tests.services.bench import Bench
from tests.services.causes import (
    CAUSES,
    DAY,
    HOUR,
    Cause,
    a_caller_never_came_back,
    a_message_went_nowhere,
    a_pool_runs_low,
    a_send,
    a_send_is_held,
    a_slot_passed,
    a_start_is_missing,
    a_task_is_due,
    an_event_waits,
    an_order_is_due,
)
from tropa.embedded.ports import free_port

HEAD = "0001"


async def look(bench: Bench, *, production: bool = False, temporal: TemporalHealth | None = None) -> Diagnosis:
    head = (await bench.rows("SELECT version_num FROM alembic_version"))[0]["version_num"]
    watching = Watching(bench.database, head, temporal)
    return await Doctor(bench.database, watching, production=production, clock=bench.clock).look()


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
        (a_start_is_missing, "UPDATE enrollments SET run_id = 'a run'"),
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


@pytest.mark.parametrize(("given_ago", "names"), [(6 * DAY, ["low_pools"]), (8 * DAY, [])])
async def test_a_pool_that_would_not_last_another_week_is_told_by_its_name(
    bench: Bench, given_ago: timedelta, names: list[str]
) -> None:
    await a_pool_runs_low(bench, given_ago)

    found = (await look(bench)).findings

    assert [each.name for each in found] == names
    assert [(each.count, each.words.partition(": ")[2], each.oldest) for each in found] == [
        (1, "spring_sale, with 1 left", None) for _ in names
    ]


async def test_an_empty_pool_is_told_at_once(bench: Bench) -> None:
    await a_pool_runs_low(bench, 8 * DAY)
    await bench.change("DELETE FROM offer_codes WHERE given_at IS NULL")

    assert [each.words.partition(": ")[2] for each in (await look(bench)).findings] == ["spring_sale, with 0 left"]


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


async def test_f53_a_database_that_only_reads_is_broken(own_bench: Bench) -> None:
    name = own_bench.database.engine.url.database
    await own_bench.change(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    await own_bench.database.engine.dispose()

    found = await Doctor(own_bench.database, Watching(own_bench.database, HEAD)).look()

    assert ([each.name for each in found.findings], found.exit_code) == (["database_read_only"], 2)


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
