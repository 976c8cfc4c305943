"""Sending: once, allowed, explained. What goes, what waits, what is refused, and in which words."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database.connection import Database
from domain.errors import InvalidInput
from domain.messages import Channel
from domain.sends import SendState
from tests.services.bench import NO_LIMITS, Bench
from tests.support.factories import STAFF

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


async def test_f24_twenty_attempts_of_one_step_at_once_call_the_provider_once(bench: Bench) -> None:
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
        await bench.enrolling.pause(connection, walk, actor=STAFF)

    held = await bench.send(walk)
    async with bench.database.transaction() as connection:
        await bench.enrolling.resume(connection, walk, actor=STAFF)

    assert (held.state, held.rule, held.until) == (SendState.HELD, "paused", bench.clock.now() + 3 * DAY)
    assert await bench.dispatched(walk) == ["start", "released"]
    assert await bench.words(state="held") == ["Paused; it goes on when somebody resumes it"]
    assert (await bench.send(walk)).state is SendState.ACCEPTED


@pytest.mark.parametrize(("message", "told"), [("note", ["start", "released"]), ("receipt", ["start"])])
async def test_something_of_value_releases_the_offer_that_it_was_owed_to(
    bench: Bench, message: str, told: list[str]
) -> None:
    walk, other = await bench.a_walk(), await bench.a_walk(about="another")
    async with bench.database.transaction() as connection:
        await bench.enrolling.pause(connection, other, actor=STAFF)
    await bench.send(other)
    await bench.change("UPDATE sends SET rule = 'value_owed'")  # held as an offer is

    await bench.send(walk, message)

    assert await bench.dispatched(other) == told


async def test_what_waited_beyond_its_shelf_life_expires(bench: Bench) -> None:
    walk = await bench.a_walk()
    async with bench.database.transaction() as connection:
        await bench.enrolling.pause(connection, walk, actor=STAFF)
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


async def test_f21_a_text_that_cannot_be_made_fails_and_frees_its_slot(bench: Bench) -> None:
    walk = await bench.a_walk()

    broken = await bench.send(walk, "broken")

    assert (broken.state, broken.rule) == (SendState.FAILED, "render_failed")
    assert "nobody_knows" in (await bench.words(state="failed"))[0]
    assert bench.email.calls == []
    assert (await bench.send(walk)).state is SendState.ACCEPTED


class Unwritable:
    """Letters to somebody whose address is gone."""

    def write(self, *_: object) -> object:
        """What `Letters.write` does then."""
        raise InvalidInput(["there is no address for email any more"])


class Slow(Database):
    """After its first commit something else happens before its caller goes on."""

    meanwhile: Callable[[], Awaitable[object]] | None = None

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """As ever, but slower to return, once."""
        async with super().transaction() as connection:
            yield connection
        if meanwhile := self.meanwhile:
            self.meanwhile = None
            await meanwhile()


@pytest.fixture
async def slow(bench: Bench) -> AsyncIterator[Slow]:
    """A slow process's database."""
    database = Slow(bench.database.url)
    yield database
    await database.close()


async def test_a_slow_attempt_whose_text_fails_does_not_undo_what_another_sent(bench: Bench, slow: Slow) -> None:
    walk = await bench.a_walk()
    slow.meanwhile = lambda: bench.send(walk)

    late = await bench.send(walk, by=bench.sender(database=slow, letters=Unwritable()))

    assert late.state is SendState.ACCEPTED
    assert (await bench.ledger(walk))["state"] == "accepted"


async def test_a_text_that_fails_after_the_journey_ended_leaves_the_send_withdrawn(bench: Bench, slow: Slow) -> None:
    walk = await bench.a_walk()
    slow.meanwhile = lambda: bench.does("bought")

    late = await bench.send(walk, by=bench.sender(database=slow, letters=Unwritable()))

    assert late.state is SendState.WITHDRAWN
    assert (await bench.ledger(walk))["state"] == "withdrawn"
