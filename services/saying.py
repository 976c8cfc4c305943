"""The sentences of a customer's timeline, in English and Russian: what happened, and what was decided."""

from collections.abc import Callable, Mapping
from typing import Any

from adapters.segments import segment_label
from adapters.stage_sets import stage_label
from adapters.surveys import reason_label, survey_label
from adapters.topics import topic_label
from domain.channel_words import CHANNELS
from domain.decisions import tell
from domain.event_words import EVENTS, OTHER_EVENT, event_words, inside
from domain.events import SNOOZED
from domain.rfm import WORDS as RFM_WORDS
from domain.rfm import Segment
from domain.send_words import STATES
from domain.triggers import Bounds, Trigger, Wanted

WORDS: dict[str, dict[str, str]] = {
    "ru": {
        "granted": "дано",
        "denied": "отказ",
        **{channel: said["ru"] for channel, said in CHANNELS.items()},
        "all": "все каналы",
        "too_often": "слишком часто",
        "not_relevant": "не о том",
        "only_selling": "одна реклама",
        "never_signed_up": "подписали без спроса",
        "another": "другая",
        "phone": "телефон",
        "locale": "язык",
        "timezone": "часовой пояс",
        "preferred_channel": "любимый канал",
        "attributes": "сведения",
        "owner": "ответственный",
        "needs": "потребности",
        "company": "компания",
        "buying_role": "роль в решении",
        "done": "сделано",
        "no_answer": "не удалось связаться",
        "declined": "клиент отказался",
        "dropped": "больше не нужна",
        "whitepaper": "исследование",
        "guide": "руководство",
        "checklist": "чек-лист",
        "pricing": "цены",
    },
    "en": {
        "all": "all channels",
        "too_often": "too often",
        "not_relevant": "not relevant",
        "only_selling": "nothing but selling",
        "never_signed_up": "never signed up",
        "another": "another reason",
        **{channel: said["en"] for channel, said in CHANNELS.items()},
        "locale": "language",
        "timezone": "time zone",
        "preferred_channel": "preferred channel",
        "buying_role": "buying role",
        "no_answer": "could not be reached",
        "declined": "the customer does not want it",
        "dropped": "not needed any more",
        "pricing": "prices",
    },
}

# What a trigger asks of an event: its properties, and values that have words of their own.
PROPERTIES: dict[str, dict[str, str]] = {
    "segment": {"en": "segment", "ru": "сегмент"},
    "stage": {"en": "stage", "ru": "этап"},
    "survey": {"en": "survey", "ru": "опрос"},
    "score": {"en": "score", "ru": "оценка"},
    "page": {"en": "page", "ru": "страница"},
    "kind": {"en": "kind", "ru": "вид"},
    "channel": {"en": "channel", "ru": "канал"},
    "confirm": {"en": "asks to be confirmed", "ru": "нужно подтверждение"},
}
_LABELS: Mapping[str, Callable[[str, str], str]] = {"stage": stage_label, "survey": survey_label}
_QUOTED = {"en": "“{message}”", "ru": "«{message}»"}
_OR, _NOT = {"en": " or ", "ru": " или "}, {"en": "not: {what}", "ru": "без: {what}"}
_ABOUT_A_JOURNEY = {"ended", "paused", "resumed", "restarted"}


def event_sentence(name: str, properties: Mapping[str, Any], locale: str, *, title: str | None = None) -> str:
    """An event in words; `title` is of the task that it is about."""
    sentence = (EVENTS.get(f"{name} {_kind(name, properties)}") or EVENTS.get(name, OTHER_EVENT))[locale]
    said = {"name": name.replace("_", " "), "channel": _word("all", locale)}
    if "message" in properties:
        said["message"] = str(properties["message"]).replace("_", " ")
    for key in ("channel", "status", "reason", "outcome"):
        if key in properties:
            said[key] = _word(str(properties[key]), locale)
    if "survey" in properties:
        survey, reason = str(properties["survey"]), properties.get("reason")
        told = (properties.get("score"), reason_label(survey, str(reason), locale) if reason else None)
        said["survey"] = survey_label(survey, locale)
        said["answer"] = ", ".join(str(each) for each in told if each is not None)
    if "segment" in properties:
        said["segment"] = _segment(str(properties["segment"]), locale)
    said |= {key: str(properties[key]) for key in ("deal", "from", "to", "author") if key in properties}
    said["title"] = title or str(properties.get("task", properties.get("title", "—"))).replace("_", " ")
    if "stage" in properties:
        said["stage"] = stage_label(str(properties["stage"]), locale)
    said["topic"] = topic_label(str(properties.get("channel")).partition("/")[2], locale)
    fields = properties.get("fields")
    said["fields"] = ", ".join(_word(str(f), locale) for f in fields) if isinstance(fields, list) else "—"
    return sentence.format_map(_Said(said))


def trigger_words(trigger: Trigger, locale: str) -> str:
    """What begins or ends a journey: an event, and what must be said of it."""
    if isinstance(trigger, str):
        return event_words(trigger, locale)
    asked = [_asked(name, wanted, locale) for name, wanted in trigger.where.items()]
    return event_words(trigger.event, locale) + (f" ({', '.join(asked)})" if asked else "")


def decision_sentence(
    state: str, rule: str, facts: Mapping[str, Any], *, journey: str | None, message: str | None, locale: str, zone: str
) -> str:
    """A decision in words, with the message or the journey it is about."""
    if "topic" in facts:
        facts = {**facts, "topic": topic_label(str(facts["topic"]), locale)}
    why = tell(rule, facts, locale=locale, zone=zone)
    if message is not None:
        named = _QUOTED[locale].format(message=message.replace("_", " "))
        return f"{named} {STATES[state][locale]}. {why}" if state in STATES else f"{named} – {inside(why)}"
    if journey and state in _ABOUT_A_JOURNEY:
        return f"{journey}: {inside(why)}"
    return why


def _kind(name: str, properties: Mapping[str, Any]) -> object:
    """What kind of such an event it is, where each has a sentence of its own."""
    if name == SNOOZED and "until" in properties and properties["until"] is None:
        return "over"
    if "/" in str(properties.get("channel")):
        return "topic"
    return properties.get("grade")


def _asked(name: str, wanted: Wanted, locale: str) -> str:
    """A property and what it must be: score 9 or more."""
    named = PROPERTIES.get(name, {}).get(locale, name.replace("_", " "))
    if isinstance(wanted, bool):
        return named if wanted else _NOT[locale].format(what=named)
    if isinstance(wanted, Bounds):
        return f"{named} {_bounds(wanted, locale)}"
    values = wanted if isinstance(wanted, (list, tuple)) else [wanted]
    label = _segment if name == "segment" else _LABELS.get(name, _word)
    return f"{named}: {_OR[locale].join(label(str(value), locale) for value in values)}"


def _bounds(bounds: Bounds, locale: str) -> str:
    if locale != "ru":
        return str(bounds)
    least, most = bounds.at_least, bounds.at_most
    if most is None:
        return f"от {least:g}"
    return f"не больше {most:g}" if least is None else f"от {least:g} до {most:g}"


def _word(word: str, locale: str) -> str:
    return WORDS[locale].get(word, word)


class _Said(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "—"


def _segment(name: str, locale: str) -> str:
    if name in set(Segment):
        return RFM_WORDS[Segment(name)][locale].name
    return segment_label(name, locale)
