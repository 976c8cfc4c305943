"""What machines store is said in words: endings, events, causes, durations, in English and Russian."""

import re
from datetime import timedelta

import pytest

from domain.decisions import tell
from domain.durations import days, hours, minutes, spoken
from domain.endings import ENDINGS, ending_words
from domain.event_words import EVENTS, cause_words, event_words
from domain.journeys import Leaving, Outcome

MACHINE = re.compile(r"[a-z]_[a-z]|[{}]")


def test_every_ending_has_words_in_both_languages() -> None:
    assert ENDINGS.keys() == {each.value for each in (*Outcome, *Leaving)}
    assert not MACHINE.search(" ".join(ending_words(each, lang) for each in ENDINGS for lang in ("en", "ru")))


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_every_event_can_be_named_without_its_details(lang: str) -> None:
    names = {name.partition(" ")[0] for name in EVENTS}

    assert not [name for name in names if MACHINE.search(event_words(name, lang))]


def test_an_event_of_the_companys_own_is_said_by_its_name() -> None:
    assert event_words("quiz_finished", "ru") == "quiz finished"
    assert cause_words("quiz_finished", "en") == "quiz finished"
    assert cause_words("Mira", "en") == "Mira"


@pytest.mark.parametrize(
    ("rule", "facts", "en", "ru"),
    [
        ("ended", {"how": "converted"}, "had ended first: converted", "раньше: цель достигнута"),
        ("withdrawn", {"how": "opted_out"}, "ended (opted out)", "закончился (отказ от сообщений)"),
        ("converted", {"event": "activated"}, "goal: the product works for them", "достигнута: продукт заработал"),
        ("converted", {"event": "its plan"}, "goal: by its own plan", "достигнута: по своему плану"),
        ("exited", {"event": "survey_answered"}, "early: answered a survey", "раньше: ответ на опрос"),
        ("enrolled", {"journey": "A", "cause": "staff"}, "Entered A: staff", "Начал путь A: сотрудник"),
        ("no_about", {"journey": "A", "about": "cart", "event": "signed_in"}, "“signed in” names", "(корзина)"),
        ("cap", {"count": 2, "within": "36 hours"}, "2 touches in 36 hours", "за 36 часов: 2"),
        ("walked_before", {"journey": "A", "how_often": "once"}, "walked once", "один раз"),
        (
            "walked_before",
            {"how_often": "at most once in 30 days"},
            "at most once in 30 days",
            "не чаще раза в 30 дней",
        ),
        ("stopped", {"actor": "Mira", "reason": "no reason given"}, "no reason given", "причина не названа"),
        ("suppressed", {"channels": ["sms"], "reason": "a complaint"}, "suppressed: a complaint", "закрыт: жалоба"),
        (
            "crm_updated",
            {"what": ["stage: decision", "outcome: lapsed"]},
            "outcome: lapsed",
            "исход: цель не достигнута",
        ),
    ],
)
def test_a_decision_says_its_facts_as_people_do(rule: str, facts: dict[str, object], en: str, ru: str) -> None:
    assert en in tell(rule, facts)
    assert ru in tell(rule, facts, locale="ru")


@pytest.mark.parametrize(
    ("lasting", "en", "ru"),
    [
        (days(1), "1 day", "1 день"),
        (days(3), "3 days", "3 дня"),
        (hours(36), "36 hours", "36 часов"),
        (minutes(21), "21 minutes", "21 минуту"),
        (timedelta(seconds=12), "12 seconds", "12 секунд"),
        (timedelta(seconds=0.5), "0.5 seconds", "0.5 секунды"),
        (days(11), "11 days", "11 дней"),
    ],
)
def test_a_duration_agrees_with_its_number(lasting: timedelta, en: str, ru: str) -> None:
    assert (spoken(lasting), spoken(lasting, "ru")) == (en, ru)
