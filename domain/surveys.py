"""Surveys: a score, a reason, or both, asked by a message and answered on a page of ours (S57, S69, S97)."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

from domain.events import Event, Value

SURVEY_ANSWERED = "survey_answered"
LOW_SCORE = 6  # of 10: what an answer that names no survey is measured by (S58, S69)
LONGEST_ANSWER = 2000  # characters of the customer's own words


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What is asked. `scores` are from least to most, none where only a reason is asked.

    A score of at most `low` asks for help rather than for an offer. `words` are what customers read, by language.
    """

    name: str
    scores: tuple[int, ...] = ()
    low: int | None = None
    reasons: tuple[str, ...] = ()
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def takes(self, answer: "Answer") -> bool:
        """Whether an answer is one: a score of the scale, or, where there is none, a reason."""
        fits = answer.score in self.scores if self.scores else answer.score is None and bool(answer.reason)
        return fits and (not answer.reason or answer.reason in self.reasons)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What somebody answered. `text` is in their own words, and stays in the database."""

    score: int | None = None
    reason: str = ""
    text: str = ""


def is_low(event: Event, surveys: Mapping[str, Survey]) -> bool:
    """Whether an answer asks for help (S58). One that names no survey is from 0 to 10; of one unknown, nobody knows."""
    score, named = event.properties.get("score"), event.properties.get("survey")
    if isinstance(score, bool) or not isinstance(score, (int, float)):
        return False
    if named is None:
        return score <= LOW_SCORE
    survey = surveys.get(str(named))
    return survey is not None and survey.low is not None and score <= survey.low


def answer_of(event: Event) -> dict[str, Value]:
    """What every journey that hears an answer is told: the score, and by our id which send it answers."""
    said: dict[str, Value] = {}
    score, send = event.properties.get("score"), event.properties.get("send")
    if isinstance(score, (int, float)) and not isinstance(score, bool):
        said["score"] = score
    with suppress(ValueError):  # answered elsewhere than on our page
        said["send"] = str(UUID(str(send)))
    return said
