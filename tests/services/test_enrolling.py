"""Enrolling by hand, and what staff do to an enrollment."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import RowMapping

from domain.errors import Conflict, EnrollmentRefused, InvalidInput, NotFound
from domain.sends import SendState
from tests.services.bench import NO_LIMITS, Bench
from tests.support.factories import STAFF, SettableClock
from tropa.wiring import House


async def enroll(bench: Bench, journey: str = "Trial", *, about: str = "", customer: str = "anna") -> RowMapping:
    async with bench.database.transaction() as connection:
        return await bench.enrolling.enroll(connection, journey, customer, about=about, options={}, actor=STAFF)


async def command(bench: Bench, name: str, walk: str) -> RowMapping:
    said = {"reason": "they asked"} if name == "leave" else {}
    async with bench.database.transaction() as connection:
        found: RowMapping = await getattr(bench.enrolling, name)(connection, walk, actor=STAFF, **said)
    return found


async def test_enrolling_starts_a_walk_and_says_who_did_it(bench: Bench) -> None:
    await bench.a_customer()

    row = await enroll(bench)

    assert (row["journey"], row["cause"], row["started_at"]) == ("Trial", "staff", bench.clock.now())
    assert await bench.dispatched(row["id"]) == ["start"]
    assert await bench.words(enrollment=row["id"]) == ["Entered Trial: staff"]


async def test_fifty_enrollings_at_once_are_one_walk_and_forty_nine_refusals(bench: Bench) -> None:
    await bench.a_customer()

    results = await asyncio.gather(*(enroll(bench) for _ in range(50)), return_exceptions=True)

    refused = [each for each in results if isinstance(each, EnrollmentRefused)]
    assert (len(refused), {each.rule for each in refused}) == (49, {"already_walking"})
    assert await bench.rows("SELECT count(*) AS n FROM enrollments") == [{"n": 1}]


async def test_enrolling_races_the_event_that_starts_the_same_journey(bench: Bench) -> None:
    await bench.a_customer()

    results = await asyncio.gather(
        *(enroll(bench) for _ in range(10)),
        *(bench.does("trial_started") for _ in range(10)),
        return_exceptions=True,
    )
    await bench.project()  # a refused enrolling takes back what it applied, and others found the lock taken

    assert [
        each for each in results if isinstance(each, BaseException) and not isinstance(each, EnrollmentRefused)
    ] == []
    assert await bench.rows("SELECT count(*) AS n FROM enrollments") == [{"n": 1}]


@pytest.mark.parametrize(
    ("journey", "about", "customer", "error", "said"),
    [
        ("Nowhere", "", "anna", NotFound, "no journey 'Nowhere'"),
        ("Trial", "", "nobody", NotFound, "no customer 'nobody'"),
        ("Cart", "", "anna", InvalidInput, "about: Cart is about a cart; say which"),
        ("Trial", "c1", "anna", InvalidInput, "about: Trial is not about any one thing"),
    ],
)
async def test_a_wrong_enrolling_says_what_is_wrong(
    bench: Bench, journey: str, about: str, customer: str, error: type[Exception], said: str
) -> None:
    await bench.a_customer()

    with pytest.raises(error, match=said):
        await enroll(bench, journey, about=about, customer=customer)

    assert await bench.rows("SELECT id FROM enrollments") == []


async def test_wrong_options_are_all_named_and_right_ones_are_kept_with_the_defaults(
    house: House, clock: SettableClock
) -> None:
    async with house.database.transaction() as connection:
        await connection.exec_driver_sql("INSERT INTO customers (customer_id, first_seen_at) VALUES ('anna', now())")

    async def enrolled(options: dict[str, object]) -> RowMapping:
        async with house.database.transaction() as connection:
            return await house.enrolling.enroll(
                connection, "WelcomeChain", "anna", about="", options=options, actor=STAFF
            )

    with pytest.raises(InvalidInput) as raised:
        await enrolled({"basics_on_day": "31 days", "colour": "red", "starts_on": ["signed_up"]})
    assert any("starts_on" in problem for problem in raised.value.problems)
    with pytest.raises(InvalidInput) as raised:
        await enrolled({"basics_on_day": "31 days", "colour": "red"})
    assert len(raised.value.problems) == 2
    assert (await enrolled({"basics_on_day": "36 hours"}))["options"] == {
        "basics_on_day": "36 hours",
        "question_on_day": "5 days",
        "help_on_day": "7 days",
        "goodbye_on_day": "10 days",
    }


async def test_who_opted_out_of_everything_cannot_be_enrolled(bench: Bench) -> None:
    await bench.a_customer()
    await bench.does("opted_out", project=False)

    with pytest.raises(EnrollmentRefused, match="the customer opted out of everything"):
        await enroll(bench)


async def test_leaving_ends_the_walk_withdraws_its_sends_and_cancels(bench: Bench) -> None:
    walk = await bench.a_walk()
    await command(bench, "pause", walk)
    await bench.send(walk)

    row = await command(bench, "leave", walk)

    assert (row["leaving"], row["outcome"], row["ended_at"]) == ("stopped", None, bench.clock.now())
    assert (await bench.ledger(walk))["state"] == "withdrawn"
    assert await bench.dispatched(walk) == ["start", "cancel"]
    assert "Stopped by staff: they asked" in await bench.words(enrollment=walk)


async def test_leaving_twice_changes_nothing_the_second_time(bench: Bench) -> None:
    walk = await bench.a_walk()
    first = await command(bench, "leave", walk)
    bench.clock.pass_(timedelta(hours=1))

    assert dict(await command(bench, "leave", walk)) == dict(first)
    assert await bench.dispatched(walk) == ["start", "cancel"]


async def test_leaving_what_reached_its_goal_keeps_the_goal(bench: Bench) -> None:
    walk = await bench.a_walk()
    await bench.does("bought")

    assert (await command(bench, "leave", walk))["outcome"] == "converted"
    assert await bench.dispatched(walk) == ["start", "ended"]


async def test_a_goal_accepted_before_the_leaving_counts_first(bench: Bench) -> None:
    walk = await bench.a_walk()
    await bench.does("bought", project=False)

    assert (await command(bench, "leave", walk))["outcome"] == "converted"


@pytest.mark.parametrize("name", ["pause", "resume"])
async def test_what_has_ended_can_be_neither_paused_nor_resumed(bench: Bench, name: str) -> None:
    walk = await bench.a_walk()
    await bench.does("bought")

    with pytest.raises(Conflict, match="has ended: converted"):
        await command(bench, name, walk)


@pytest.mark.parametrize("name", ["pause", "resume", "leave"])
async def test_an_unknown_enrollment_is_not_found(bench: Bench, name: str) -> None:
    with pytest.raises(NotFound):
        await command(bench, name, "enr_unknown")


async def test_pausing_twice_and_resuming_twice_say_so_once(bench: Bench) -> None:
    walk = await bench.a_walk()

    for name in ("pause", "pause", "resume", "resume"):
        await command(bench, name, walk)

    assert await bench.words(enrollment=walk) == ["Paused by staff", "Resumed by staff"]
    assert await bench.dispatched(walk) == ["start"]  # nothing was held, so nothing is released


async def test_a_goal_ends_a_paused_walk(bench: Bench) -> None:
    walk = await bench.a_walk()
    await command(bench, "pause", walk)
    await bench.does("bought")

    assert await bench.dispatched(walk) == ["start", "ended"]


async def test_no_call_begins_after_a_pause_however_they_race(bench: Bench) -> None:
    bench = bench.with_policy(NO_LIMITS)
    walks = [await bench.a_walk(f"c{n}") for n in range(40)]

    async def pause_and_count(n: int) -> int:
        await asyncio.sleep(n / 200)
        await command(bench, "pause", walks[n])
        return sum(call.letter.to == f"c{n}@example.com" for call in bench.email.calls)

    sending = asyncio.gather(*(bench.send(walk, customer=f"c{n}") for n, walk in enumerate(walks)))
    await asyncio.gather(*(pause_and_count(n) for n in range(len(walks))))
    results = await sending

    assert {each.state for each in results} <= {SendState.ACCEPTED, SendState.HELD}
    held = [n for n, each in enumerate(results) if each.state is SendState.HELD]
    assert [n for n in held if any(call.letter.to == f"c{n}@example.com" for call in bench.email.calls)] == []
