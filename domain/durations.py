"""Durations as people write and read them: `days(2)` in code, "2 days" in data and in every summary."""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta

from domain.errors import InvalidInput

UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
SAID: Mapping[str, Mapping[str, Sequence[str]]] = {
    "day": {"en": ("day", "days"), "ru": ("день", "дня", "дней")},
    "hour": {"en": ("hour", "hours"), "ru": ("час", "часа", "часов")},
    "minute": {"en": ("minute", "minutes"), "ru": ("минуту", "минуты", "минут")},
    "second": {"en": ("second", "seconds"), "ru": ("секунду", "секунды", "секунд")},
}
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


def spoken(duration: timedelta, locale: str = "en") -> str:
    """The shortest exact words for a duration: 2 days, 36 hours, 90 minutes. In Russian as after “за”: 1 минуту."""
    seconds = duration.total_seconds()
    for unit in ("day", "hour", "minute"):
        count = seconds / UNITS[unit]
        if count == int(count) and count >= 1:
            return counted(int(count), SAID[unit], locale)
    return f"{seconds:g} {plural(seconds, SAID['second'][locale], locale)}"


def spoken_roughly(seconds: float, locale: str = "en") -> str:
    """About how long: in its largest whole unit, rounded up; less than a second is a second."""
    unit = next((each for each in ("day", "hour", "minute") if seconds >= UNITS[each]), "second")
    return counted(max(1, math.ceil(seconds / UNITS[unit])), SAID[unit], locale)


def counted(count: int, forms: Mapping[str, Sequence[str]], locale: str) -> str:
    """So many of something, in the form that the language wants."""
    return f"{count} {plural(count, forms[locale], locale)}"


def plural(count: float, forms: Sequence[str], locale: str) -> str:
    """Which of the forms: in English of one and of many, in Russian of one, of few and of many."""
    if locale != "ru":
        return forms[count != 1]
    if count != int(count):
        return forms[1]
    few = count % 10 in (2, 3, 4) and count % 100 not in (12, 13, 14)
    one = count % 10 == 1 and count % 100 != 11
    return forms[0 if one else 1 if few else 2]
