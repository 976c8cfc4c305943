"""Entering many at once: the states of a bulk, what may be done in each, why somebody stays out, and how much it says.

A bulk is drafted first: that answers the blast radius and changes nothing. Then it is started (issue 5.6).
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from domain.contact_policy import ContactPolicy, Kind
from domain.durations import days, hours
from domain.messages import Limit, Message, Purpose

DAY, HOUR = days(1), hours(1)
FORECAST = 7  # days


class BulkState(StrEnum):
    """How a bulk stands. `looking`: its canary has entered, and somebody is to look before the others do."""

    DRAFTED = "drafted"
    RUNNING = "running"
    LOOKING = "looking"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"


ENDED = frozenset({BulkState.DONE, BulkState.CANCELLED})


class BulkCommand(StrEnum):
    """What people do to a bulk."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"


_NEXT: dict[tuple[BulkCommand, BulkState], BulkState] = {
    (BulkCommand.START, BulkState.DRAFTED): BulkState.RUNNING,
    (BulkCommand.PAUSE, BulkState.RUNNING): BulkState.PAUSED,
    (BulkCommand.PAUSE, BulkState.PAUSED): BulkState.PAUSED,
    (BulkCommand.RESUME, BulkState.PAUSED): BulkState.RUNNING,
    (BulkCommand.RESUME, BulkState.LOOKING): BulkState.RUNNING,
    (BulkCommand.RESUME, BulkState.RUNNING): BulkState.RUNNING,
    **{(BulkCommand.CANCEL, state): BulkState.CANCELLED for state in BulkState if state is not BulkState.DONE},
}


def after(command: BulkCommand, state: BulkState) -> BulkState | None:
    """The state after a command; the same one where it changes nothing, None where it cannot be done."""
    return _NEXT.get((command, state))


UNKNOWN = "unknown"
NAMED_TWICE = "named_twice"
NO_CHANNEL = "no_channel"
NOT_ENTERED = "bulk_failed"

REASONS: dict[str, dict[str, str]] = {
    "journey_erased": {"en": "Erased", "ru": "Данные удалены"},
    "opted_out_of_all": {"en": "Opted out of everything", "ru": "Отказались от всех сообщений"},
    "already_walking": {"en": "Walking it already", "ru": "Уже идут по этому пути"},
    "walked_before": {
        "en": "Walked it before, and may not again yet",
        "ru": "Уже прошли этот путь, повтор пока невозможен",
    },
    NO_CHANNEL: {
        "en": "No channel of its messages may reach them",
        "ru": "Нет канала, который доступен и разрешён",
    },
    UNKNOWN: {"en": "Not known here", "ru": "Таких клиентов здесь нет"},
    NAMED_TWICE: {"en": "Named more than once", "ru": "Указаны больше одного раза"},
    NOT_ENTERED: {"en": "Something failed; see the workers' log", "ru": "Произошёл сбой; подробности в журнале"},
}
"""Why somebody stays out of a bulk, by rule, as a heading above many; a customer's own timeline has the sentence."""


def reason(rule: str, locale: str = "en") -> str:
    """A rule as a heading."""
    return REASONS.get(rule, {}).get(locale, rule)


@dataclass(frozen=True, kw_only=True)
class Habit:
    """What walks of a journey were really sent: messages for each, in the first hour and on each of the first days."""

    walks: int
    first_hour: float
    by_day: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Volume:
    """How much a bulk does. `seconds` is until all have entered; the others count customers and messages.

    `at_most` is what the journey's messages, their own limits and the contact policy's cap and gap allow; `likely` is
    what earlier walks were sent (None: too few of them). Quiet hours may move what falls into them to the morning.
    """

    seconds: float
    entering_first_hour: int
    messages_first_hour_at_most: int
    messages_a_day_at_most: int
    messages_first_hour_likely: int | None = None
    messages_by_day_likely: tuple[int, ...] | None = None


def volume(
    entering: int,
    per_second: float,
    messages: Sequence[Message],
    policy: ContactPolicy,
    kind: Kind,
    habit: Habit | None,
) -> Volume:
    """The forecast of so many customers who enter at this rate."""
    first_hour = min(entering, math.floor(per_second * HOUR.total_seconds()))
    at_once, a_day = _each_at_most(messages, policy, kind)
    by_day = [min(entering, math.floor(per_second * DAY.total_seconds() * n)) for n in range(FORECAST + 1)]
    enter = [later - before for before, later in itertools.pairwise(by_day)]
    return Volume(
        seconds=entering / per_second,
        entering_first_hour=first_hour,
        messages_first_hour_at_most=first_hour * at_once,
        messages_a_day_at_most=entering * a_day,
        messages_first_hour_likely=round(first_hour * habit.first_hour) if habit else None,
        messages_by_day_likely=_spread(enter, habit.by_day) if habit else None,
    )


def _spread(enter: Sequence[int], by_day: Sequence[float]) -> tuple[int, ...]:
    """Messages on each day, when so many begin to walk on each."""
    return tuple(
        round(sum(enter[begun] * by_day[day - begun] for begun in range(day + 1) if day - begun < len(by_day)))
        for day in range(len(enter))
    )


def _each_at_most(messages: Sequence[Message], policy: ContactPolicy, kind: Kind) -> tuple[int, int]:
    """How many messages one customer can get of a journey within an hour, and within a day."""
    caps = [policy.cap, *([] if kind is Kind.TRIGGERED else [policy.scheduled_cap])]
    found = []
    for span in (HOUR, DAY):
        free = sum(_within(m.limit, span) for m in messages if m.purpose is not Purpose.TRANSACTIONAL)
        exempt = sum(_within(m.limit, span) for m in messages if m.purpose is Purpose.TRANSACTIONAL)
        apart = math.ceil(span / policy.gap) if policy.gap else free
        found.append(exempt + min(free, apart, *(_within(cap, span) for cap in caps)))
    return found[0], found[1]


def _within(limit: Limit, span: timedelta) -> int:
    return limit.times * math.ceil(span / limit.within)
