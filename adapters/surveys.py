"""Surveys as data files: `templates/surveys/<survey>.toml`."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from adapters.message_toml import read_toml, wrong
from domain.events import EVENT_NAME
from domain.surveys import Survey

FOLDER = Path(__file__).resolve().parent.parent / "templates" / "surveys"
LOCALES = ("en", "ru")
_KEYS = {"scores", "low", "reasons", *LOCALES}
_ENDS = ("least", "most")
MOST_SCORES = 11


def read_surveys(folder: Path = FOLDER) -> dict[str, Survey]:
    """All surveys, by name. Raises InvalidDeclaration saying what is wrong and what is right."""
    return {file.stem: _read(file) for file in sorted(folder.glob("*.toml"))}


def _read(file: Path) -> Survey:
    said = read_toml(file)
    if unknown := said.keys() - _KEYS:
        raise wrong(file, min(unknown), f"there is no such key; there are {', '.join(sorted(_KEYS))}")
    if not EVENT_NAME.fullmatch(file.stem):
        raise wrong(file, "name", "a survey's name is in snake_case")
    scores, reasons, low = _scores(file, said.get("scores")), said.get("reasons", []), said.get("low")
    if not isinstance(reasons, list) or not all(isinstance(r, str) and EVENT_NAME.fullmatch(r) for r in reasons):
        raise wrong(file, "reasons", 'write a list of words in snake_case: ["too_expensive", "another"]')
    if not scores and not reasons:
        raise wrong(file, "scores", "ask for a score, a reason, or both")
    if low is not None and low not in scores:
        raise wrong(file, "low", "it must be one of the scores")
    asked = [
        "title",
        "question",
        "thanks",
        *(_ENDS if scores else ()),
        *(("why",) if scores and reasons else ()),
        *reasons,
    ]
    return Survey(
        name=file.stem,
        scores=scores,
        low=low if isinstance(low, int) else None,
        reasons=tuple(reasons),
        words={locale: _words(file, locale, said.get(locale), asked) for locale in LOCALES},
    )


def _scores(file: Path, value: object) -> tuple[int, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) != 2 or not all(type(each) is int for each in value):
        raise wrong(file, "scores", "write the least and the most: scores = [0, 10]")
    least, most = value
    if not 0 <= least < most < least + MOST_SCORES:
        raise wrong(file, "scores", f"write at most {MOST_SCORES} scores, the least first and not below 0")
    return tuple(range(least, most + 1))


def _words(file: Path, locale: str, value: object, asked: list[str]) -> Mapping[str, str]:
    if not isinstance(value, dict) or value.keys() != set(asked) or not all(map(_is_text, value.values())):
        raise wrong(file, locale, f"write in each language, as texts, exactly: {', '.join(asked)}")
    return value


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def survey_label(survey: str, locale: str) -> str:
    """What staff call a survey; its bare name when it is there no more."""
    found = _surveys().get(survey)
    return found.words[locale]["title"] if found else survey.replace("_", " ")


def reason_label(survey: str, reason: str, locale: str) -> str:
    """What a reason is called; its bare name when the survey is there no more, or was another's."""
    found = _surveys().get(survey)
    return found.words[locale].get(reason, reason) if found else reason


_surveys = cache(read_surveys)
