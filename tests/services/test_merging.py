"""Merging: two profiles become one person, with journeys walking and messages on their way (F44)."""

import asyncio
import json
import os
import random
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from activities.people import TaskRequest
from activities.walking import EndRequest, MissedRequest
from adapters.database import addresses, customers, webhooks
from adapters.database.connection import lock_customer, lock_customers
from domain.customers import Consent, ConsentStatus
from domain.errors import Conflict, NotFound
from domain.journeys import Ending, Outcome
from domain.messages import Channel
from domain.sends import SendState
from services.dispatch import Dispatcher
from services.timeline import Timeline
from tests.services.bench import NO_LIMITS, Bench
from tests.services.test_canary import Listening
from tests.services.test_erasing import dump
from tests.support.factories import STAFF, an_event

MERGES = int(os.environ.get("TROPA_MERGES", "100"))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def one_row(bench: Bench, customer_id: str) -> dict[str, object]:
    return (await bench.rows("SELECT * FROM customers WHERE customer_id = :id", id=customer_id))[0]


async def said(bench: Bench, customer_id: str) -> dict[str, ConsentStatus]:
    async with bench.database.transaction() as connection:
        row = await customers.by_company_id(connection, customer_id)
        assert row is not None
        return {scope: word.status for scope, word in (await customers.consents_of(connection, row["id"])).items()}


async def speaks(bench: Bench, customer_id: str, scope: str, status: ConsentStatus, age: timedelta) -> None:
    word = Consent(status=status, at=bench.clock.now() - age, source="test")
    async with bench.database.transaction() as connection:
        await customers.put_consent(connection, bench.ours[customer_id], scope, word)


# The profile and its past --------------------------------------------------------------------------------------------


async def test_the_survivors_values_win_and_gaps_are_filled(bench: Bench) -> None:
    await bench.a_customer("anna", phone=None, locale=None, attributes=json.dumps({"name": "Anna", "plan": "team"}))
    await bench.a_customer(
        "anja", phone="+15550101", locale="ru", attributes=json.dumps({"name": "Anja", "city": "Riga"})
    )

    await bench.merge("anna", "anja")

    now = await one_row(bench, "anna")
    assert (now["id"], now["email"], now["phone"]) == (bench.ours["anna"], "anna@example.com", "+15550101")
    assert (now["locale"], now["attributes"]) == ("ru", {"name": "Anna", "plan": "team", "city": "Riga"})
    assert await bench.rows("SELECT 1 FROM customers WHERE customer_id = 'anja'") == []


@pytest.mark.parametrize(
    ("mine", "theirs", "after"),
    [
        ((None, None), ("acme", "user"), ("acme", "user")),
        (("acme", None), ("acme", "user"), ("acme", "user")),
        (("acme", "buyer"), ("acme", "user"), ("acme", "buyer")),
        (("acme", None), ("other", "user"), ("acme", None)),
    ],
)
async def test_the_survivors_company_and_part_in_it_stay_and_owner_and_needs_fill_gaps(
    bench: Bench, mine: tuple[str, str], theirs: tuple[str, str], after: tuple[str, str]
) -> None:
    for name in ("acme", "other"):
        await bench.change(
            "INSERT INTO companies (id, company_id, name, created_at) VALUES (:n, :n, :n, :at)",
            n=name, at=bench.clock.now(),
        )  # fmt: skip
    needs = json.dumps({"need": "leads", "budget": 5})
    await bench.a_customer("anna", company=mine[0], buying_role=mine[1], needs=json.dumps({"budget": 7}))
    await bench.a_customer("anja", company=theirs[0], buying_role=theirs[1], needs=needs, owner="mira@acme.test")

    await bench.merge("anna", "anja")

    now = await one_row(bench, "anna")
    assert ((now["company"], now["buying_role"]), now["owner"]) == (after, "mira@acme.test")
    assert now["needs"] == {"need": "leads", "budget": 7}


@pytest.mark.parametrize(
    ("mine", "theirs", "frequency"),
    [
        ("weekly", "monthly", "monthly"),
        ("monthly", "weekly", "monthly"),
        (None, "weekly", "weekly"),
        (None, None, None),
    ],
)
async def test_of_what_both_chose_the_quieter_counts(
    bench: Bench, mine: str | None, theirs: str | None, frequency: str | None
) -> None:
    now = bench.clock.now()
    await bench.a_customer("anna", frequency=mine, snoozed_until=now + DAY, last_active_at=now - DAY)
    await bench.a_customer(
        "anja", frequency=theirs, snoozed_until=now + 2 * DAY, last_active_at=now - HOUR, trouble="complaint"
    )

    await bench.merge("anna", "anja")

    joined = await one_row(bench, "anna")
    assert (joined["frequency"], joined["trouble"]) == (frequency, "complaint")
    assert (joined["snoozed_until"], joined["last_active_at"]) == (now + 2 * DAY, now - HOUR)


async def test_the_addresses_of_both_are_theirs_but_one_chat(bench: Bench) -> None:
    now = bench.clock.now()
    kept = {
        "anna": [("telegram", "1", {}), ("web_push", "https://a", {"auth": "old"})],
        "anja": [("telegram", "2", {}), ("web_push", "https://a", {"auth": "new"}), ("web_push", "https://b", {})],
    }
    for person in kept:
        await bench.a_customer(person)
    async with bench.database.transaction() as connection:
        for later, (person, had) in enumerate(kept.items()):
            ours = bench.ours[person]
            for channel, address, keys in had:
                await addresses.add(connection, ours, channel, address, keys, now + later * HOUR)
        await addresses.heard(connection, bench.ours["anja"], "whatsapp", "+15550100", now)

    await bench.merge("anna", "anja")

    rows = await bench.rows("SELECT customer, channel, address, keys FROM addresses ORDER BY channel, address")
    assert {row["customer"] for row in rows} == {bench.ours["anna"]}
    assert [(row["channel"], row["address"], row["keys"]) for row in rows] == [
        ("telegram", "1", {}),
        ("web_push", "https://a", {"auth": "new"}),
        ("web_push", "https://b", {}),
        ("whatsapp", "+15550100", {}),
    ]


async def test_a_chat_fills_a_gap(bench: Bench) -> None:
    await bench.a_customer("anna")
    anja = await bench.a_customer("anja")
    async with bench.database.transaction() as connection:
        await addresses.add(connection, anja, "telegram", "2", {}, bench.clock.now())

    await bench.merge("anna", "anja")

    assert await bench.rows("SELECT customer, address FROM addresses") == [
        {"customer": bench.ours["anna"], "address": "2"}
    ]


async def test_what_was_told_of_the_merged_goes_when_they_are_erased(bench: Bench) -> None:
    await bench.a_customer("anna")
    anja = await bench.a_customer("anja")
    await bench.a_customer("boris")
    await bench.change(
        "INSERT INTO webhook_endpoints (id, url, secret, events) VALUES ('w', 'https://x', 's', '{told}')"
    )
    async with bench.database.transaction() as connection:
        for person in (anja, bench.ours["boris"]):
            await webhooks.queue(connection, "told", customer=person, at=bench.clock.now())

    await bench.merge("anna", "anja")
    await bench.erase("anja")

    left = await bench.rows("SELECT payload #>> '{data,customer_id}' AS of FROM webhook_deliveries")
    assert left == [{"of": "boris"}]


async def test_what_both_did_is_one_past_and_what_comes_under_either_id_is_theirs(bench: Bench) -> None:
    for person, orders in (("anna", 2), ("anja", 3)):
        await bench.a_customer(person)
        for _ in range(orders):
            await bench.does("order_placed", person)
    await bench.does("order_placed", "anja", project=False)

    await bench.merge("anna", "anja")
    await bench.does("order_placed", "anja")
    await bench.does("order_placed", "anna")

    now = await one_row(bench, "anna")
    assert (now["orders"], now["events"]) == (8, 9)  # the merge itself is an event
    numbers = await bench.rows("SELECT number FROM events WHERE customer = :id ORDER BY number", id=now["id"])
    assert [row["number"] for row in numbers] == list(range(1, 10))
    async with bench.database.transaction() as connection:
        page = await Timeline("UTC").read(connection, "anja", locale="en", cursor=None, limit=50)
    assert [entry.text for entry in page.entries].count("Placed an order") == 8
    assert "Another profile of the same person was joined to this one" in [entry.text for entry in page.entries]


async def test_chains_of_merges_end_at_one_person(bench: Bench) -> None:
    for person in ("a", "b", "c"):
        await bench.a_customer(person)

    await bench.merge("b", "a")
    await bench.merge("c", "b")
    await bench.does("order_placed", "a")
    await bench.does("order_placed", "b")

    assert (await one_row(bench, "c"))["orders"] == 2
    async with bench.database.transaction() as connection:
        known = await customers.ours(connection, ["a", "b", "c"])
        locked = [await lock_customer(connection, bench.ours[person]) for person in ("a", "b", "c")]
    assert set(known.values()) == {bench.ours["c"]} == set(locked)


async def test_merged_again_nothing_changes(bench: Bench) -> None:
    for person in ("anna", "anja"):
        await bench.a_customer(person)
    await bench.merge("anna", "anja")
    first = await dump(bench)

    await bench.merge("anna", "anja")
    await bench.merge("anja", "anna")

    assert await dump(bench) == first


async def test_into_themselves_into_nobody_or_with_somebody_erased_is_refused(bench: Bench) -> None:
    for person in ("anna", "gone"):
        await bench.a_customer(person)
    await bench.erase("gone")

    for into, other, problem in (
        ("anna", "anna", Conflict),
        ("anna", "nobody", NotFound),
        ("anna", "gone", Conflict),
        ("gone", "anna", Conflict),
        ("anna", f"erased:{bench.ours['gone']}", Conflict),
    ):
        with pytest.raises(problem):
            await bench.merge(into, other)


async def test_erasing_the_merged_erases_both_ids(bench: Bench) -> None:
    for person in ("anna", "canary"):
        await bench.a_customer(person, email=f"{person}@example.com")
        await bench.does("looked", person, comment=person)
    await bench.merge("anna", "canary")

    await bench.erase("canary")
    await bench.does("looked", "canary", at=bench.clock.now() - HOUR)

    left = "\n".join((await dump(bench)).values())
    assert "canary" not in left
    assert "anna@example.com" not in left
    closed = await bench.rows("SELECT count(*) AS count FROM suppressions WHERE channel = 'email'")
    assert closed == [{"count": 1}]  # the other address was given up at the merge, and nothing was ever sent to it


# Consent -------------------------------------------------------------------------------------------------------------


async def test_the_strictest_word_of_both_counts(bench: Bench) -> None:
    for person in ("anna", "anja"):
        await bench.a_customer(person, consent=False)
    await speaks(bench, "anna", "email", ConsentStatus.GRANTED, HOUR)
    await speaks(bench, "anja", "email", ConsentStatus.DENIED, DAY)
    await speaks(bench, "anja", "sms", ConsentStatus.GRANTED, DAY)

    await bench.merge("anna", "anja")

    assert await said(bench, "anna") == {"email": ConsentStatus.DENIED, "sms": ConsentStatus.GRANTED}


async def test_whoever_refused_everything_refused_it_for_both(bench: Bench) -> None:
    walk = await bench.a_walk("anna")
    await bench.a_customer("anja")
    await bench.does("opted_out", "anja")

    await bench.merge("anna", "anja")

    assert await bench.rows("SELECT leaving FROM enrollments WHERE id = :id", id=walk) == [{"leaving": "opted_out"}]
    assert (await bench.send(walk, customer="anna")).state is SendState.WITHDRAWN
    assert bench.email.calls == []


# Journeys in flight --------------------------------------------------------------------------------------------------


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


# Visitors ------------------------------------------------------------------------------------------------------------


async def identify(bench: Bench, customer_id: str, visitor: str) -> None:
    async with bench.database.transaction() as connection:
        await bench.merging.identify(connection, customer_id, visitor, actor=STAFF)


async def test_a_visitor_who_gives_a_name_brings_their_visits_before_and_after(bench: Bench) -> None:
    await bench.a_customer("anna")
    await bench.does("looked", "visitor-1")

    await identify(bench, "anna", "visitor-1")
    await bench.does("looked", "visitor-1")
    await identify(bench, "anna", "visitor-1")

    names = await bench.rows("SELECT name FROM events WHERE customer = :id ORDER BY number", id=bench.ours["anna"])
    assert sorted(row["name"] for row in names) == ["identified", "looked", "looked"]


async def test_either_may_be_new(bench: Bench) -> None:
    await identify(bench, "anna", "visitor-1")
    await bench.does("looked", "visitor-1")

    assert [row["customer_id"] for row in await bench.rows("SELECT customer_id FROM customers")] == ["anna"]
    assert (await one_row(bench, "anna"))["events"] == 2


async def test_a_shared_computer_joins_nobody(bench: Bench) -> None:
    for person in ("anna", "boris"):
        await bench.a_customer(person)
    await identify(bench, "anna", "visitor-1")

    for customer, visitor in (("boris", "visitor-1"), ("boris", "anna"), ("anna", "anna")):
        with pytest.raises(Conflict):
            await identify(bench, customer, visitor)

    assert len(await bench.rows("SELECT 1 FROM customers")) == 2


async def test_somebody_erased_is_not_recognized(bench: Bench) -> None:
    await bench.a_customer("anna")
    await bench.erase("anna")

    with pytest.raises(Conflict, match="erased"):
        await identify(bench, "anna", "visitor-1")

    assert await bench.rows("SELECT 1 FROM customers WHERE customer_id IN ('anna', 'visitor-1')") == []
