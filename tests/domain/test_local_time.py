"""The customer's own clock."""

from datetime import UTC, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidDeclaration
from domain.local_time import Weekday, next_local, parse_clock

BERLIN, APIA = "Europe/Berlin", "Pacific/Apia"
ZONES = [BERLIN, APIA, "Australia/Lord_Howe", "America/New_York", "Asia/Almaty", "UTC"]


@pytest.mark.parametrize(
    ("after", "clock", "zone", "weekday", "found"),
    [
        ("2026-03-02T08:59:59", "10:00", BERLIN, None, "2026-03-02T09:00"),
        ("2026-03-02T09:00:00", "10:00", BERLIN, None, "2026-03-02T09:00"),  # it is ten
        ("2026-03-02T09:00:01", "10:00", BERLIN, None, "2026-03-03T09:00"),
        ("2026-03-02T12:00:00", "10:00", BERLIN, Weekday.MONDAY, "2026-03-09T09:00"),
        ("2026-03-02T12:00:00", "10:00", BERLIN, Weekday.TUESDAY, "2026-03-03T09:00"),
        ("2026-03-28T23:30:00", "02:30", BERLIN, None, "2026-03-29T01:30"),  # skipped: shown as 03:30
        ("2026-10-24T22:30:00", "02:30", BERLIN, None, "2026-10-25T00:30"),  # twice: the first
        ("2011-12-30T05:00:00", "10:00", APIA, None, "2011-12-30T20:00"),  # no 30th there: the 31st
    ],
)
def test_the_next_such_moment(after: str, clock: str, zone: str, weekday: Weekday | None, found: str) -> None:
    at = datetime.fromisoformat(after).replace(tzinfo=UTC)
    assert next_local(at, parse_clock(clock), zone, weekday) == datetime.fromisoformat(found).replace(tzinfo=UTC)


@given(
    st.integers(946684800, 2208988800),
    st.times(),
    st.sampled_from(ZONES),
    st.sampled_from([None, *Weekday]),
)
def test_it_is_never_before_and_about_a_week_away_at_most(
    instant: int, clock: time, zone: str, weekday: Weekday | None
) -> None:
    at, clock = datetime.fromtimestamp(instant, UTC), clock.replace(second=0, microsecond=0)
    found = next_local(at, clock, zone, weekday)
    assert at <= found
    assert (found - at).days < 8 or zone == APIA


@pytest.mark.parametrize("said", ["9:30", "24:00", "09.30", "", "09:60", "09:30:00"])
def test_only_a_time_of_day_is_one(said: str) -> None:
    with pytest.raises(InvalidDeclaration, match="write it as 09:30"):
        parse_clock(said)
