"""The contact policy against an oracle that knows nothing of its arithmetic: it walks the calendar in small steps."""

import itertools
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from domain.messages import Limit
from domain.policy import ContactPolicy, earliest
from domain.quiet_hours import QuietHours
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


def first_allowed(policy: ContactPolicy, zone: str, at: datetime, touches: list[datetime]) -> datetime:
    """The first step at which one more touch breaks nothing, every window of the cap counted out."""
    for instant, is_quiet in quiet_minutes(policy.quiet, zone, at - BEFORE, at + AFTER):
        if instant >= at and not is_quiet and not breaks(policy, [*touches, instant]):
            return instant
    raise AssertionError("nothing allowed; look further")


def breaks(policy: ContactPolicy, touches: list[datetime]) -> bool:
    """Whether these touches together break the gap, or overfill any half-open window [t, t + within)."""
    ordered = sorted(touches)
    too_close = any(b - a < policy.gap for a, b in itertools.pairwise(ordered))
    return too_close or any(
        sum(first <= t < first + policy.cap.within for t in ordered) > policy.cap.times for first in ordered
    )


@st.composite
def policies(draw: st.DrawFn) -> ContactPolicy:
    start, lasting = draw(steps), draw(st.integers(12, 18 * 6))  # two hours to eighteen
    end = (start + lasting) % (24 * 6)
    return a_policy(
        cap=Limit(times=draw(st.integers(1, 4)), within=draw(st.integers(1, 8 * 6)) * STEP * 3),
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
    touches: list[datetime] = []
    for touch in history:  # only histories that the policy could have made
        touches = touches if breaks(policy, [*touches, touch]) else [*touches, touch]

    slot, why = earliest(some_facts(place[0], touches=tuple(touches)), policy, at=at, send=SEND)

    assert slot == first_allowed(policy, place[0], at, touches)
    assert (why is None) == (slot == at)


@SEEDED
@given(places, policies(), st.lists(st.integers(0, 6 * 72), min_size=2, max_size=14))
def test_no_sequence_of_slots_breaks_cap_gap_or_quiet_hours(
    place: tuple[str, date], policy: ContactPolicy, wishes: list[int]
) -> None:
    touches: list[datetime] = []
    for wish in wishes:
        facts = some_facts(place[0], touches=tuple(touches))
        touches.append(earliest(facts, policy, at=on(place, wish), send=SEND)[0])

    assert not breaks(policy, touches)
    assert [t for t in touches if policy.quiet.end_after(t, place[0])] == []


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
