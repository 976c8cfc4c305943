"""What providers answer, what they do not answer, and what happens between reserve, claim and call."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

import services.calling
from activities.sending import TryLater
from adapters.database import sends
from adapters.database.connection import Database
from domain.errors import Unavailable
from domain.messages import Channel
from domain.sends import SendState, send_id
from tests.services.bench import Bench
from tests.support.providers import PERMANENT, REFUSED, RETRY, UNKNOWN, Crash

HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)


# What providers answer -----------------------------------------------------------------------------------------------


async def test_f19_a_refusal_by_the_provider_is_final(bench: Bench) -> None:
    walk = await bench.a_walk()
    bench.email.script = [REFUSED]

    result = await bench.send(walk)

    assert (result.state, result.rule) == (SendState.FAILED, "provider_refused")
    assert await bench.words(state="failed") == ["Mail refused it for good (550)"]
    assert await bench.send(walk) == result
    assert len(bench.email.calls) == 1


async def test_f19_a_dead_address_is_suppressed_with_the_refusal_and_the_next_send_is_refused(bench: Bench) -> None:
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


async def test_f17_a_busy_provider_is_tried_again_by_the_same_channel_and_slot(bench: Bench) -> None:
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
        "Mail could not take it now (421); trying again",
        "Sent by email: mail took it",
    ]


async def test_the_address_that_was_called_is_closed_and_not_the_one_that_came_meanwhile(bench: Bench) -> None:
    walk = await bench.a_walk()
    bench.email.script = [PERMANENT]
    bench.email.during = lambda: bench.change("UPDATE customers SET email = 'new@example.com'")

    await bench.send(walk)

    [closed] = await bench.rows("SELECT address_key FROM suppressions")
    assert closed["address_key"] == bench.surrogates.address("email", "anna@example.com")


async def test_a_retry_keeps_its_channel_even_when_it_must_ask_again(bench: Bench) -> None:
    walk = await bench.a_walk()
    bench.email.script = [RETRY]
    with pytest.raises(TryLater):
        await bench.send(walk, "either")
    await bench.does("opted_out", channel="email", project=False)
    bench.clock.pass_(2 * MINUTE)

    assert (await bench.send(walk, "either")).rule == "opted_out"
    assert bench.sms.calls == []


async def test_f10_a_retry_keeps_its_place_among_the_touches(bench: Bench) -> None:
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


async def test_f10_a_provider_that_cannot_be_reached_costs_nothing(bench: Bench) -> None:
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


async def test_f13_an_unknown_outcome_is_never_called_again_and_is_told_in_words(bench: Bench) -> None:
    walk = await bench.a_walk()
    bench.email.script = [UNKNOWN]

    result = await bench.send(walk)
    bench.clock.pass_(DAY)

    assert (result.state, result.rule) == (SendState.UNKNOWN, "outcome_unknown")
    assert await bench.send(walk) == result
    assert len(bench.email.calls) == 1
    assert await bench.words(state="unknown") == [
        "Mail was handed it and did not answer; it may have arrived, so it is not sent again"
    ]


async def test_f14_an_unknown_outcome_counts_as_a_touch(bench: Bench) -> None:
    walk = await bench.a_walk()
    bench.email.script = [UNKNOWN]
    await bench.send(walk)

    assert (await bench.send(walk, visit=2)).rule == "gap"


@pytest.mark.parametrize(
    ("taken", "state", "words"),
    [
        (True, SendState.ACCEPTED, "Mail was asked afterwards and has it"),
        (
            False,
            SendState.UNKNOWN,
            "Mail was handed it and did not answer; it may have arrived, so it is not sent again",
        ),
    ],
)
async def test_f11_f12_a_claim_that_nobody_recorded_is_settled_by_asking_never_by_calling(
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


async def test_f48_a_late_answer_resolves_what_was_unknown(bench: Bench) -> None:
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


async def test_an_acceptance_so_late_that_the_text_was_given_up_is_recorded_all_the_same(bench: Bench) -> None:
    walk = await bench.a_walk()
    bench.email.can_look_up = True

    async def meanwhile() -> None:  # the process was frozen in the call for so long that "absent" meant "never"
        await bench.change("UPDATE sends SET claimed_at = claimed_at - interval '61 seconds'")
        bench.clock.pass_(timedelta(minutes=15))
        assert (await bench.send(walk)).rule == "never_arrived"

    bench.email.during = meanwhile
    result = await bench.send(walk)

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


async def test_a_busy_provider_after_the_goal_leaves_nothing_reserved(bench: Bench) -> None:
    walk = await bench.a_walk()

    async def meanwhile() -> None:
        await bench.does("bought")
        await bench.project()

    bench.email.script, bench.email.during = [RETRY], meanwhile
    await bench.send(walk)

    # The walk is over, so nobody would try again: it takes no place in caps and gaps.
    assert (await bench.ledger(walk))["state"] == "withdrawn"


async def test_f48_a_record_with_an_old_fence_changes_nothing(bench: Bench) -> None:
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

    after: Callable[[], Awaitable[None]] | None = None

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """As ever, but slower to return once a send was claimed."""
        async with super().transaction() as connection:
            yield connection
            claimed = await connection.execute(text("SELECT 1 FROM sends WHERE state = 'claimed'"))
            late = claimed.first() is not None
        if late and self.after:
            await self.after()


@pytest.fixture
async def frozen(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[..., Slow]]:
    """A database behind which time passes, by the clock of `services.calling` alone."""
    seconds = [1000.0]
    monkeypatch.setattr(services.calling, "time", SimpleNamespace(monotonic=lambda: seconds[0]))
    made: list[Slow] = []

    def freezing(lasting: float, meanwhile: Callable[[], Awaitable[object]] | None = None) -> Slow:
        async def freeze_once() -> None:
            database.after = None
            seconds[0] += lasting
            if meanwhile:
                await meanwhile()

        database = Slow(bench.database.url)
        database.after = freeze_once
        made.append(database)
        return database

    yield freezing
    for database in made:
        await database.close()


async def test_f47_a_process_frozen_between_claim_and_call_claims_again(
    bench: Bench, frozen: Callable[..., Slow]
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
    bench: Bench, frozen: Callable[..., Slow]
) -> None:
    walk = await bench.a_walk()
    connections: list[bool] = []

    async def connecting() -> None:
        connections.append(True)

    bench.email.on_connecting = connecting
    await bench.send(walk, by=bench.sender(database=frozen(1.9)))

    assert len(connections) == 1


async def test_f47_an_opt_out_while_the_process_was_frozen_stops_the_call(
    bench: Bench, frozen: Callable[..., Slow]
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


async def test_f48_a_claim_that_was_settled_while_its_process_was_frozen_is_not_called_any_more(
    bench: Bench, frozen: Callable[..., Slow]
) -> None:
    walk = await bench.a_walk()
    slow = bench.sender(database=frozen(60, lambda: bench.send(walk)))  # the next attempt tells the journey "unknown"

    result = await bench.send(walk, by=slow)

    assert (result.state, result.rule) == (SendState.FAILED, "not_taken")
    assert bench.email.calls == []
    assert await bench.words(state="failed") == [
        "Mail did not take it after all, and the journey has gone on; it is not sent any more"
    ]


async def test_a_slot_that_grew_old_while_connecting_is_asked_for_again_and_is_the_calls_own(bench: Bench) -> None:
    walk = await bench.a_walk()

    async def slow() -> None:
        bench.clock.pass_(2 * MINUTE)

    bench.email.on_connecting = slow
    result = await bench.send(walk)

    assert result.state is SendState.ACCEPTED
    assert len(bench.email.calls) == 1
    assert (await bench.ledger(walk))["slot_at"] == bench.clock.now()
