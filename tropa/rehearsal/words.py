"""The words of a rehearsal's story, in English and Russian, beside those that the timeline has."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from domain.dates import month, weekday
from domain.durations import SAID, UNITS, counted
from domain.event_words import event_words
from tropa.rehearsal.waits import Wait

WORDS = {
    "title": {
        "en": "{journey}, rehearsed for {name}: {tongue}, {zone}, from {start}",
        "ru": "{journey}: репетиция. {name}, {tongue}, {zone}; начало {start}",
    },
    "day": {"en": "Day {day}, {date}", "ru": "День {day}, {date}"},
    "waits": {"en": "waits {lasting}, until {until}", "ru": "ждёт {lasting}, до {until}"},
    "waits for": {
        "en": "waits for {events}, {lasting} at most, until {until}",
        "ru": "ждёт {lasting}, до {until}, не будет ли: {events}",
    },
    "waits clock": {
        "en": "waits for {clock} by their own clock, until {until}",
        "ru": "ждёт {clock} по местному времени клиента, до {until}",
    },
    "cut short": {"en": "; over on {over}", "ru": "; закончилось {over}"},
    "or": {"en": " or ", "ru": " или "},
    "end": {"en": "{journey}: {how} on day {day}. {counts}.", "ru": "{journey}: {how}, день {day}. {counts}."},
    "still": {
        "en": "{journey}: still walking after {days}. {counts}.",
        "ru": "{journey}: спустя {days} путь продолжается. {counts}.",
    },
    "nothing": {"en": "{journey} did not start.", "ru": "{journey}: путь не начался."},
    "in vain": {"en": "Never came: “{event}” after “{after}”", "ru": "Не наступило: «{event}» после «{after}»"},
    "to": {"en": "to {recipient}", "ru": "кому: {recipient}"},
}

MESSAGES = {"en": ("message", "messages"), "ru": ("сообщение", "сообщения", "сообщений")}
TASKS = {"en": ("task", "tasks"), "ru": ("задача", "задачи", "задач")}


def say(word: str, language: str, **facts: object) -> str:
    """A sentence of WORDS."""
    return WORDS[word][language].format(**facts)


def long_date(at: datetime, language: str) -> str:
    """Monday 2 Mar."""
    comma = "," if language == "ru" else ""
    return f"{weekday(at, language)}{comma} {at.day} {month(at, language, short=True)}"


def short_date(at: datetime, language: str) -> str:
    """Mon 2 Mar 10:00."""
    return f"{weekday(at, language, short=True)} {at.day} {month(at, language, short=True)} {at:%H:%M}"


def lasting(duration: timedelta, language: str) -> str:
    """A duration in one unit or two: 2 days, 9 hours 30 minutes."""
    seconds = round(duration.total_seconds())
    said = []
    for unit, forms in SAID.items():
        count, seconds = divmod(seconds, UNITS[unit])
        if count:
            said.append(counted(count, forms, language))
    return " ".join(said[:2]) or counted(0, SAID["second"], language)


def wait_sentence(wait: Wait, language: str, zone: ZoneInfo) -> str:
    """A wait in words: how long at most, for what, and when it was over if sooner."""
    facts = {
        "lasting": lasting(wait.until - wait.since, language),
        "until": short_date(wait.until.astimezone(zone), language),
        "events": say("or", language).join(_event(each, language) for each in wait.events),
        "clock": wait.clock,
    }
    word = "waits for" if wait.events else "waits clock" if wait.clock else "waits"
    told = say(word, language, **facts)
    if wait.over and wait.until - wait.over > timedelta(minutes=1):
        told += say("cut short", language, over=short_date(wait.over.astimezone(zone), language))
    return told


def _event(name: str, language: str) -> str:
    """An event as everybody calls it."""
    said = event_words(name, language)
    return f"«{said}»" if language == "ru" else f"“{said}”"
