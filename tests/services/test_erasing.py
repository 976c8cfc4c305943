"""Erasing: journeys stop, nothing is sent any more, no personal word is left, and none comes back by itself."""

import asyncio
import json
import logging
import os
import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from adapters.channels.sandbox import SandboxGateway
from adapters.database import addresses, crm_updates, customers, webhooks
from domain.customers import Consent, ConsentStatus
from domain.deals import Deal, DealStatus
from domain.errors import Conflict, NotFound
from domain.messages import Channel
from domain.sends import SendState
from domain.tasks import TaskCause, TaskOutcome
from services.customers import Change, Customers
from services.deals import Deals
from services.notes import Notes
from services.tasks import NewTask
from tests.services.bench import NO_LIMITS, Bench
from tests.support.factories import STAFF, an_event
from tests.support.providers import UNKNOWN

TIMES = int(os.environ.get("TROPA_ERASURES", "200"))
CANARY, PHONE = "canary", "15550987"
WHO = f"{CANARY}@example.com"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def dump(bench: Bench) -> dict[str, str]:
    """Every row of every table as text, bytes in hexadecimal."""
    tables = await bench.rows("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'")
    return {
        table["name"]: "\n".join(
            row["row"] for row in await bench.rows(f'SELECT t::text AS row FROM "{table["name"]}" t')
        )
        for table in tables
    }


def singing(said: Iterable[tuple[str, str]]) -> list[str]:
    songs = [CANARY, PHONE, CANARY.encode().hex(), PHONE.encode().hex()]
    return [name for name, words in said if any(song in words.casefold() for song in songs)]


async def a_life(bench: Bench) -> list[str]:
    """Somebody who leaves words everywhere. Answers their enrollments."""
    await bench.a_customer(
        WHO, email=WHO, phone=f"+{PHONE}", locale="en", attributes=json.dumps({"first_name": CANARY, CANARY: PHONE})
    )
    now = bench.clock.now()
    said: dict[str, Any] = {"comment": f"{CANARY} {PHONE}", "product": CANARY}
    for name in ("trial_started", "cart_left", "looked", "replied"):
        await bench.does(name, WHO, event_id=f"{CANARY}-{name}", about=f"{CANARY} {PHONE}", source=CANARY, **said)
    walks = [row["id"] for row in await bench.rows("SELECT id FROM enrollments ORDER BY journey")]
    await bench.send(walks[1], "note", visit=1, customer=WHO)
    await bench.send(walks[1], "note", visit=2, customer=WHO)  # waits for the gap
    await bench.send(walks[1], "receipt", customer=WHO)
    await bench.change(
        """INSERT INTO sandbox_outbox (send, at, channel, recipient, subject, html, text)
           SELECT id, :now, 'email', recipient, :song, :song, :song FROM sends WHERE state = 'accepted'""",
        now=now, song=CANARY,
    )  # fmt: skip
    await bench.change(
        """INSERT INTO tasks (id, customer, enrollment, name, title, text, created_at, due_at)
           VALUES (gen_random_uuid(), :customer, :walk, 'call', :song, :song, :now, :now)""",
        customer=bench.ours[WHO], walk=walks[0], now=now, song=f"Call {CANARY}",
    )  # fmt: skip
    await bench.change("INSERT INTO api_keys (id, name, digest, scopes) VALUES ('k', 'shop', 'x', '{}')")
    for key, body in {"1": {"customer_id": WHO, "id": "x"}, CANARY: {"id": walks[0], "cause": CANARY}}.items():
        await bench.change(
            """INSERT INTO idempotency_keys (api_key, key, digest, status, body)
               VALUES ('k', :key, 'x', 200, cast(:body AS jsonb))""",
            key=key, body=json.dumps(json.dumps(body)),
        )  # fmt: skip
    for channel, address in (("telegram", PHONE), ("web_push", f"https://push.example/{CANARY}")):
        async with bench.database.transaction() as connection:
            await addresses.add(connection, bench.ours[WHO], channel, address, {"auth": CANARY}, now)
    await bench.change(
        "UPDATE consents SET wording = :song, proof = :song WHERE customer = :id", song=CANARY, id=bench.ours[WHO]
    )
    await bench.change(
        "UPDATE sends SET links = ARRAY[:song] WHERE state = 'accepted'", song=f"https://x.example/{CANARY}"
    )
    await bench.change(
        """INSERT INTO hits (send, kind, number, sign, at)
           SELECT id, 'open', 0, 'canary', :now FROM sends WHERE state = 'accepted'""",
        now=now,
    )
    await bench.change(
        "UPDATE customers SET frequency = 'weekly', snoozed_until = :now, trouble = 'complaint' WHERE id = :id",
        now=now, id=bench.ours[WHO],
    )  # fmt: skip
    await bench.change(
        "INSERT INTO webhook_endpoints (id, url, secret, events) VALUES ('w', 'https://x', 's', '{journey.ended}')"
    )
    async with bench.database.transaction() as connection:
        await webhooks.queue(connection, "journey.ended", customer=bench.ours[WHO], at=now)
        await bench.enrolling.leave(connection, walks[0], reason=f"{CANARY} called", actor=STAFF)
    await a_seller_knows(bench, walks[1])
    await bench.ingest.accept([an_event("opted_out", WHO, at=now, channel="sms", reason=CANARY, source=CANARY)])
    await bench.ingest.accept([an_event("looked", WHO, at=now, event_id=f"{CANARY}-waits", product=CANARY)])
    await bench.change("UPDATE events SET quarantined = 'ValueError', number = NULL WHERE name = 'replied'")
    return walks


async def a_seller_knows(bench: Bench, walk: str) -> None:
    """All that people write down about somebody: needs, deal, note, tasks with their endings, words to the staff."""
    clock, ours, now = bench.clock, bench.ours[WHO], bench.clock.now()
    await bench.change("INSERT INTO companies (company_id, name, created_at) VALUES ('acme', 'Acme', :now)", now=now)
    await bench.change(
        """UPDATE customers SET needs = cast(:needs AS jsonb), owner = 'mira@acme.test', buying_role = 'user',
               company = (SELECT id FROM companies) WHERE id = :id""",
        needs=json.dumps({"need": CANARY}), id=ours,
    )  # fmt: skip
    new = NewTask(
        id=uuid4(), name="call", cause=TaskCause.STAFF, title=CANARY, text=CANARY, due_at=now, enrollment=walk
    )
    async with bench.database.transaction() as connection:
        deal = Deal(deal_id=f"deal of {CANARY}", pipeline="sales", stage="lost", status=DealStatus.LOST)
        await Deals(clock).put(connection, WHO, replace(deal, lost_reason=CANARY), actor=STAFF)
        await Notes(clock).add(connection, WHO, f"{CANARY} likes tea", author=STAFF)
        await bench.tasks.create(connection, WHO, new, actor=STAFF)
        await bench.tasks.create(connection, WHO, replace(new, id=uuid4()), actor=STAFF)
        await bench.tasks.close(connection, new.id, TaskOutcome.DONE, CANARY, actor=STAFF)
        await crm_updates.insert(connection, uuid4(), ours, walk, {"stage": CANARY}, now)
    await bench.tasks.escalate_some()


async def test_no_word_of_somebody_erased_is_left_in_any_table_or_log(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await bench.a_walk("boris")
    await a_life(bench)
    before = await dump(bench)
    boris = await bench.rows("SELECT * FROM customers WHERE customer_id = 'boris'")

    await bench.erase(WHO)

    assert set(singing(before.items())) >= {
        "customers", "consents", "events", "sends", "decisions", "tasks", "enrollments", "sandbox_outbox",
        "idempotency_keys", "addresses", "hits", "webhook_deliveries", "deals", "notes", "notices", "crm_updates",
    }  # fmt: skip
    assert singing((await dump(bench)).items()) == []
    assert singing((record.name, record.getMessage()) for record in caplog.records) == []
    assert await bench.rows("SELECT * FROM customers WHERE customer_id = 'boris'") == boris
    assert await bench.rows("SELECT customer FROM erasures") == [{"customer": bench.ours[WHO]}]


async def test_what_stays_are_counts_and_times_without_words(bench: Bench) -> None:
    await a_life(bench)
    before = await bench.rows("SELECT name, occurred_at FROM events ORDER BY name, occurred_at")
    sent = await bench.rows("SELECT id, message, state FROM sends ORDER BY id")

    await bench.erase(WHO)

    assert await bench.rows("SELECT name, occurred_at FROM events ORDER BY name, occurred_at") == before
    assert [row["message"] for row in await bench.rows("SELECT message FROM sends ORDER BY id")] == [
        row["message"] for row in sent
    ]
    assert await bench.project() == 0
    kept = (await bench.rows("SELECT customer_id, email, attributes, events, erased_at FROM customers"))[0]
    assert kept == {
        "customer_id": f"erased:{bench.ours[WHO]}", "email": None, "attributes": {}, "events": 12,
        "erased_at": bench.clock.now(),
    }  # fmt: skip


async def test_what_they_chose_goes_and_every_address_is_closed(bench: Bench) -> None:
    await a_life(bench)

    await bench.erase(WHO)

    chosen = "frequency, snoozed_until, trouble, last_active_at, preferred_channel, owner, company, buying_role"
    assert set((await bench.rows(f"SELECT {chosen} FROM customers"))[0].values()) == {None}
    written = {("telegram", PHONE), ("web_push", f"https://push.example/{CANARY}"), ("email", WHO)}
    closed = await bench.rows("SELECT channel, address_key FROM suppressions WHERE reason = 'erased'")
    assert {(row["channel"], row["address_key"]) for row in closed} >= {
        (channel, bench.surrogates.address(channel, address)) for channel, address in written
    }


async def test_a_letter_of_somebody_erased_counts_no_opens_and_its_links_lead_nowhere(bench: Bench) -> None:
    walk = await bench.a_walk()
    await bench.send(walk)
    send = bench.email.calls[0].letter.send_id
    await bench.erase()

    await bench.tracking.opened(bench.links.open(send).rpartition("/")[2].removesuffix(".gif"), {})
    with pytest.raises(NotFound):
        await bench.tracking.read(bench.links.click(send, 0).rpartition("/")[2])

    assert await bench.rows("SELECT 1 FROM hits") == []


async def test_journeys_end_as_erased_their_sends_are_withdrawn_and_temporal_is_told(bench: Bench) -> None:
    walk = await bench.a_walk()
    await bench.send(walk, visit=1)
    await bench.send(walk, visit=2)  # waits for the gap

    await bench.erase()

    assert await bench.rows("SELECT leaving FROM enrollments") == [{"leaving": "erased"}]
    assert await bench.dispatched(walk) == ["start", "cancel"]
    states = await bench.rows("SELECT state FROM sends ORDER BY visit")
    assert [row["state"] for row in states] == ["accepted", "withdrawn"]
    assert (await bench.send(walk, visit=3)).rule == "erased"
    assert len(bench.email.calls) == 1


async def test_erased_again_it_stays_as_it_is(bench: Bench) -> None:
    await bench.a_walk()
    await bench.erase()
    first = await dump(bench)

    bench.clock.pass_(DAY)
    await bench.erase()

    assert await dump(bench) == first


async def test_nobody_unknown_is_erased(bench: Bench) -> None:
    with pytest.raises(NotFound):
        await bench.erase("nobody")


async def test_somebody_only_told_of_and_not_yet_projected_is_erased(bench: Bench) -> None:
    await bench.does("trial_started", WHO, project=False, comment=CANARY, event_id=CANARY)

    await bench.erase(WHO)

    assert await bench.project() == 0
    assert singing((await dump(bench)).items()) == []
    assert await bench.rows("SELECT 1 FROM enrollments") == []


async def test_an_event_that_cannot_be_applied_does_not_stand_in_the_way(bench: Bench) -> None:
    await bench.a_customer(WHO)
    await bench.does("looked", WHO, project=False, comment=CANARY)
    await bench.change("UPDATE events SET properties = cast(:n AS jsonb)", n='{"n": 1e400}')

    await bench.erase(WHO)

    assert singing((await dump(bench)).items()) == []


# Coming back ---------------------------------------------------------------------------------------------------------


@pytest.fixture
async def erased(bench: Bench) -> Bench:
    """Anna was erased an hour ago."""
    await bench.a_walk("anna")
    await bench.does("looked", event_id="looked-1", at=bench.clock.now() - DAY)
    await bench.erase("anna")
    bench.clock.pass_(HOUR)
    return bench


OLD: dict[str, dict[str, Any]] = {
    "happened before": {"at": -2 * HOUR, "received": timedelta(0)},
    "was received before": {"at": HOUR, "received": -2 * HOUR},
    "an import": {"source": "import"},
    "a repeat without its time": {"event_id": "looked-1"},
}


@pytest.mark.parametrize("details", OLD.values(), ids=OLD.keys())
async def test_old_news_brings_nobody_back(erased: Bench, details: dict[str, Any]) -> None:
    now = erased.clock.now()
    said: dict[str, Any] = {
        key: now + value if isinstance(value, timedelta) else value for key, value in details.items()
    }

    await erased.does("trial_started", comment=CANARY, **said)

    assert await erased.rows("SELECT 1 FROM customers WHERE erased_at IS NULL") == []
    assert singing((await dump(erased)).items()) == []
    assert await erased.rows("SELECT 1 FROM events WHERE customer_id = 'anna'") == []


async def test_a_late_opt_out_brings_nobody_back(erased: Bench) -> None:
    await erased.does("opted_out", at=erased.clock.now() - 3 * HOUR)

    assert await erased.rows("SELECT 1 FROM customers WHERE erased_at IS NULL") == []


async def test_a_profile_is_refused(erased: Bench) -> None:
    known = Customers(erased.clock, erased.restrictions)
    with pytest.raises(Conflict, match="does not come back"):
        async with erased.database.transaction() as connection:
            await known.replace(connection, "anna", Change(columns={"email": "anna@example.com"}))


async def test_whoever_really_comes_back_is_somebody_new_without_a_past_and_without_a_yes(erased: Bench) -> None:
    before = erased.ours["anna"]
    await erased.does("trial_started")
    await erased.does("looked", at=erased.clock.now() - 5 * HOUR, comment="told late")
    await erased.does("looked", source="import", at=erased.clock.now() - DAY)

    now = (await erased.rows("SELECT id, events FROM customers WHERE customer_id = 'anna'"))[0]

    assert now["id"] != before
    assert now["events"] == 1
    names = await erased.rows("SELECT name FROM events WHERE customer = :id", id=now["id"])
    assert names == [{"name": "trial_started"}]
    assert await erased.rows("SELECT 1 FROM consents WHERE customer = :id", id=now["id"]) == []


async def test_the_address_stays_closed_for_everybody_until_its_owner_says_yes_again(erased: Bench) -> None:
    bench = erased.with_policy(NO_LIMITS)
    await bench.a_customer("somebody else", email="Anna@example.com", phone="+15550100")
    walk = await bench.a_walk("somebody else")

    refused = await bench.send(walk, "receipt", customer="somebody else")
    known = Customers(bench.clock, bench.restrictions)
    word = Consent(status=ConsentStatus.GRANTED, at=bench.clock.now(), source="test")
    async with bench.database.transaction() as connection:
        await known.change(connection, "somebody else", Change(consents={"email": word}))

    assert (refused.state, refused.rule) == (SendState.REFUSED, "suppressed")
    assert (await bench.send(walk, customer="somebody else")).state is SendState.ACCEPTED


async def test_a_yes_to_one_topic_opens_no_address(erased: Bench) -> None:
    bench = erased.with_policy(NO_LIMITS)
    other = await bench.a_customer("somebody else", email="anna@example.com")
    walk = await bench.a_walk("somebody else")
    word = Consent(status=ConsentStatus.GRANTED, at=bench.clock.now(), source="test")
    async with bench.database.transaction() as connection:
        await customers.put_consent(connection, other, "all/promotions", word)

    assert (await bench.send(walk, "receipt", customer="somebody else")).rule == "suppressed"


async def test_erased_a_second_time_both_are_on_the_list(erased: Bench) -> None:
    await erased.does("trial_started")
    await erased.erase("anna")

    listed = await erased.rows("SELECT count(*) AS all, count(DISTINCT key) AS keys FROM erasures")
    assert listed == [{"all": 2, "keys": 1}]
    assert await erased.rows("SELECT 1 FROM customers WHERE erased_at IS NULL") == []


# While something is on its way ---------------------------------------------------------------------------------------


async def test_an_answer_that_comes_after_the_erasure_is_recorded_without_words(bench: Bench) -> None:
    walk = await bench.a_walk(WHO)
    bench.email.during = lambda: bench.erase(WHO)

    await bench.send(walk, customer=WHO)

    row = await bench.ledger(walk)
    assert (row["state"], row["recipient"], row["rendered"]) == ("accepted", None, None)
    assert singing((await dump(bench)).items()) == []


async def test_an_event_on_its_way_during_the_erasure_is_not_applied_to_whoever_is_left(bench: Bench) -> None:
    ours = await bench.a_customer("anna")
    await bench.erase()
    await bench.does("trial_started", project=False, at=bench.clock.now(), comment=CANARY)

    async with bench.database.transaction() as connection:  # a projector that had looked the customer up before
        assert await bench.projector.apply_pending(connection, ours) == 0
    await bench.project()

    assert singing((await dump(bench)).items()) == []
    assert len(await bench.rows("SELECT 1 FROM customers")) == 1


async def test_the_sandbox_keeps_no_letter_of_somebody_who_is_being_erased(bench: Bench) -> None:
    walk = await bench.a_walk(WHO)
    await bench.send(walk, customer=WHO)
    letter = bench.email.calls[0].letter
    sandbox = SandboxGateway(Channel.EMAIL, bench.database, bench.clock)

    async with bench.database.transaction() as connection:
        await bench.erasing.erase(connection, WHO, actor=STAFF)
        delivering = asyncio.create_task(sandbox.deliver(letter))
        while not await bench.rows("SELECT 1 FROM pg_locks WHERE NOT granted"):
            assert not delivering.done(), "it has to wait for the erasure"
            await asyncio.sleep(0.01)
    await delivering

    assert await bench.rows("SELECT 1 FROM sandbox_outbox") == []


async def test_an_outcome_that_nobody_knows_is_not_asked_for_any_more(bench: Bench) -> None:
    walk = await bench.a_walk()
    bench.email.script, bench.email.can_look_up = [UNKNOWN], True
    await bench.send(walk)
    await bench.erase()
    bench.clock.pass_(HOUR)
    await bench.change("UPDATE sends SET claimed_at = now() - interval '1 hour'")

    await bench.sending.settle((await bench.ledger(walk))["id"])

    assert (await bench.ledger(walk))["state"] == "unknown"
    assert bench.email.looked_up == []


async def test_f45_erasures_at_random_moments_of_sending_and_no_claim_after_their_commit(own_bench: Bench) -> None:
    bench = own_bench.with_policy(NO_LIMITS)
    bench.email.lasting = 0.005
    chance, gate = random.Random(45), asyncio.Semaphore(4)
    await bench.change("CREATE TABLE ends (customer text, at timestamptz)")
    await bench.change("""
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO ends VALUES (NEW.id, clock_timestamp());
            RETURN NEW;
        END $$
    """)
    await bench.change("""
        CREATE TRIGGER note AFTER UPDATE OF erased_at ON customers FOR EACH ROW EXECUTE FUNCTION note()
    """)

    async def one(n: int) -> None:
        async with gate:
            person = f"{CANARY}{n}"
            walk = await bench.a_walk(person)

            async def send_all() -> None:
                for visit in range(4):
                    await bench.send(walk, visit=visit, customer=person)

            async def erase() -> None:
                await asyncio.sleep(chance.uniform(0, 0.2))
                await bench.erase(person)

            await asyncio.gather(send_all(), erase())

    await asyncio.gather(*(one(n) for n in range(TIMES)))

    assert await bench.rows("SELECT * FROM sends s JOIN ends e USING (customer) WHERE s.claimed_at > e.at") == []
    assert await bench.rows("SELECT 1 FROM sends WHERE recipient IS NOT NULL OR rendered IS NOT NULL") == []
    assert singing((await dump(bench)).items()) == []
    sent = await bench.rows("SELECT state, count(*) AS count FROM sends GROUP BY state")
    assert len(await bench.rows("SELECT 1 FROM ends")) == TIMES
    assert {row["state"] for row in sent} <= {"accepted", "withdrawn", "refused"}
    called = len(bench.email.calls)
    assert TIMES / 20 < called < 4 * TIMES, "each side won now and then, so this means something"
