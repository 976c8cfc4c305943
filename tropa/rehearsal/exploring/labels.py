"""What a map says beside its arrows: how long it takes, or what has to happen or to be true, as people say it."""

import textwrap
from collections.abc import Sequence
from datetime import timedelta

from domain.durations import SAID, counted, parse_duration
from domain.errors import InvalidInput
from tropa.rehearsal.exploring.chart import Edge, grouped
from tropa.rehearsal.exploring.words import FACTS, say
from tropa.rehearsal.words import lasting

WIDE, MOST_LINES = 26, 3
WHOLE = str.maketrans(" ", "\N{NO-BREAK SPACE}")
NOTHING = {("reachable", "none"): "unreachable", ("orders", "0"): "no orders"}
YEARS = {"en": ("year", "years"), "ru": ("год", "года", "лет")}
MONTHS = {"en": ("month", "months"), "ru": ("месяц", "месяца", "месяцев")}
DAY, MONTH, YEAR = timedelta(days=1), timedelta(days=365 / 12), timedelta(days=365)


def label(edge: Edge, language: str) -> list[str]:
    """In a few short lines; nothing for what follows at once."""
    if edge.lasting is not None:
        return [lasting(edge.lasting, language)] if edge.lasting >= timedelta(minutes=1) else []
    lines = [line for sentence in sentences(edge.words, language) for line in textwrap.wrap(sentence, WIDE)]
    return lines if len(lines) <= MOST_LINES else [*lines[: MOST_LINES - 1], lines[MOST_LINES - 1] + " …"]


def sentences(words: Sequence[str], language: str) -> list[str]:
    """What may bring something about, each said once; only the simplest, where several things together do it too."""
    fewest = min(word.count(": ") for word in words)
    simple = [word for word in words if word.count(": ") == fewest]
    if fewest > 1:
        return sentences(simple[0].split(", "), language)
    facts: dict[str, list[str]] = {}
    for word in simple:
        name, _, value = word.partition(": ")
        if name in FACTS:
            facts.setdefault(name, []).append(value)
    others = grouped([word for word in simple if word.partition(": ")[0] not in FACTS])
    return [
        *(_fact(name, values, language) for name, values in facts.items()),
        *(plain(f"{name}: {_brief(more)}" if more else name) for name, more in others),
    ]


def _brief(said: str) -> str:
    """Of what an event says, words without the names of its properties: they tell enough."""
    parts = [each.split(" ", 1) for each in said.split(", ")]
    return ", ".join(" ".join(part) if part[-1][:1].isdigit() else part[-1] for part in parts)


def plain(word: str) -> str:
    """A name as people write it."""
    return word.replace("_", " ")


def _fact(name: str, values: Sequence[str], language: str) -> str:
    told = list(dict.fromkeys(_value(each, language) for each in values))
    if (name, *told) in NOTHING:
        return say(NOTHING[name, told[0]], language)
    return FACTS[name][language].format(told[0] if len(told) == 1 else f"{told[0]} … {told[-1]}")


def _value(value: str, language: str) -> str:
    try:
        return roughly(parse_duration(value.removesuffix(" ago")), language).translate(WHOLE)
    except InvalidInput:
        return plain(value)


def roughly(duration: timedelta, language: str) -> str:
    """A long time in the one unit that people would use for it."""
    for forms, length, least in ((YEARS, YEAR, YEAR * 0.9), (MONTHS, MONTH, DAY * 60), (SAID["day"], DAY, DAY * 2)):
        if duration >= least:
            return counted(round(duration / length), forms, language)
    return lasting(duration, language)
