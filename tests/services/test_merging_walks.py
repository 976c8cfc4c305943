"""Merging while journeys walk and messages are on their way: whose walk goes on, and what counts for both (F44)."""

from datetime import timedelta

import pytest

from activities.people import TaskRequest
from activities.walking import EndRequest, MissedRequest
from domain.errors import NotFound
from domain.journeys import Ending, Outcome
from domain.messages import Channel
from domain.sends import SendState
from services.dispatch import Dispatcher
from tests.services.bench import NO_LIMITS, Bench
from tests.services.test_canary import Listening

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def test_of_two_walks_of_one_journey_the_younger_leaves_and_others_move(bench: Bench) -> None:
    older = await bench.a_walk("anna")
    bench.clock.pass_(HOUR)
    younger = await bench.a_walk("anja")
    cart = await bench.a_walk("anja", "Cart", "C-1")
    other_cart = await bench.a_walk("anna", "Cart", "C-2")

    await bench.merge("anna", "anja")

    rows = {row["id"]: row for row in await bench.rows("SELECT id, customer, leaving FROM enrollments")}
    assert {row["customer"] for row in rows.values()} == {bench.ours["anna"]}
    assert rows[younger]["leaving"] == "merged"
    assert [rows[walk]["leaving"] for walk in (older, cart, other_cart)] == [None] * 3
    assert await bench.dispatched(younger) == ["start", "cancel"]
    assert await bench.words(enrollment=younger) == [
        "Left: two profiles of the customer were joined, and the other one walks it already"
    ]


async def test_the_one_who_began_first_walks_on_whichever_profile_that_was(bench: Bench) -> None:
    older = await bench.a_walk("anja")
    bench.clock.pass_(HOUR)
    await bench.a_walk("anna")

    await bench.merge("anna", "anja")

    open_ = await bench.rows("SELECT id, customer FROM enrollments WHERE ended_at IS NULL")
    assert open_ == [{"id": older, "customer": bench.ours["anna"]}]


async def test_a_moved_walk_goes_on_by_the_id_that_it_began_with(bench: Bench) -> None:
    bench = bench.with_policy(NO_LIMITS)
    walk = await bench.a_walk("anja")
    await bench.a_customer("anna")
    old = bench.ours["anja"]

    await bench.merge("anna", "anja")
    sent = await bench.send(walk, customer="anja")
    facts = await bench.walking.facts(old)
    due = bench.clock.now() + DAY
    task = TaskRequest(enrollment=walk, customer=old, name="offer_help", visit=1, due_at=due)
    with pytest.raises(NotFound):  # the tests' own journey has no task; it looked for the customer before that
        await bench.people.create_task(task, started=bench.clock.now())
    ended = EndRequest(enrollment=walk, customer=old, ending=Ending(outcome=Outcome.LAPSED))

    assert sent.state is SendState.ACCEPTED
    assert (await bench.ledger(walk))["customer"] == bench.ours["anna"]
    assert bench.email.calls[0].letter.to == "anna@example.com"
    assert facts.reachable == (Channel.EMAIL, Channel.SMS, Channel.WHATSAPP)
    assert (await bench.walking.end(ended)).outcome is Outcome.LAPSED


async def test_a_goal_under_either_id_ends_a_walk_of_either(bench: Bench) -> None:
    await bench.a_walk("anna", "Cart", "C-1")
    await bench.a_walk("anja", "Cart", "C-2")
    await bench.merge("anna", "anja")

    await bench.does("bought", "anja", about="C-1")
    await bench.does("bought", "anna", about="C-2")

    assert [row["outcome"] for row in await bench.rows("SELECT outcome FROM enrollments")] == ["converted"] * 2


async def test_catching_up_a_walk_reads_its_own_past_and_what_came_since_and_no_other(bench: Bench) -> None:
    await bench.does("looked", "anja", product="long ago")
    await bench.does("looked", "anna", product="long ago, too")
    for person in ("anja", "anna"):
        await bench.does("trial_started", person)
    await bench.does("looked", "anja", product="seen by anja")
    await bench.a_customer("anja")
    walks = {r["customer_id"]: r["id"] for r in await bench.rows(
        "SELECT c.customer_id, e.id FROM enrollments e JOIN customers c ON c.id = e.customer")}  # fmt: skip
    await bench.change("UPDATE enrollments SET about = id")  # so that both walk on
    await bench.merge("anna", "anja")
    await bench.does("looked", "anna", product="since")

    async def missed(person: str) -> list[object]:
        found = MissedRequest(enrollment=walks[person], customer=bench.ours["anja"], after=0)
        return [each.properties["product"] for each in await bench.walking.missed(found)]

    assert await missed("anja") == [bench.surrogates.of("seen by anja"), bench.surrogates.of("since")]
    assert await missed("anna") == [bench.surrogates.of("since")]


async def test_a_walk_not_yet_started_starts_as_the_survivors(bench: Bench) -> None:
    await bench.a_walk("anja")
    await bench.a_customer("anna")
    await bench.merge("anna", "anja")
    walking = Listening()
    dispatcher = Dispatcher(bench.database, walking, bench.catalogue, bench.surrogates, bench.pace)

    await dispatcher.dispatch_some()

    assert f"customer='{bench.ours['anna']}'" in walking.told[0]


# Limits --------------------------------------------------------------------------------------------------------------


async def test_touches_of_both_count(bench: Bench) -> None:
    first, second = await bench.a_walk("anna"), await bench.a_walk("anja", "Trial", "other")
    await bench.send(first, customer="anna")
    await bench.merge("anna", "anja")

    waiting = await bench.send(second, customer="anja")

    assert (waiting.state, waiting.rule) == (SendState.DEFERRED, "gap")


async def test_a_slot_reserved_before_the_merge_is_asked_for_again(bench: Bench) -> None:
    first, second = await bench.a_walk("anna"), await bench.a_walk("anja", "Trial", "other")

    async def meanwhile() -> None:
        bench.email.on_connecting = None
        await bench.send(first, customer="anna")
        await bench.merge("anna", "anja")

    bench.email.on_connecting = meanwhile
    waits = await bench.send(second, customer="anja")
    again = await bench.send(second, customer="anja")

    assert (waits.state, waits.rule) == (SendState.DEFERRED, "merged")
    assert (again.state, again.rule) == (SendState.DEFERRED, "gap")
    assert len(bench.email.calls) == 1


async def test_a_merge_during_a_call_keeps_its_answer(bench: Bench) -> None:
    await bench.a_customer("anna")
    walk = await bench.a_walk("anja")
    bench.email.during = lambda: bench.merge("anna", "anja")

    result = await bench.send(walk, customer="anja")

    assert result.state is SendState.ACCEPTED
    row = await bench.ledger(walk)
    assert (row["state"], row["customer"]) == ("accepted", bench.ours["anna"])
    told = await bench.rows("SELECT DISTINCT customer FROM decisions")
    assert told == [{"customer": bench.ours["anna"]}]
