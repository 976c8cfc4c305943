"""Sending: once, allowed, explained. Each test is one way in which a send can go."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

import services.sending
from activities.sending import TryLater
from adapters.database import sends
from adapters.database.connection import Database
from domain.errors import Unavailable
from domain.messages import Channel
from domain.sends import SendState, send_id
from tests.services.bench import NO_LIMITS, Bench
from tests.support.providers import PERMANENT, REFUSED, RETRY, UNKNOWN, Crash

HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)


async def test_what_nothing_stands_against_goes_once_and_the_ledger_knows_all(bench: Bench) -> None:
    walk = await bench.a_walk()

    result = await bench.send(walk)

    assert (result.state, result.rule, result.channel) == (SendState.ACCEPTED, "accepted", Channel.EMAIL)
    row = await bench.ledger(walk)
    assert (row["gateway"], row["recipient"], row["purpose"]) == ("mail", "anna@example.com", "value")
    assert row["slot_at"] == row["wished_at"] == row["called_at"] == bench.clock.now()
    assert row["expires_at"] == bench.clock.now() + 3 * DAY
    assert "Hello, friend!" in row["rendered"]["text"]
    assert await bench.words(send=row["id"]) == ["Sent by email: mail took it"]


async def test_asking_again_answers_the_same_and_calls_nobody(bench: Bench) -> None:
    walk = await bench.a_walk()
    first = await bench.send(walk)
    bench.clock.pass_(DAY)

    again = await bench.send(walk)

    assert again == first
    assert len(bench.email.calls) == 1


async def test_twenty_attempts_of_one_step_at_once_call_the_provider_once(bench: Bench) -> None:
    walk = await bench.a_walk()

    await asyncio.gather(*(bench.send(walk) for _ in range(20)))

    assert len(bench.email.calls) == 1
    assert (await bench.ledger(walk))["state"] == "accepted"


# Not now -------------------------------------------------------------------------------------------------------------


async def test_quiet_hours_the_gap_and_the_cap_say_until_when(bench: Bench) -> None:
    walk, ten = await bench.a_walk(), bench.clock.now()
    await bench.send(walk, visit=1)

    gap = await bench.send(walk, visit=2)
    bench.clock.pass_(4 * HOUR)
    await bench.send(walk, visit=3)
    bench.clock.pass_(4 * HOUR)
    cap = await bench.send(walk, visit=4)
    bench.clock.pass_(4 * HOUR)
    quiet = await bench.send(walk, visit=5)

    assert (gap.state, gap.rule, gap.until) == (SendState.DEFERRED, "gap", ten + 4 * HOUR)
    assert (cap.state, cap.rule, cap.until) == (SendState.DEFERRED, "cap", ten + DAY)
    assert (quiet.state, quiet.rule, quiet.until) == (SendState.DEFERRED, "cap", ten + DAY)
    assert len(bench.email.calls) == 2


async def test_at_night_a_message_waits_for_the_customers_own_morning(bench: Bench) -> None:
    await bench.a_customer(timezone="America/Los_Angeles")  # two o'clock at night there
    walk = await bench.a_walk()

    waiting = await bench.send(walk)

    assert (waiting.state, waiting.rule) == (SendState.DEFERRED, "quiet_hours")
    assert waiting.until == bench.clock.now() + 7 * HOUR
    assert await bench.words(state="deferred") == [
        "Quiet hours from 21:00 to 09:00 in America/Los_Angeles; it may go at 02 Mar 17:00"
    ]
    bench.clock.set(waiting.until)
    assert (await bench.send(walk)).state is SendState.ACCEPTED


async def test_what_waits_takes_no_place_of_others(bench: Bench) -> None:
    walk = await bench.a_walk()
    await bench.send(walk, visit=1)
    await bench.send(walk, visit=2)
    bench.clock.pass_(4 * HOUR)

    assert (await bench.send(walk, visit=3)).state is SendState.ACCEPTED


async def test_transactional_messages_neither_wait_nor_count(bench: Bench) -> None:
    walk = await bench.a_walk()
    await bench.send(walk, visit=1)

    receipts = [await bench.send(walk, "receipt", visit=n) for n in range(3)]
    bench.clock.pass_(4 * HOUR)

    assert [each.state for each in receipts] == [SendState.ACCEPTED] * 3
    assert (await bench.send(walk, visit=2)).state is SendState.ACCEPTED


async def test_a_pause_holds_and_a_resume_releases(bench: Bench) -> None:
    walk = await bench.a_walk()
    async with bench.database.transaction() as connection:
        await bench.enrolling.pause(connection, walk, actor="staff")

    held = await bench.send(walk)
    async with bench.database.transaction() as connection:
        await bench.enrolling.resume(connection, walk, actor="staff")

    assert (held.state, held.rule, held.until) == (SendState.HELD, "paused", bench.clock.now() + 3 * DAY)
    assert await bench.dispatched(walk) == ["start", "released"]
    assert await bench.words(state="held") == ["Paused; it goes on when somebody resumes it"]
    assert (await bench.send(walk)).state is SendState.ACCEPTED


async def test_what_waited_beyond_its_shelf_life_expires(bench: Bench) -> None:
    walk = await bench.a_walk()
    async with bench.database.transaction() as connection:
        await bench.enrolling.pause(connection, walk, actor="staff")
    held = await bench.send(walk, "brief")
    bench.clock.set(held.until or bench.clock.now())

    late = await bench.send(walk, "brief")

    assert (late.state, late.rule) == (SendState.EXPIRED, "shelf_life")
    assert await bench.words(state="expired") == [
        "It was worth sending until 02 Mar 11:00, and paused; it goes on when somebody resumes it"
    ]


async def test_what_could_only_go_after_its_shelf_life_expires_at_once(bench: Bench) -> None:
    walk = await bench.a_walk()
    await bench.send(walk)

    assert (await bench.send(walk, "brief")).state is SendState.EXPIRED


# Never ---------------------------------------------------------------------------------------------------------------


async def nothing(bench: Bench) -> None:
    pass


async def erased(bench: Bench) -> None:
    await bench.change("UPDATE customers SET erased_at = now()")


async def said_no(bench: Bench) -> None:
    await bench.does("opted_out", channel="email", project=False)


async def bounced(bench: Bench) -> None:
    await bench.does("hard_bounced", project=False)


async def said_nothing(bench: Bench) -> None:
    await bench.change("DELETE FROM consents")


async def has_no_address(bench: Bench) -> None:
    await bench.change("UPDATE customers SET email = NULL")


@pytest.mark.parametrize(
    ("change", "rule", "words"),
    [
        (erased, "erased", "The customer was erased"),
        (said_no, "opted_out", "The customer said no to email on 02 Mar 10:00"),
        (bounced, "suppressed", "The address for email is suppressed: it bounced for good"),
        (said_nothing, "no_consent", "The customer has not said yes to email, and this installation asks for it"),
        (has_no_address, "unreachable", "There is no address for email"),
    ],
)
async def test_a_refusal_is_final_and_says_why_in_a_sentence(
    bench: Bench, change: Callable[[Bench], Awaitable[None]], rule: str, words: str
) -> None:
    walk = await bench.a_walk()
    await change(bench)

    refused = await bench.send(walk)

    assert (refused.state, refused.rule) == (SendState.REFUSED, rule)
    assert await bench.words(state="refused") == [words]
    assert await bench.send(walk) == refused
    assert bench.email.calls == []


async def test_the_fuse_stops_the_journey_that_repeats_itself(bench: Bench) -> None:
    bench = bench.with_policy(NO_LIMITS)
    walk = await bench.a_walk()
    await bench.send(walk, "twice", visit=1)
    await bench.send(walk, "twice", visit=2)

    blown = await bench.send(walk, "twice", visit=3)

    assert (blown.state, blown.rule) == (SendState.REFUSED, "fuse")
    assert await bench.rows("SELECT leaving FROM enrollments") == [{"leaving": "fuse"}]
    assert await bench.dispatched(walk) == ["start", "cancel"]
    assert "This message already went 2 times in 30 days, its own limit; the journey was stopped" in await bench.words()
    assert (await bench.send(walk, "note")).state is SendState.WITHDRAWN


async def test_the_check_has_seen_what_was_accepted_and_not_yet_projected(bench: Bench) -> None:
    walk = await bench.a_walk()
    await bench.does("bought", project=False)

    result = await bench.send(walk)

    assert (result.state, result.rule) == (SendState.WITHDRAWN, "ended")
    assert bench.email.calls == []
    assert await bench.dispatched(walk) == ["start", "ended"]


async def test_an_enrollment_that_nobody_knows_sends_nothing(bench: Bench) -> None:
    await bench.a_customer()

    assert (await bench.send("enr_unknown")).state is SendState.WITHDRAWN


# Texts ---------------------------------------------------------------------------------------------------------------


async def test_a_text_that_cannot_be_made_fails_and_frees_its_slot(bench: Bench) -> None:
    walk = await bench.a_walk()

    broken = await bench.send(walk, "broken")

    assert (broken.state, broken.rule) == (SendState.FAILED, "render_failed")
    assert "nobody_knows" in (await bench.words(state="failed"))[0]
    assert bench.email.calls == []
    assert (await bench.send(walk)).state is SendState.ACCEPTED


class Losing:
    """Writes letters only after something else has happened, and then without finding an address."""

    def __init__(self, bench: Bench, meanwhile: Callable[[], Awaitable[object]]) -> None:
        self._bench, self._meanwhile = bench, meanwhile

    async def write(self, *request: object) -> object:
        """What `Letters.write` does, later."""
        await self._meanwhile()
        await self._bench.change("UPDATE customers SET email = NULL")
        return await self._bench.letters.write(*request)  # type: ignore[arg-type]


async def test_a_slow_attempt_whose_text_fails_does_not_undo_what_another_sent(bench: Bench) -> None:
    walk = await bench.a_walk()
    slow = bench.sender(letters=Losing(bench, lambda: bench.send(walk)))

    late = await bench.send(walk, by=slow)

    assert late.state is SendState.ACCEPTED
    assert (await bench.ledger(walk))["state"] == "accepted"


async def test_a_text_that_fails_after_the_journey_ended_leaves_the_send_withdrawn(bench: Bench) -> None:
    walk = await bench.a_walk()
    slow = bench.sender(letters=Losing(bench, lambda: bench.does("bought")))

    assert (await bench.send(walk, by=slow)).state is SendState.WITHDRAWN
    assert (await bench.ledger(walk))["state"] == "withdrawn"


# What providers answer -----------------------------------------------------------------------------------------------


async def test_a_refusal_by_the_provider_is_final(bench: Bench) -> None:
    walk = await bench.a_walk()
    bench.email.script = [REFUSED]

    result = await bench.send(walk)

    assert (result.state, result.rule) == (SendState.FAILED, "provider_refused")
    assert await bench.words(state="failed") == ["mail refused it for good (550)"]
    assert await bench.send(walk) == result
    assert len(bench.email.calls) == 1


async def test_a_dead_address_is_suppressed_with_the_refusal_and_the_next_send_is_refused(bench: Bench) -> None:
    walk = await bench.a_walk()
    bench.email.script = [PERMANENT]

    await bench.send(walk)
    following = await bench.send(walk, visit=2)

    assert (following.state, following.rule) == (SendState.REFUSED, "suppressed")
    assert await bench.words(state="refused") == ["The address for email is suppressed: the provider called it dead"]
    assert len(bench.email.calls) == 1
    written = await bench.rows(
        "SELECT (SELECT xmin FROM sends WHERE state = 'failed') = xmin AS same FROM suppressions"
    )
    assert written == [{"same": True}]  # one transaction


async def test_a_busy_provider_is_tried_again_by_the_same_channel_and_slot(bench: Bench) -> None:
    walk = await bench.a_walk()
    bench.email.script = [RETRY]

    with pytest.raises(TryLater) as raised:
        await bench.send(walk, "either")
    busy = await bench.ledger(walk, "either")
    await bench.change("UPDATE consents SET at = at + interval '1 day' WHERE channel = 'sms'")
    bench.clock.pass_(30 * MINUTE / 60)
    result = await bench.send(walk, "either")

    assert (raised.value.after, busy["state"], busy["rule"]) == (timedelta(seconds=7), "reserved", "provider_busy")
    assert (result.state, result.channel) == (SendState.ACCEPTED, Channel.EMAIL)
    assert (await bench.ledger(walk, "either"))["slot_at"] == busy["slot_at"]
    assert (len(bench.email.calls), len(bench.sms.calls)) == (2, 0)
    assert await bench.words(send=busy["id"]) == [
        "mail could not take it now (421); trying again",
        "Sent by email: mail took it",
    ]


async def test_a_retry_keeps_its_channel_even_when_it_must_ask_again(bench: Bench) -> None:
    walk = await bench.a_walk()
    bench.email.script = [RETRY]
    with pytest.raises(TryLater):
        await bench.send(walk, "either")
    await bench.does("opted_out", channel="email", project=False)
    bench.clock.pass_(2 * MINUTE)

    assert (await bench.send(walk, "either")).rule == "opted_out"
    assert bench.sms.calls == []


async def test_a_retry_keeps_its_place_among_the_touches(bench: Bench) -> None:
    walk = await bench.a_walk()
    bench.email.script = [RETRY]
    with pytest.raises(TryLater):
        await bench.send(walk, visit=1)

    assert (await bench.send(walk, visit=2)).rule == "gap"
    assert (await bench.send(walk, visit=1)).state is SendState.ACCEPTED


async def test_a_retry_at_night_waits_for_the_morning(bench: Bench) -> None:
    walk = await bench.a_walk()
    bench.email.script = [RETRY]
    with pytest.raises(TryLater):
        await bench.send(walk)
    bench.clock.pass_(12 * HOUR)

    assert (await bench.send(walk)).rule == "quiet_hours"
    assert len(bench.email.calls) == 1


async def test_a_provider_that_cannot_be_reached_costs_nothing(bench: Bench) -> None:
    walk = await bench.a_walk()

    async def down() -> None:
        raise Unavailable("mail does not answer")

    bench.email.on_connecting = down
    with pytest.raises(Unavailable):
        await bench.send(walk)
    bench.email.on_connecting = None

    assert (await bench.ledger(walk))["state"] == "reserved"
    assert (await bench.send(walk)).state is SendState.ACCEPTED
    assert len(bench.email.calls) == 1


# Answers that were lost ----------------------------------------------------------------------------------------------


async def test_an_unknown_outcome_is_never_called_again_and_is_told_in_words(bench: Bench) -> None:
    walk = await bench.a_walk()
    bench.email.script = [UNKNOWN]

    result = await bench.send(walk)
    bench.clock.pass_(DAY)

    assert (result.state, result.rule) == (SendState.UNKNOWN, "outcome_unknown")
    assert await bench.send(walk) == result
    assert len(bench.email.calls) == 1
    assert await bench.words(state="unknown") == [
        "mail was handed it and did not answer; it may have arrived, so it is not sent again"
    ]


async def test_an_unknown_outcome_counts_as_a_touch(bench: Bench) -> None:
    walk = await bench.a_walk()
    bench.email.script = [UNKNOWN]
    await bench.send(walk)

    assert (await bench.send(walk, visit=2)).rule == "gap"


@pytest.mark.parametrize(
    ("taken", "state", "words"),
    [
        (True, SendState.ACCEPTED, "mail was asked afterwards and has it"),
        (
            False,
            SendState.UNKNOWN,
            "mail was handed it and did not answer; it may have arrived, so it is not sent again",
        ),
    ],
)
async def test_a_claim_that_nobody_recorded_is_settled_by_asking_never_by_calling(
    bench: Bench, taken: bool, state: SendState, words: str
) -> None:
    walk = await bench.a_walk()
    bench.email.script, bench.email.takes_before_crash = [Crash()], taken
    with pytest.raises(Crash):
        await bench.send(walk)
    assert (await bench.ledger(walk))["state"] == "claimed"

    result = await bench.send(walk)

    assert result.state is state
    assert (await bench.words())[-1] == words
    assert (len(bench.email.calls), len(bench.email.looked_up)) == (1, 1)


async def test_a_late_answer_resolves_what_was_unknown(bench: Bench) -> None:
    walk = await bench.a_walk()
    impatient: list[SendState] = []

    async def meanwhile() -> None:  # the attempt timed out, and the next one finds its claim
        impatient.append((await bench.send(walk)).state)

    bench.email.during = meanwhile
    result = await bench.send(walk)

    assert impatient == [SendState.UNKNOWN]
    assert result.state is SendState.ACCEPTED
    assert (await bench.ledger(walk))["state"] == "accepted"
    assert len(bench.email.calls) == 1


async def test_a_late_busy_after_unknown_is_known_not_to_have_gone(bench: Bench) -> None:
    walk = await bench.a_walk()

    async def meanwhile() -> None:
        await bench.send(walk)

    bench.email.script, bench.email.during = [RETRY], meanwhile
    with contextlib.suppress(TryLater):
        await bench.send(walk)

    # The journey was told "unknown" and has gone on: nobody would ever send it, and it takes no place.
    assert (await bench.ledger(walk))["state"] == "failed"
    assert (await bench.send(walk, visit=2)).rule != "gap"


async def test_a_record_with_an_old_fence_changes_nothing(bench: Bench) -> None:
    walk = await bench.a_walk()
    await bench.send(walk)
    before = await bench.ledger(walk)

    async with bench.database.transaction() as connection:
        kept = await sends.record(
            connection, before["id"], fence=uuid4(), state=SendState.FAILED, rule="provider_refused", provider_id="x"
        )

    assert kept is False
    assert await bench.ledger(walk) == before


# Between the steps ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("meanwhile", "state", "words"),
    [
        ("bought", SendState.WITHDRAWN, "Withdrawn: the journey ended (converted)"),
        ("gave_up", SendState.WITHDRAWN, "Withdrawn: the journey ended (exited)"),
        ("opted_out", SendState.WITHDRAWN, "Withdrawn: the journey ended (opted out)"),
        ("hard_bounced", SendState.REFUSED, "The address for email is suppressed: it bounced for good"),
    ],
)
async def test_what_happens_between_reserve_and_claim_stops_the_call(
    bench: Bench, meanwhile: str, state: SendState, words: str
) -> None:
    walk = await bench.a_walk()
    bench.email.on_connecting = lambda: bench.does(meanwhile)

    result = await bench.send(walk)

    assert result.state is state
    assert words in await bench.words(send=send_id(walk, "note", 1))
    assert bench.email.calls == []


async def test_an_opt_out_of_the_channel_between_reserve_and_claim_refuses(bench: Bench) -> None:
    walk = await bench.a_walk()
    bench.email.on_connecting = lambda: bench.does("opted_out", channel="email", project=False)

    result = await bench.send(walk)

    assert (result.state, result.rule) == (SendState.REFUSED, "opted_out")
    assert bench.email.calls == []
    assert (await bench.ledger(walk))["state"] == "refused"


async def test_a_pause_between_reserve_and_claim_holds(bench: Bench) -> None:
    walk = await bench.a_walk()
    bench.email.on_connecting = lambda: bench.change("UPDATE enrollments SET paused_at = now()")

    result = await bench.send(walk)

    assert (result.state, result.until) == (SendState.HELD, bench.clock.now() + 3 * DAY)
    assert bench.email.calls == []


async def test_a_slot_that_grew_old_before_its_claim_is_asked_for_again(bench: Bench) -> None:
    walk = await bench.a_walk()

    async def freeze() -> None:  # the process slept through the day
        bench.clock.pass_(12 * HOUR)

    bench.email.on_connecting = freeze
    result = await bench.send(walk)

    assert (result.state, result.rule) == (SendState.DEFERRED, "quiet_hours")
    assert bench.email.calls == []
    assert (await bench.ledger(walk))["state"] == "deferred"


async def test_a_slot_that_grew_old_is_taken_anew_when_it_still_may_go(bench: Bench) -> None:
    walk, slept = await bench.a_walk(), []

    async def freeze_once() -> None:
        slept.append(True)
        bench.clock.pass_(5 * MINUTE if len(slept) == 1 else 0 * MINUTE)

    bench.email.on_connecting = freeze_once
    result = await bench.send(walk)

    assert result.state is SendState.ACCEPTED
    assert (await bench.ledger(walk))["slot_at"] == bench.clock.now()
    assert len(bench.email.calls) == 1


class Slow(Database):
    """Its caller learns of some commits late, as a frozen process does. `after` runs in between."""

    after: Callable[[], None] | None = None

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """As ever, but slower to return once a send was claimed."""
        async with super().transaction() as connection:
            yield connection
            claimed = await connection.execute(text("SELECT 1 FROM sends WHERE state = 'claimed'"))
            late = claimed.first() is not None
        if late and self.after:
            self.after()


@pytest.fixture
async def frozen(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[[float], Slow]]:
    """A database behind which time passes, by the clock of `services.sending` alone."""
    seconds = [1000.0]
    monkeypatch.setattr(services.sending, "time", SimpleNamespace(monotonic=lambda: seconds[0]))
    made: list[Slow] = []

    def freezing(lasting: float) -> Slow:
        def freeze_once() -> None:
            seconds[0] += lasting
            database.after = None

        database = Slow(bench.database.url)
        database.after = freeze_once
        made.append(database)
        return database

    yield freezing
    for database in made:
        await database.close()


async def test_a_process_frozen_between_claim_and_call_claims_again(
    bench: Bench, frozen: Callable[[float], Slow]
) -> None:
    walk = await bench.a_walk()
    connections: list[bool] = []

    async def connecting() -> None:
        connections.append(True)

    bench.email.on_connecting = connecting
    result = await bench.send(walk, by=bench.sender(database=frozen(2.1)))

    assert result.state is SendState.ACCEPTED
    assert len(bench.email.calls) == 1
    assert len(connections) == 2


async def test_a_process_that_is_quick_enough_calls_with_its_first_claim(
    bench: Bench, frozen: Callable[[float], Slow]
) -> None:
    walk = await bench.a_walk()
    connections: list[bool] = []

    async def connecting() -> None:
        connections.append(True)

    bench.email.on_connecting = connecting
    await bench.send(walk, by=bench.sender(database=frozen(1.9)))

    assert len(connections) == 1


async def test_an_opt_out_while_the_process_was_frozen_stops_the_call(
    bench: Bench, frozen: Callable[[float], Slow]
) -> None:
    walk, turns = await bench.a_walk(), []

    async def opting_out() -> None:
        turns.append(True)
        if len(turns) == 2:
            await bench.does("opted_out", project=False)

    bench.email.on_connecting = opting_out
    result = await bench.send(walk, by=bench.sender(database=frozen(60)))

    assert result.state is SendState.WITHDRAWN
    assert bench.email.calls == []


# Many at once --------------------------------------------------------------------------------------------------------


async def test_fifty_senders_at_once_make_exactly_as_many_calls_as_the_cap_allows(bench: Bench) -> None:
    bench = bench.with_policy(replace(NO_LIMITS, cap=replace(NO_LIMITS.cap, times=2)))
    people = [f"c{n}" for n in range(20)]
    walks = {person: await bench.a_walk(person) for person in people}

    results = await asyncio.gather(
        *(bench.send(walks[person], visit=visit, customer=person) for visit in range(50) for person in people)
    )

    calls = [call.letter.to for call in bench.email.calls]
    assert [calls.count(f"{person}@example.com") for person in people] == [2] * 20
    assert [each.state for each in results].count(SendState.ACCEPTED) == 40
    assert [each.rule for each in results].count("cap") == 960


async def test_fifty_senders_at_once_keep_the_gap(bench: Bench) -> None:
    walk = await bench.a_walk()

    await asyncio.gather(*(bench.send(walk, visit=visit) for visit in range(50)))

    assert len(bench.email.calls) == 1
