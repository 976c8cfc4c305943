"""A cascade in the contact policy: one touch over several channels, until it is seen (C1)."""

from datetime import UTC, datetime, time, timedelta
from itertools import permutations
from zoneinfo import ZoneInfo

import pytest

from domain.messages import Channel
from domain.policy import Answer, Verdict, ask, in_turn, may_call
from domain.send_facts import Leg, SendFacts
from domain.sends import SendState
from tests.domain.builders import NOON, SEND, a_message, a_policy, no, some_facts, utc

EMAIL, SMS = Channel.EMAIL, Channel.SMS
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MESSAGE = a_message(EMAIL, SMS)


def a_leg(state: SendState = SendState.ACCEPTED, channel: Channel = EMAIL, seen_at: datetime | None = None) -> Leg:
    return Leg(state=state, channel=channel, seen_at=seen_at, expires_at=NOON + DAY)


def answer(facts: SendFacts, at: datetime = NOON) -> Answer:
    return ask(MESSAGE, facts, a_policy(), at=at, expires=NOON + 3 * DAY, send=SEND)


def test_a_text_is_the_last_leg_whatever_the_order_and_the_wish() -> None:
    for channels in permutations(Channel):
        for preferred in (None, *Channel):
            assert in_turn(a_message(*channels), some_facts(preferred=preferred))[-1] is SMS


def test_the_favorite_channel_goes_first() -> None:
    others = [channel for channel in Channel if channel is not SMS]
    for preferred in others:
        assert in_turn(a_message(*Channel), some_facts(preferred=preferred))[0] is preferred


def test_the_next_leg_takes_the_next_channel() -> None:
    found = answer(some_facts(legs=(a_leg(),)))

    assert (found.verdict, found.channel) == (Verdict.GO, SMS)


@pytest.mark.parametrize("state", [SendState.ACCEPTED, SendState.UNKNOWN, SendState.CLAIMED])
def test_the_next_leg_minds_neither_gap_nor_cap_once_the_touch_has_begun(state: SendState) -> None:
    close = tuple(NOON - n * HOUR for n in range(3))

    assert answer(some_facts(legs=(a_leg(state),), touches=close)).verdict is Verdict.GO


def test_a_leg_after_one_that_never_went_is_the_first_touch_and_minds_the_gap() -> None:
    found = answer(some_facts(legs=(a_leg(SendState.FAILED),), touches=(NOON - HOUR,)))

    assert (found.verdict, found.decision.rule) == (Verdict.NOT_BEFORE, "gap")


def test_quiet_hours_and_consent_bind_every_leg() -> None:
    at_night = answer(some_facts(legs=(a_leg(),)), at=utc(2026, 6, 1, 23))
    refused = answer(some_facts(legs=(a_leg(),), consents={"sms": no(NOON)}))

    assert (at_night.verdict, at_night.decision.rule) == (Verdict.NOT_BEFORE, "quiet_hours")
    assert (refused.verdict, refused.decision.rule) == (Verdict.REFUSED, "opted_out")


def test_who_has_seen_a_leg_gets_no_further_one_at_either_look() -> None:
    facts = some_facts(legs=(a_leg(seen_at=NOON - HOUR),))

    first, second = answer(facts), may_call(facts, MESSAGE, SMS, a_policy())

    assert (first.verdict, first.decision.words()) == (
        Verdict.REFUSED,
        "They have seen it already, by email at 01 Jun 11:00",
    )
    assert second == first.decision


def test_when_every_channel_was_tried_that_is_said() -> None:
    found = answer(some_facts(legs=(a_leg(), a_leg(channel=SMS))))

    assert (found.verdict, found.decision.rule) == (Verdict.REFUSED, "no_other_channel")


# A promise until an hour of the day (C12) ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "step", "expires"),
    [
        ("UTC", utc(2026, 6, 1, 12), utc(2026, 6, 1, 17)),
        ("UTC", utc(2026, 6, 1, 18), utc(2026, 6, 1, 17)),  # an hour too late
        ("Europe/Berlin", utc(2026, 6, 1, 12), utc(2026, 6, 1, 15)),
        ("Europe/Berlin", utc(2026, 6, 1, 22, 30), utc(2026, 6, 2, 15)),  # there it is the next day already
        ("Europe/Berlin", utc(2026, 3, 29, 0, 30), utc(2026, 3, 29, 15)),  # the clocks go forward in between
        ("Europe/Berlin", utc(2026, 10, 24, 23), utc(2026, 10, 25, 16)),  # and back
        ("America/New_York", utc(2026, 6, 1, 12), utc(2026, 6, 1, 21)),
    ],
)
def test_until_five_is_five_on_the_customers_wall_on_the_day_of_the_step(
    zone: str, step: datetime, expires: datetime
) -> None:
    message = a_message(shelf_life=time(17))

    assert message.expires(step, zone) == expires
    assert message.expires(step, zone).astimezone(ZoneInfo(zone)).time() == time(17)
    assert message.expires(step, zone).tzinfo is UTC


def test_a_duration_counts_from_the_step_wherever_it_is() -> None:
    assert a_message(shelf_life=2 * DAY).expires(NOON, "Asia/Tokyo") == NOON + 2 * DAY


def test_shelf_life_reads_as_it_is_written() -> None:
    assert a_message(shelf_life=time(17)).shelf_life_in_words == "until 17:00"
    assert a_message(shelf_life=2 * DAY).shelf_life_in_words == "2 days"
