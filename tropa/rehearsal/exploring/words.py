"""The words of an exploration, in English and Russian."""

WORDS = {
    "start": {"en": "enters", "ru": "начало"},
    "message": {"en": "message", "ru": "сообщение"},
    "task": {"en": "task for a person", "ru": "задача сотруднику"},
    "notice": {"en": "the staff are told", "ru": "сообщить сотрудникам"},
    "crm": {"en": "told to the CRM", "ru": "запись в CRM"},
    "end": {"en": "the end", "ru": "конец"},
    "day": {"en": "day {day}", "ru": "день {day}"},
    "unreachable": {"en": "cannot be reached", "ru": "связи нет"},
    "no orders": {"en": "no orders yet", "ru": "заказов ещё нет"},
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

FACTS = {
    "orders": {"en": "orders: {}", "ru": "заказов: {}"},
    "revenue": {"en": "has spent {}", "ru": "потрачено {}"},
    "engagement": {"en": "engagement {}", "ru": "вовлечённость {}"},
    "last_order_at": {"en": "last order {}\N{NO-BREAK SPACE}ago", "ru": "последний заказ: {}\N{NO-BREAK SPACE}назад"},
    "cadence_days": {"en": "orders every {}", "ru": "заказы раз в {}"},
    "feature_used_at": {
        "en": "used the product {}\N{NO-BREAK SPACE}ago",
        "ru": "пользуется продуктом: {}\N{NO-BREAK SPACE}назад",
    },
    "activated_at": {"en": "first success {}\N{NO-BREAK SPACE}ago", "ru": "первый успех: {}\N{NO-BREAK SPACE}назад"},
    "last_active_at": {"en": "last seen {}\N{NO-BREAK SPACE}ago", "ru": "активность: {}\N{NO-BREAK SPACE}назад"},
    "complains": {"en": "a complaint is open", "ru": "есть открытая жалоба"},
    "stage": {"en": "stage {}", "ru": "стадия {}"},
    "audiences": {"en": "audience: {}", "ru": "аудитория: {}"},
    "reachable": {"en": "reached by {} alone", "ru": "доступен только {}"},
}
"""What a customer is, as an exploration names it, and as it is told."""


def say(word: str, language: str, **facts: object) -> str:
    """A sentence of WORDS."""
    return WORDS[word][language].format(**facts)
