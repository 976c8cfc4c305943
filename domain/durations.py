"""Durations as people write and read them: `days(2)` in code, "2 days" in data and in every summary."""

import re
from datetime import timedelta

from domain.errors import InvalidInput

UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
_WORDS = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(second|minute|hour|day|week)s?\s*$")


def minutes(count: float) -> timedelta:
    """`count` minutes."""
    return timedelta(minutes=count)


def hours(count: float) -> timedelta:
    """`count` hours."""
    return timedelta(hours=count)


def days(count: float) -> timedelta:
    """`count` days of 24 hours."""
    return timedelta(days=count)


def parse_duration(words: str) -> timedelta:
    """ "2 days", "36 hours", "1.5 weeks" as a timedelta. Raises InvalidInput for anything else."""
    found = _WORDS.match(words)
    if not found:
        raise InvalidInput([f'{words[:40]!r} is not a duration; write for example "2 days" or "36 hours"'])
    try:
        return timedelta(seconds=float(found[1]) * UNITS[found[2]])
    except OverflowError:
        raise InvalidInput([f"{words[:40]!r} is longer than anything lasts"]) from None


def spoken(duration: timedelta) -> str:
    """The shortest exact words for a duration: 2 days, 36 hours, 90 minutes."""
    seconds = duration.total_seconds()
    for unit in ("day", "hour", "minute"):
        count = seconds / UNITS[unit]
        if count == int(count) and count >= 1:
            return f"{int(count)} {unit}{'' if count == 1 else 's'}"
    return f"{seconds:g} second{'' if seconds == 1 else 's'}"
