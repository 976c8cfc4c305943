"""The contact policy against an oracle that knows nothing of its arithmetic: it walks the calendar in small steps."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from domain.contact_policy import ContactPolicy, Kind, Touch
from domain.customers import Audience, Frequency
from domain.messages import Channel, Limit
from domain.policy import earliest
from domain.quiet_hours import QuietHours
from domain.send_facts import SendFacts
from tests.domain.builders import SEEDED, SEND, a_policy, some_facts

STEP = timedelta(minutes=10)
BEFORE, AFTER = timedelta(days=3), timedelta(days=9)

# Around changes of the clocks: an hour in Berlin and New York, half an hour on Lord Howe, a day that Apia left out.
DAYS = {
    "UTC": [date(2026, 6, 1)],
    "Europe/Berlin": [date(2026, 3, 28), date(2026, 10, 24), date(2026, 6, 1)],
    "America/New_York": [date(2026, 3, 7), date(2026, 10, 31)],
    "Australia/Lord_Howe": [date(2026, 4, 4), date(2026, 10, 3)],
    "Pacific/Apia": [date(2011, 12, 29), date(2026, 6, 1)],
    "Asia/Kathmandu": [date(2026, 6, 1)],
}

steps = st.integers(0, 24 * 6 - 1)
wall_times = steps.map(lambda n: time(n // 6, n % 6 * 10))
places = st.sampled_from([(zone, day) for zone, days in DAYS.items() for day in days])


def quiet_minutes(quiet: QuietHours, zone: str, since: datetime, until: datetime) -> Iterator[tuple[datetime, bool]]:
    """Each step with whether it is quiet: switched on at `start` and off at `end` by a clock on the wall.

    What the clock skips happens as much later as it skipped; what it repeats, happened the first time.
    """
    is_quiet, before, switched = False, None, set[datetime]()
    late: dict[datetime, time] = {}
    at = since
    while at < until:
        wall = at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        skipped = (wall - before - STEP) if before else timedelta(0)
        for n in range(int(skipped / STEP) if skipped > timedelta(0) else 0):
            missed = (before or wall) + STEP * (n + 1)
            late[missed + skipped] = missed.time()
        now = {wall.time()} | ({late.pop(wall)} if wall in late else set())
        if wall not in switched:
            switched.add(wall)
            if quiet.end in now:
                is_quiet = False
            if quiet.start in now:
                is_quiet = True
        yield at, is_quiet
        at, before = at + STEP, wall


def first_allowed(policy: ContactPolicy, facts: SendFacts, at: datetime, channel: Channel | None = None) -> datetime:
    """The first step at which one more touch breaks nothing, every window of every limit counted out."""
    for instant, is_quiet in quiet_minutes(policy.quiet, facts.zone, at - BEFORE, at + AFTER):
        if instant < at or is_quiet or (facts.snoozed_until and instant < facts.snoozed_until):
            continue
        if not breaks(policy, facts, [*facts.touches, Touch(at=instant, kind=facts.kind, channel=channel)]):
            return instant
    raise AssertionError("nothing allowed; look further")


def breaks(policy: ContactPolicy, facts: SendFacts, touches: Sequence[Touch]) -> bool:
    """Whether these touches, of which the last is new, break a rule about time; the rules written down once more."""
    new, ordered = touches[-1], sorted(touch.at for touch in touches)
    if any(b - a < policy.gap for a, b in itertools.pairwise(ordered)):
        return True
    if overfull(ordered, policy.cap, new.at):
        return True
    if facts.frequency and overfull(ordered, policy.frequencies[facts.frequency], new.at):
        return True
    if new.channel is Channel.EMAIL:
        for other in touches[:-1]:
            after = new.at - other.at
            if other.channel is Channel.WHATSAPP and timedelta(0) <= after < policy.whatsapp_before_email:
                return True
    planned = sorted(touch.at for touch in touches if touch.kind is not Kind.TRIGGERED)
    if new.kind is Kind.TRIGGERED:
        return False
    if overfull(planned, policy.scheduled_cap, new.at):
        return True
    if new.kind is Kind.REACTIVATION:
        return overfull(planned, policy.reactivation, new.at)
    return any(overfull(planned, policy.audiences[audience], new.at) for audience in facts.audiences)


def overfull(ordered: list[datetime], limit: Limit, new: datetime) -> bool:
    """Whether any half-open window [t, t + within) that holds the new touch holds too many."""
    return any(
        sum(first <= t < first + limit.within for t in ordered) > limit.times
        for first in ordered
        if first <= new < first + limit.within
    )


@st.composite
def policies(draw: st.DrawFn) -> ContactPolicy:
    start, lasting = draw(steps), draw(st.integers(12, 18 * 6))  # two hours to eighteen
    end = (start + lasting) % (24 * 6)
    return a_policy(
        cap=Limit(times=draw(st.integers(1, 4)), within=draw(st.integers(2, 8 * 6)) * STEP * 3),
        gap=draw(st.integers(0, 6 * 6)) * STEP,
        quiet=QuietHours(start=time(start // 6, start % 6 * 10), end=time(end // 6, end % 6 * 10)),
    )


def on(place: tuple[str, date], step: int) -> datetime:
    """A step of a local day, counted from its midnight in elapsed time."""
    zone, day = place
    return datetime.combine(day, time(0), tzinfo=ZoneInfo(zone)).astimezone(UTC) + step * STEP


@SEEDED
@given(places, policies(), steps, st.lists(st.integers(-6 * 24, 6 * 36), max_size=8))
def test_the_earliest_slot_is_the_first_that_the_oracle_allows(
    place: tuple[str, date], policy: ContactPolicy, step: int, around: list[int]
) -> None:
    at = on(place, step)
    history = [at + n * STEP for n in around]
    facts = some_facts(place[0], touches=possible(policy, [Touch(at=touch) for touch in history]))

    slot, why = earliest(facts, policy, at=at, send=SEND)

    assert slot == first_allowed(policy, facts, at)
    assert (why is None) == (slot == at)


def possible(policy: ContactPolicy, history: Iterable[Touch]) -> tuple[Touch, ...]:
    """Of a history only what the gap, the cap and the cap of scheduled touches could have let happen."""
    kept: list[Touch] = []
    for touch in history:
        plain = some_facts(kind=touch.kind)
        kept = kept if breaks(policy, plain, [*kept, replace(touch, channel=None)]) else [*kept, touch]
    return tuple(kept)


limits = st.builds(Limit, times=st.integers(1, 3), within=st.integers(2, 12).map(lambda n: n * 6 * STEP))


@SEEDED
@given(st.data(), places, policies(), steps)
def test_with_kinds_channels_and_choices_the_oracle_still_agrees(
    data: st.DataObject, place: tuple[str, date], policy: ContactPolicy, step: int
) -> None:
    at = on(place, step)
    policy = replace(
        policy,
        scheduled_cap=data.draw(limits),
        reactivation=data.draw(limits),
        audiences={audience: data.draw(limits) for audience in Audience},
        frequencies={frequency: data.draw(limits) for frequency in Frequency},
        whatsapp_before_email=data.draw(st.integers(0, 12)) * 6 * STEP,
    )
    channels = st.sampled_from([Channel.EMAIL, Channel.WHATSAPP])
    touches = st.builds(
        Touch,
        at=st.integers(-6 * 24, 6 * 24).map(lambda n: at + n * STEP),
        kind=st.sampled_from(Kind),
        channel=channels,
    )
    facts = some_facts(
        place[0],
        kind=data.draw(st.sampled_from(Kind)),
        audiences=data.draw(st.frozensets(st.sampled_from(Audience))),
        frequency=data.draw(st.sampled_from([None, *Frequency])),
        snoozed_until=data.draw(st.one_of(st.none(), st.integers(-12, 60).map(lambda n: at + n * STEP))),
        touches=possible(policy, data.draw(st.lists(touches, max_size=6))),
    )
    channel = data.draw(channels)

    slot, why = earliest(facts, policy, at=at, send=SEND, channel=channel)

    assert slot == first_allowed(policy, facts, at, channel)
    assert (why is None) == (slot == at)


@SEEDED
@given(places, policies(), st.lists(st.integers(0, 6 * 72), min_size=2, max_size=14))
def test_no_sequence_of_slots_breaks_cap_gap_or_quiet_hours(
    place: tuple[str, date], policy: ContactPolicy, wishes: list[int]
) -> None:
    touches: list[Touch] = []
    for wish in wishes:
        facts = some_facts(place[0], touches=tuple(touches))
        touches.append(Touch(at=earliest(facts, policy, at=on(place, wish), send=SEND)[0]))

    assert not breaks(policy, facts, touches)
    assert [t for t in touches if policy.quiet.end_after(t.at, place[0])] == []


@SEEDED
@given(places, wall_times, st.integers(12, 18 * 6))
def test_an_instant_is_quiet_exactly_when_the_oracle_says_so(
    place: tuple[str, date], start: time, lasting: int
) -> None:
    end = (start.hour * 6 + start.minute // 10 + lasting) % (24 * 6)
    quiet = QuietHours(start=start, end=time(end // 6, end % 6 * 10))
    since = on(place, 0)

    told = list(quiet_minutes(quiet, place[0], since - BEFORE, since + timedelta(days=3)))

    settled = [(at, is_quiet) for at, is_quiet in told if at >= since]
    assert [at for at, is_quiet in settled if bool(quiet.end_after(at, place[0])) is not is_quiet] == []
