"""What cannot be in a segment's rule, in the page's language; the place stays as the rule's own path."""

import re
from collections.abc import Iterable

from api.console.session import Language

_RUSSIAN: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), said)
    for pattern, said in (
        (r"must have exactly one of: (.+)", "нужно ровно одно из: {0}"),
        (r"is no kind of rule; these are: (.+)", "таких правил нет; есть: {0}"),
        (r"must be a list of rules", "нужен список правил"),
        (r"is nested more than (\d+) levels deep", "вложено глубже, чем на уровней: {0}"),
        (r"has more than (\d+) conditions", "условий больше, чем {0}"),
        (r".+ has (\d+) conditions with those .+; the most is (\d+)", "условий с вложенными сегментами {0}, можно {1}"),
        (r"must say some of: (.+)", "нужно что-нибудь из: {0}"),
        (r"must name something", "нужно что-нибудь назвать"),
        (r"is not known here; these are: (.+)", "такого здесь нет; есть: {0}"),
        (r"must be one of (.+)", "нужно одно из: {0}"),
        (r"must be the name of an event, such as (.+)", "нужно имя события, например {0}"),
        (r"is missing: how long to wait for it, such as (.+)", "не сказано, сколько ждать, например {0}"),
        (r"must be the name of a segment", "нужно имя сегмента"),
        (r"there is no segment '([^']*)'(?:; there are: .+)?", "сегмента «{0}» нет"),
        (r"leads back to itself: (.+)", "возвращается к самому себе: {0}"),
        (r"must ask something: (.+)", "нужно о чём-то спросить: {0}"),
        (r"cannot be asked here; this can: (.+)", "об этом здесь не спросить; можно: {0}"),
        (r"must be a duration, such as (.+) or (.+)", "нужен срок, например {0} или {1}"),
        (r"(.+) is not a duration; .+", "{0} – это не срок; пишите, например, \"2 days\" или \"36 hours\""),
        (r"must be longer than nothing and at most (.+); got (.+)", "нужен срок до {0}, больше нуля, а здесь {1}"),
        (r".+ is longer than anything lasts", "слишком долго"),
        (r"must be true or false", "нужно true или false"),
        (r"must be text, a number, true or false", "нужен текст, число, true или false"),
        (r"must be text", "нужен текст"),
        (r"must be a number", "нужно число"),
        (r"must have at most (\d+) characters", "знаков не больше {0}"),
        (r"holds a character that is none", "есть недопустимый знак"),
        (r"must be between (.+) and (.+)", "от {0} до {1}"),
        (r"must be an instant such as (.+)", "нужен момент времени, например {0}"),
        (r"must be a list of 1 to (\d+) values", "нужен список: от 1 до {0} значений"),
        (r"must be lower case letters, digits and underscores, such as (.+)", "строчные латинские буквы, цифры и "
         "подчёркивания, например {0}"),
    )
)  # fmt: skip


def in_words(problems: Iterable[str], lang: Language) -> list[str]:
    """Problems as `domain.segment_rules` tells them, `path: what is wrong`; what is not known here stays as it is."""
    return [_said(problem) if lang == "ru" else problem for problem in problems]


def _said(problem: str) -> str:
    place, colon, what = problem.partition(": ")
    for pattern, said in _RUSSIAN:
        if found := pattern.fullmatch(what):
            return f"{place}{colon}{said.format(*found.groups())}"
    return problem
