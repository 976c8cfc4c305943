"""What may be done to a bulk in each state, and the arithmetic of its forecast."""

from datetime import timedelta

import pytest

from domain.bulk import ENDED, REASONS, BulkCommand, BulkState, Habit, Volume, after, reason, volume
from domain.contact_policy import ContactPolicy, Kind
from domain.messages import Channel, Limit, Message, Purpose
from domain.rules import RULES

YEAR = Limit(times=1, within=timedelta(days=365))


def a_message(purpose: Purpose = Purpose.VALUE, limit: Limit = YEAR) -> Message:
    return Message(
        journey="trial", name="note", purpose=purpose, goal="", channels=(Channel.EMAIL,),
        shelf_life=timedelta(days=1), limit=limit,
    )  # fmt: skip


def at_most(found: Volume) -> tuple[int, int]:
    return found.messages_first_hour_at_most, found.messages_a_day_at_most


@pytest.mark.parametrize("state", BulkState)
@pytest.mark.parametrize("command", BulkCommand)
def test_a_command_leads_to_its_state_or_cannot_be_done(command: BulkCommand, state: BulkState) -> None:
    allowed = {
        BulkCommand.START: {BulkState.DRAFTED},
        BulkCommand.PAUSE: {BulkState.RUNNING, BulkState.PAUSED},
        BulkCommand.RESUME: {BulkState.PAUSED, BulkState.LOOKING, BulkState.RUNNING},
        BulkCommand.CANCEL: set(BulkState) - {BulkState.DONE},
    }
    leads_to = {
        BulkCommand.START: BulkState.RUNNING,
        BulkCommand.PAUSE: BulkState.PAUSED,
        BulkCommand.RESUME: BulkState.RUNNING,
        BulkCommand.CANCEL: BulkState.CANCELLED,
    }

    assert after(command, state) == (leads_to[command] if state in allowed[command] else None)


def test_what_has_ended_goes_on_by_no_command() -> None:
    assert {after(command, state) for command in BulkCommand for state in ENDED} == {None, BulkState.CANCELLED}


def test_a_forecast_is_bound_by_caps_gaps_and_the_messages_own_limits() -> None:
    policy, daily = ContactPolicy(), Limit(times=1, within=timedelta(days=1))
    letters = [a_message() for _ in range(5)]
    receipts = [a_message(Purpose.TRANSACTIONAL, daily)] * 2

    assert at_most(volume(100, 10, letters, policy, Kind.TRIGGERED, None)) == (100, 200)  # a gap, and two a day
    assert at_most(volume(100, 10, letters, policy, Kind.SCHEDULED, None)) == (100, 100)  # one a day of our own plans
    assert at_most(volume(100, 10, letters[:1], policy, Kind.TRIGGERED, None)) == (100, 100)
    assert at_most(volume(100, 10, letters + receipts, policy, Kind.TRIGGERED, None)) == (300, 400)
    assert at_most(volume(100, 10, [], policy, Kind.TRIGGERED, None)) == (0, 0)


def test_a_slow_bulk_spreads_over_days_and_so_do_its_messages() -> None:
    habit = Habit(walks=50, first_hour=0.5, by_day=(1.0, 0, 0.5, 0, 0, 0, 0))
    an_hour = 1000 / 3600

    found = volume(36_000, an_hour, [a_message()], ContactPolicy(), Kind.TRIGGERED, habit)

    assert (found.entering_first_hour, found.messages_first_hour_likely) == (1000, 500)
    assert round(found.seconds) == 36 * 3600
    assert found.messages_by_day_likely == (24_000, 12_000, 12_000, 6_000, 0, 0, 0)


def test_every_reason_is_told_in_both_languages_and_those_that_timelines_show_are_rules() -> None:
    assert all({"en", "ru"} <= texts.keys() for texts in REASONS.values())
    assert set(REASONS) - set(RULES) == {"unknown", "named_twice"}  # of nobody's timeline
    assert reason("a rule of tomorrow", "ru") == "a rule of tomorrow"
