"""What cannot be in the policy's form, in the page's language and by the names that the form gives its fields."""

import re
from collections.abc import Iterable, Mapping

from api.console.policy_form import GROUPS
from api.console.policy_words import WORDS
from api.console.session import Language
from domain.durations import parse_duration, spoken
from domain.errors import InvalidInput

_NUMBER, _TIME = r"-?[\d.]+", r"[\d.]+ \w+"
_PROBLEMS: tuple[tuple[re.Pattern[str], Mapping[Language, str]], ...] = tuple(
    (re.compile(pattern), {"en": en, "ru": ru})
    for pattern, en, ru in (
        (
            rf"must be between nothing and (?P<most>{_TIME}); got (?P<got>{_TIME})",
            "at most {most}; this is {got}",
            "максимум {most}, а здесь {got}",
        ),
        (
            rf"within must be between (?P<least>{_TIME}) and (?P<most>{_TIME}); got (?P<got>{_TIME})",
            "{least} at least and {most} at most; this is {got}",
            "минимум {least}, максимум {most}, а здесь {got}",
        ),
        (
            rf"(?:times )?must be between (?P<least>{_NUMBER}) and (?P<most>{_NUMBER}); got (?P<got>{_NUMBER})",
            "from {least} to {most}; this is {got}",
            "от {least} до {most}, а здесь {got}",
        ),
        (r"must be a share from 0 to .*", "from 0 to 50", "от 0 до 50"),
        (
            r"must leave at least 4 hours of the day to speak in",
            "at least 4 hours of the day must be left to write in",
            "от суток должно остаться хотя бы 4 часа, когда писать можно",
        ),
        (r".*valid integer.*", "write a whole number", "нужно целое число"),
        (r".*valid number.*", "write a number", "нужно число"),
        (r".*match pattern.*", "write a time such as 21:00", "нужно время, например 21:00"),
        (
            r".*(?:is not a duration|longer than anything lasts).*",
            "write how long, as a number and a unit",
            "нужен срок: число и единица",
        ),
    )
)


def in_words(problems: Iterable[str], lang: Language) -> list[str]:
    """Problems as `PolicyBody` tells them, `place: what is wrong`; what is not known here stays as it is."""
    return list(dict.fromkeys(_said(*problem.partition(": ")[::2], lang) for problem in problems))


def _said(place: str, problem: str, lang: Language) -> str:
    return f"{_named(place, lang)}: {_what(problem, lang)}"


def _named(place: str, lang: Language) -> str:
    """A field as the form calls it, after the heading that it stands under."""
    words, name = WORDS[lang], re.sub(r"\.(times|within)$", "", place)
    group = next((group for group, fields in GROUPS.items() if name in fields), "")
    return ", ".join(words.get(each, each) for each in (group, name) if each)


def _what(problem: str, lang: Language) -> str:
    for pattern, said in _PROBLEMS:
        if found := pattern.fullmatch(problem):
            return said[lang].format(**{name: _fact(value, lang) for name, value in found.groupdict().items()})
    return problem


def _fact(value: str, lang: Language) -> str:
    """A duration in the page's language; a number as it is."""
    try:
        return spoken(parse_duration(value), lang)
    except InvalidInput:
        return value
