"""The words of a rehearsal's story, in English and Russian, beside those that the timeline has."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from services.saying import event_words
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

OUTCOMES = {
    "converted": {"en": "converted", "ru": "цель достигнута"},
    "lapsed": {"en": "lapsed", "ru": "цель не достигнута"},
    "exited": {"en": "exited", "ru": "выход по событию"},
    "opted_out": {"en": "left: opted out", "ru": "отказ от сообщений"},
    "erased": {"en": "left: erased", "ru": "прерван: данные удалены"},
    "merged": {"en": "left: merged", "ru": "прерван: профили объединены"},
    "stopped": {"en": "stopped by staff", "ru": "остановлен сотрудником"},
    "stopped_by_operator": {"en": "stopped by an operator", "ru": "остановлен оператором"},
    "failed": {"en": "failed", "ru": "прерван ошибкой"},
    "fuse": {"en": "stopped by the fuse", "ru": "остановлен предохранителем"},
}

_COUNTED = {
    "message": {"en": ("message", "messages"), "ru": ("сообщение", "сообщения", "сообщений")},
    "task": {"en": ("task", "tasks"), "ru": ("задача", "задачи", "задач")},
    "day": {"en": ("day", "days"), "ru": ("день", "дня", "дней")},
    "hour": {"en": ("hour", "hours"), "ru": ("час", "часа", "часов")},
    "minute": {"en": ("minute", "minutes"), "ru": ("минуту", "минуты", "минут")},
    "second": {"en": ("second", "seconds"), "ru": ("секунду", "секунды", "секунд")},
}
_DAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "ru": ("понедельник", "вторник", "среда", "четверг", "пятница", "суббота", "воскресенье"),
}
_SHORT = {"en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), "ru": ("пн", "вт", "ср", "чт", "пт", "сб", "вс")}
_MONTHS = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "ru": ("янв", "фев", "мар", "апр", "мая", "июн", "июл", "авг", "сен", "окт", "ноя", "дек"),
}


def say(word: str, language: str, **facts: object) -> str:
    """A sentence of WORDS."""
    return WORDS[word][language].format(**facts)


def counted(count: int, what: str, language: str) -> str:
    """So many of something, in the form that the language wants."""
    forms = _COUNTED[what][language]
    if language == "en":
        return f"{count} {forms[count != 1]}"
    few = count % 10 in (2, 3, 4) and count % 100 not in (12, 13, 14)
    one = count % 10 == 1 and count % 100 != 11
    return f"{count} {forms[0 if one else 1 if few else 2]}"


def long_date(at: datetime, language: str) -> str:
    """Monday 2 Mar."""
    comma = "," if language == "ru" else ""
    return f"{_DAYS[language][at.weekday()]}{comma} {at.day} {_MONTHS[language][at.month - 1]}"


def short_date(at: datetime, language: str) -> str:
    """Mon 2 Mar 10:00."""
    return f"{_SHORT[language][at.weekday()]} {at.day} {_MONTHS[language][at.month - 1]} {at:%H:%M}"


def lasting(duration: timedelta, language: str) -> str:
    """A duration in one unit or two: 2 days, 9 hours 30 minutes."""
    seconds = round(duration.total_seconds())
    said = []
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count, seconds = divmod(seconds, length)
        if count:
            said.append(counted(count, unit, language))
    return " ".join(said[:2]) or counted(0, "second", language)


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
    """An event as the timeline calls it; where its sentence has gaps, by its name."""
    said = event_words(name, language)
    return f"«{said}»" if language == "ru" else f"“{said}”"
