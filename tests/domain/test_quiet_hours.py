"""Quiet hours on the days when clocks change (F36)."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain.quiet_hours import QuietHours, known_zone
from tests.domain.builders import utc

NIGHT = QuietHours()
UNTIL_HALF_PAST_TWO = QuietHours(start=time(21), end=time(2, 30))


def local(zone: str, *parts: int, fold: int = 0) -> datetime:
    return datetime(*parts, tzinfo=ZoneInfo(zone), fold=fold)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("at", "end"),
    [
        (local("Europe/Berlin", 2026, 6, 1, 20, 59), None),
        (local("Europe/Berlin", 2026, 6, 1, 21, 0), local("Europe/Berlin", 2026, 6, 2, 9)),
        (local("Europe/Berlin", 2026, 6, 2, 8, 59), local("Europe/Berlin", 2026, 6, 2, 9)),
        (local("Europe/Berlin", 2026, 6, 2, 9, 0), None),
        # The night of the change lasts eleven hours in March and thirteen in October; the end is nine o'clock.
        (local("Europe/Berlin", 2026, 3, 28, 21), utc(2026, 3, 29, 7)),
        (local("Europe/Berlin", 2026, 10, 24, 21), utc(2026, 10, 25, 8)),
        (local("Australia/Lord_Howe", 2026, 10, 3, 21), local("Australia/Lord_Howe", 2026, 10, 4, 9)),
        (local("Australia/Lord_Howe", 2026, 4, 4, 21), local("Australia/Lord_Howe", 2026, 4, 5, 9)),
        # Apia left 30 December 2011 out: the evening of the 29th is followed by the morning of the 31st.
        (local("Pacific/Apia", 2011, 12, 29, 22), local("Pacific/Apia", 2011, 12, 31, 9)),
        (local("Pacific/Apia", 2011, 12, 31, 5), local("Pacific/Apia", 2011, 12, 31, 9)),
        (local("Pacific/Apia", 2011, 12, 31, 22), local("Pacific/Apia", 2012, 1, 1, 9)),
    ],
)
def test_a_night_ends_at_nine_whatever_the_clocks_do(at: datetime, end: datetime | None) -> None:
    assert NIGHT.end_after(at, str(at.tzinfo)) == end


@pytest.mark.parametrize(
    ("at", "end"),
    [
        # Berlin, 29 March: half past two is skipped and happens at half past three, once.
        (utc(2026, 3, 29, 0, 59), utc(2026, 3, 29, 1, 30)),
        (utc(2026, 3, 29, 1, 10), utc(2026, 3, 29, 1, 30)),
        (utc(2026, 3, 29, 1, 30), None),
        # Berlin, 25 October: half past two comes twice, and counts the first time.
        (utc(2026, 10, 25, 0, 15), utc(2026, 10, 25, 0, 30)),
        (utc(2026, 10, 25, 0, 30), None),
        (utc(2026, 10, 25, 1, 15), None),
    ],
)
def test_an_end_that_is_skipped_moves_on_and_one_that_is_repeated_counts_once(
    at: datetime, end: datetime | None
) -> None:
    assert UNTIL_HALF_PAST_TWO.end_after(at, "Europe/Berlin") == end


@pytest.mark.parametrize(
    ("ends", "at", "end"),
    [
        # Lord Howe moves by half an hour: 02:00 becomes 02:30 on 4 October, and 01:30 again on 5 April.
        (time(2, 15), utc(2026, 10, 3, 15, 25), utc(2026, 10, 3, 15, 45)),
        (time(2, 15), utc(2026, 10, 3, 15, 40), utc(2026, 10, 3, 15, 45)),
        (time(1, 45), utc(2026, 4, 4, 14, 40), utc(2026, 4, 4, 14, 45)),
        (time(1, 45), utc(2026, 4, 4, 15, 10), None),
    ],
)
def test_half_an_hour_is_enough_to_be_skipped_or_repeated(ends: time, at: datetime, end: datetime | None) -> None:
    assert QuietHours(start=time(21), end=ends).end_after(at, "Australia/Lord_Howe") == end


def test_hours_within_one_day_are_quiet_too() -> None:
    siesta = QuietHours(start=time(13), end=time(15))

    assert siesta.end_after(utc(2026, 6, 1, 13), "UTC") == utc(2026, 6, 1, 15)
    assert siesta.end_after(utc(2026, 6, 1, 15), "UTC") is None
    assert siesta.end_after(utc(2026, 6, 1, 12, 59), "UTC") is None


def test_a_start_that_is_its_own_end_is_no_quiet_hours() -> None:
    none = QuietHours(start=time(9), end=time(9))

    assert [none.end_after(utc(2026, 6, 1) + timedelta(hours=n), "UTC") for n in range(24)] == [None] * 24


@pytest.mark.parametrize(
    ("name", "known"), [("Europe/Berlin", True), ("Mars/Olympus", False), ("", False), (None, False), ("../x", False)]
)
def test_only_zones_of_the_data_base_are_known(name: str | None, known: bool) -> None:
    assert known_zone(name) is known
