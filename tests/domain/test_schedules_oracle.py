"""10,000 random schedules of one customer each: every wish gets the slot that the brute-force oracle gives it.

Each is made from its number, so that one that differs can be played alone. Everything lies on half hours, so that the
oracle may walk in half hours.
"""

import functools
import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from domain.contact_policy import ContactPolicy, Kind, Touch
from domain.customers import Audience, Frequency
from domain.messages import Channel, Limit
from domain.policy import earliest
from domain.quiet_hours import QuietHours
from domain.send_facts import SendFacts
from tests.domain.builders import SEND, a_policy, some_facts
from tests.domain.test_policy_oracle import AFTER, BEFORE, DAYS, breaks, on, quiet_minutes

SCHEDULES = 10_000
HALF_HOUR = timedelta(minutes=30)
PLACES = [(zone, day) for zone, days in DAYS.items() for day in days]
QUIET = 25  # different quiet hours in each place
WISHED = timedelta(days=3)  # from the first wish to the last


def test_every_slot_is_the_oracles() -> None:
    assert [number for number in range(SCHEDULES) if not agrees(number)] == []


def agrees(number: int) -> bool:
    """Whether policy and oracle give the same slots, one wish after another."""
    chance = random.Random(number)
    place, which = chance.choice(PLACES), chance.randrange(QUIET)
    policy, touches = a_random_policy(chance, quiet_hours(place, which)), list[Touch]()
    customer = some_facts(
        place[0],
        audiences=frozenset(chance.sample(list(Audience), chance.randrange(3))),
        frequency=chance.choice([None, None, *Frequency]),
        snoozed_until=chance.choice([None, None, halves_after(place, chance.randrange(48))]),
    )
    for wish in sorted(chance.randrange(int(WISHED / HALF_HOUR)) for _ in range(chance.randint(3, 6))):
        at, kind = halves_after(place, wish), chance.choice(list(Kind))
        channel = chance.choice([Channel.EMAIL, Channel.WHATSAPP, Channel.IN_APP])
        facts = replace(customer, kind=kind, touches=tuple(touches))
        slot, why = earliest(facts, policy, at=at, send=SEND, channel=channel)
        if slot != oracles(calendar(place, which), policy, facts, at, channel) or (why is None) != (slot == at):
            return False
        touches.append(Touch(at=slot, kind=kind, channel=channel))
    return True


def oracles(
    quiet: Mapping[datetime, bool], policy: ContactPolicy, facts: SendFacts, at: datetime, channel: Channel
) -> datetime:
    """The first half hour from `at` at which one more touch breaks nothing."""
    return next(
        instant
        for instant in half_hours(at)
        if not quiet[instant]
        and not (facts.snoozed_until and instant < facts.snoozed_until)
        and not breaks(policy, facts, [*facts.touches, Touch(at=instant, kind=facts.kind, channel=channel)])
    )


def half_hours(at: datetime) -> Iterator[datetime]:
    while True:
        yield at
        at += HALF_HOUR


def halves_after(place: tuple[str, date], halves: int) -> datetime:
    return on(place, 0) + halves * HALF_HOUR


@functools.cache
def quiet_hours(place: tuple[str, date], which: int) -> QuietHours:
    """Between two and eighteen hours of the day."""
    chance = random.Random(f"{place} {which}")
    start, lasting = chance.randrange(48), chance.randint(4, 36)
    end = (start + lasting) % 48
    return QuietHours(start=time(start // 2, start % 2 * 30), end=time(end // 2, end % 2 * 30))


@functools.cache
def calendar(place: tuple[str, date], which: int) -> Mapping[datetime, bool]:
    """Which instants of two weeks are quiet, as a clock on the wall switches it on and off."""
    since = on(place, 0)
    return dict(quiet_minutes(quiet_hours(place, which), place[0], since - BEFORE, since + WISHED + AFTER))


def a_random_policy(chance: random.Random, quiet: QuietHours) -> ContactPolicy:
    def limit(most_hours: int) -> Limit:
        return Limit(times=chance.randint(1, 3), within=chance.randint(2, 2 * most_hours) * HALF_HOUR)

    return a_policy(
        cap=limit(24),
        gap=chance.randrange(13) * HALF_HOUR,
        quiet=quiet,
        scheduled_cap=limit(24),
        reactivation=limit(12),
        audiences={audience: limit(12) for audience in Audience},
        frequencies={frequency: limit(36) for frequency in Frequency},
        whatsapp_before_email=chance.randrange(49) * HALF_HOUR,
    )
