"""The words of an exploration, in English and Russian."""

WORDS = {
    "start": {"en": "enters", "ru": "начало"},
    "message": {"en": "message", "ru": "сообщение"},
    "task": {"en": "task for a person", "ru": "задача сотруднику"},
    "notice": {"en": "the staff are told", "ru": "сообщить сотрудникам"},
    "crm": {"en": "told to the CRM", "ru": "запись в CRM"},
    "end": {"en": "the end", "ru": "конец"},
    "day": {"en": "day {day}", "ru": "день {day}"},
    "anytime": {"en": "At any time", "ru": "В любой момент"},
    "title": {
        "en": "{journey}: all of it was reached, in {walks} walks.",
        "ru": "{journey}: пройдено всё, проходов: {walks}.",
    },
    "gaps": {
        "en": "{journey}: not everything was reached, in {walks} walks.",
        "ru": "{journey}: пройдено не всё, проходов: {walks}.",
    },
    "cut off": {
        "en": "The search was cut off; there may be more.",
        "ru": "Поиск прерван по времени; возможно, есть ещё пути.",
    },
    "silence": {"en": "silence", "ru": "без событий"},
    "not reached": {"en": "Not reached", "ru": "Не достигнуто"},
    "never sent": {"en": "message {name}", "ru": "сообщение {name}"},
    "never true": {"en": "never true:  {source}", "ru": "никогда не верно:  {source}"},
    "never false": {"en": "never false: {source}", "ru": "всегда верно: {source}"},
    "never ran": {"en": "never ran:   {source}", "ru": "не выполнялось: {source}"},
    "breaks": {"en": "Breaks: {what}", "ru": "Ломается: {what}"},
    "reached": {"en": "Reached, each by its shortest way", "ru": "Достигнуто, каждое кратчайшим путём"},
}

KINDS = {
    "start": {"en": "start", "ru": "начало"},
    "message": {"en": "message", "ru": "сообщение"},
    "task": {"en": "task", "ru": "задача"},
    "notice": {"en": "notice", "ru": "уведомление"},
    "crm": {"en": "CRM", "ru": "CRM"},
    "end": {"en": "end", "ru": "конец"},
}


def say(word: str, language: str, **facts: object) -> str:
    """A sentence of WORDS."""
    return WORDS[word][language].format(**facts)
