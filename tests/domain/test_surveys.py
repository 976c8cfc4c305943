"""What an answer says: whether it is one, whether it asks for help, and what of it a journey hears."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from adapters.surveys import read_surveys
from domain.declared import declared_properties
from domain.events import Event, HeardEvent, Inbox
from domain.journeys import Plan
from domain.surveys import Answer, is_low

SURVEYS = read_surveys()
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


def answered(**properties: object) -> Event:
    return Event(
        id=uuid4(),
        event_id="a",
        name="survey_answered",
        occurred_at=NOW,
        received_at=NOW,
        source="shop",
        properties=properties,
    )


def heard(number: int, **properties: object) -> HeardEvent:
    return HeardEvent(id=f"e{number}", number=number, name="survey_answered", at=NOW, properties=properties)


@pytest.mark.parametrize(
    ("properties", "low"),
    [
        ({"survey": "nps", "score": 6}, True),
        ({"survey": "nps", "score": 7}, False),
        ({"survey": "support", "score": 2}, True),
        ({"survey": "support", "score": 3}, False),  # of five
        ({"survey": "silence", "reason": "price"}, False),
        ({"score": 6}, True),
        ({"score": 7}, False),
        ({"score": True}, False),
        ({"survey": "of somebody else", "score": 1}, False),
        ({"survey": "nps", "score": "6"}, False),
    ],
    ids=str,
)
def test_a_low_score_is_low_on_its_own_scale(properties: dict[str, object], low: bool) -> None:
    assert is_low(answered(**properties), SURVEYS) is low


@pytest.mark.parametrize(
    ("survey", "answer", "takes"),
    [
        ("nps", Answer(score=0), True),
        ("nps", Answer(score=10, reason="price"), True),
        ("nps", Answer(score=11), False),
        ("nps", Answer(reason="price"), False),
        ("nps", Answer(score=3, reason="rude"), False),  # of another survey
        ("silence", Answer(reason="price"), True),
        ("silence", Answer(score=3, reason="price"), False),
        ("silence", Answer(text="because"), False),
    ],
    ids=str,
)
def test_an_answer_fits_its_survey(survey: str, answer: Answer, takes: bool) -> None:
    assert SURVEYS[survey].takes(answer) is takes


def test_every_survey_speaks_both_languages() -> None:
    for survey in SURVEYS.values():
        assert survey.words["en"].keys() == survey.words["ru"].keys()
        assert any("а" <= letter <= "я" for letter in survey.words["ru"]["question"].lower())


def test_a_journey_hears_score_and_send_and_never_the_words() -> None:
    send = str(uuid4())
    event = answered(survey="nps", score=4, reason="price", text="secret", send=send)

    assert declared_properties(Plan(), event, str) == {"score": 4, "send": send}


def test_what_is_no_id_of_a_send_is_not_told() -> None:
    assert declared_properties(Plan(), answered(score=4, send="free text"), str) == {"score": 4}


def test_an_inbox_finds_what_has_the_properties_and_remembers_into_the_next_run() -> None:
    inbox, first, second = Inbox(), heard(1, score=1, send="a"), heard(2, score=9, send="b")
    inbox.put(first)
    inbox.put(second)

    again = Inbox(seen=inbox.seen(10), waiting=inbox.waiting(10))
    again.put(first)

    assert again.take(first.name, send="b") == second
    assert again.waiting(10) == [first]
    assert inbox.seen(1) == [second.id]
