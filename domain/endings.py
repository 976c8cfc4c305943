"""How walks end, in words: one table for the console, the command line, rehearsals and the API's sentences."""

ENDINGS: dict[str, dict[str, str]] = {
    "converted": {"en": "converted", "ru": "цель достигнута"},
    "lapsed": {"en": "lapsed", "ru": "цель не достигнута"},
    "exited": {"en": "exited", "ru": "выход по событию"},
    "opted_out": {"en": "opted out", "ru": "отказ от сообщений"},
    "erased": {"en": "erased", "ru": "данные удалены"},
    "merged": {"en": "joined with another profile", "ru": "профили объединены"},
    "stopped": {"en": "stopped by staff", "ru": "остановлен сотрудником"},
    "stopped_by_operator": {"en": "stopped by an operator", "ru": "остановлен оператором"},
    "failed": {"en": "failed", "ru": "прерван ошибкой"},
    "fuse": {"en": "stopped by the fuse", "ru": "остановлен предохранителем"},
}
"""Every `domain.journeys.Outcome` and `Leaving`; it stands alone, before a number, or after “the journey ended:”."""


def ending_words(ending: str, locale: str) -> str:
    """An ending as people say it."""
    return ENDINGS[ending][locale]
