"""Merging: two profiles become one person, with one past and the strictest word of both (F44)."""

import json
from datetime import timedelta

import pytest

from adapters.database import addresses, customers, webhooks
from adapters.database.connection import lock_customer
from domain.customers import Consent, ConsentStatus
from domain.errors import Conflict, NotFound
from domain.sends import SendState
from services.timeline import Timeline
from tests.services.bench import Bench
from tests.services.test_erasing import dump

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
