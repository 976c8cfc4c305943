"""Days as people read them, in their zone and language."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

MONTHS = {
    "en": "January February March April May June July August September October November December",
    "ru": "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
}


def date(at: datetime, zone: str, lang: str) -> str:
    """A day within a sentence, as it is in a zone: 2 March 2026, 2 марта 2026. Other languages are told in English."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{local.day} {MONTHS.get(lang, MONTHS['en']).split()[local.month - 1]} {local.year}"


def until(at: datetime, zone: str, lang: str) -> str:
    """An end: the last day where it is a midnight there, otherwise the day with the hour: 9 March 2026, 17:00."""
    local = at.astimezone(ZoneInfo(zone))
    if local.time() == time(0):
        return date(at - timedelta(hours=1), zone, lang)
    return f"{date(at, zone, lang)}, {local:%H:%M}"
