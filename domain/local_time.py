"""The customer's own clock: the next ten in the morning, the next Tuesday."""

import re
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from domain.errors import InvalidDeclaration

_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


class Weekday(StrEnum):
    """A day of the week, the first as in ISO 8601."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


def parse_clock(said: str) -> time:
    """A time of day, such as 09:30. Raises InvalidDeclaration."""
    if not (found := _CLOCK.fullmatch(said)):
        raise InvalidDeclaration(f"{said!r} is no time of day; write it as 09:30, from 00:00 to 23:59.")
    return time(int(found[1]), int(found[2]))


def next_local(after: datetime, clock: time, zone: str, weekday: Weekday | None = None) -> datetime:
    """The first instant (UTC) at or after another at which clocks in a zone show `clock`, on a weekday if one is said.

    Where the clocks skip it, it is moved on by the gap; where they repeat it, the first counts (PEP 495, fold 0).
    """
    place = ZoneInfo(zone)
    today = after.astimezone(place).date()
    for ahead in range(-1, 9):  # a zone may leave a whole day out (Apia, 2011), and a repeated hour may be yesterday's
        day = today + timedelta(days=ahead)
        if weekday is None or list(Weekday)[day.weekday()] is weekday:
            found = datetime.combine(day, clock, tzinfo=place).astimezone(UTC)
            if found >= after:
                return found
    raise AssertionError("a week has every weekday")
