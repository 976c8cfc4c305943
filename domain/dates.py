"""Days as people read them, in their zone and language. Other languages than ours are told in English."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAYS = {
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "ru": "понедельник вторник среда четверг пятница суббота воскресенье",
}
_SHORT_DAYS = {"en": "Mon Tue Wed Thu Fri Sat Sun", "ru": "пн вт ср чт пт сб вс"}
_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "ru": "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
}


def weekday(at: datetime, lang: str, *, short: bool = False) -> str:
    """The day of the week of a local time: Monday, or Mon."""
    return _of(_SHORT_DAYS if short else _DAYS, at.weekday(), lang)


def month(at: datetime, lang: str, *, short: bool = False) -> str:
    """The month of a local time, as it stands behind the day: March, or Mar; марта, or мар."""
    return _of(_MONTHS, at.month - 1, lang)[: 3 if short else None]


def date(at: datetime, zone: str, lang: str) -> str:
    """A day within a sentence, as it is in a zone: 2 March 2026, 2 марта 2026."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{local.day} {month(local, lang)} {local.year}"


def until(at: datetime, zone: str, lang: str) -> str:
    """An end: the last day where it is a midnight there, otherwise the day with the hour: 9 March 2026, 17:00."""
    local = at.astimezone(ZoneInfo(zone))
    if local.time() == time(0):
        return date(at - timedelta(hours=1), zone, lang)
    return f"{date(at, zone, lang)}, {local:%H:%M}"


def _of(names: dict[str, str], number: int, lang: str) -> str:
    return names.get(lang, names["en"]).split()[number]
