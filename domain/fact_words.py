"""The facts of a decision in words, by their names: what is stored for programs, as people say it."""

import re
from collections.abc import Callable, Mapping

from domain.durations import parse_duration, spoken
from domain.endings import ENDINGS, ending_words
from domain.event_words import cause_words

_CHANNELS = {
    "en": {
        "sms": "SMS",
        "whatsapp": "WhatsApp",
        "telegram": "Telegram",
        "web_push": "browser notification",
        "in_app": "notice on the site",
    },
    "ru": {
        "sms": "SMS",
        "whatsapp": "WhatsApp",
        "telegram": "Telegram",
        "web_push": "уведомление в браузере",
        "in_app": "сообщение на сайте",
    },
}
_GATEWAYS = {
    "en": {"sandbox": "the sandbox", "smtp": "the mail server", "twilio": "Twilio", "telegram": "Telegram"},
    "ru": {"sandbox": "песочница", "smtp": "почтовый сервер", "twilio": "Twilio", "telegram": "Telegram"},
}
_WORDS = {
    "ru": {
        "transactional": "транзакция",
        "service": "сервис",
        "value": "польза",
        "offer": "предложение",
        "feedback": "вопрос",
        "cart": "корзина",
        "order": "заказ",
        "deal": "сделка",
        "product": "товар",
        "category": "категория",
        "once": "один раз",
        "a complaint": "жалоба",
        "it bounced for good": "письма возвращаются",
        "the provider called it dead": "провайдер назвал его недействующим",
        "erased": "данные клиента удалены",
        "no reason given": "причина не названа",
        "stage": "этап",
        "outcome": "исход",
        "task": "задача",
    },
}
_EVERY = re.compile(r"at most once in (?P<time>.+)")


def in_words(name: str, value: object, locale: str) -> object:
    """A fact as people say it; what has no words here stays as it is."""
    if isinstance(value, (list, tuple)):
        return [in_words(name, each, locale) for each in value]
    say = _BY_NAME.get(name)
    return say(value, locale) if say and isinstance(value, str) else value


def _channel(value: str, locale: str) -> str:
    return _CHANNELS[locale].get(value, value)


def _gateway(value: str, locale: str) -> str:
    return _GATEWAYS[locale].get(value, value)


def _ending(value: str, locale: str) -> str:
    return ending_words(value, locale) if value in ENDINGS else value


def _word(value: str, locale: str) -> str:
    return _WORDS.get(locale, {}).get(value, value)


def _duration(value: str, locale: str) -> str:
    return spoken(parse_duration(value), locale)


def _how_often(value: str, locale: str) -> str:
    every = _EVERY.fullmatch(value)
    return f"не чаще раза в {_duration(every['time'], locale)}" if every and locale == "ru" else _word(value, locale)


def _told(value: str, locale: str) -> str:
    """What the CRM is told: a name and a value."""
    name, colon, told = value.partition(": ")
    return f"{_word(name, locale)}{colon}{_ending(told, locale)}"


_BY_NAME: Mapping[str, Callable[[str, str], str]] = {
    "channel": _channel,
    "channels": _channel,
    "gateway": _gateway,
    "how": _ending,
    "actor": cause_words,
    "event": cause_words,
    "cause": cause_words,
    "gap": _duration,
    "within": _duration,
    "age": _duration,
    "how_often": _how_often,
    "purpose": _word,
    "about": _word,
    "reason": _word,
    "what": _told,
}
