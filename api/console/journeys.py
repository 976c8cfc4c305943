"""Journeys for marketers: what there is, the plan of each in words, what may be set, and how many walk it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.console.journey_words import WORDS
from api.console.pages import console_page
from api.console.session import Language, Spoken, staff
from api.needs import House, Needs
from api.routes.journeys import JourneyView, OptionView, views
from domain.durations import parse_duration, spoken
from domain.endings import ending_words
from domain.journey_settings import triggers_here
from domain.messages import Message
from services.saying import trigger_words

_SOURCES = re.compile(r" ?\((?:[SC]\d+[–, ]*)+\)")  # where a rule comes from, which only its authors ask
_COLUMNS = re.compile(r" {2,}")
_SECOND_COLUMN = 9  # what begins so far to the right goes on with the line above

router = APIRouter(prefix="/console/journeys", include_in_schema=False)


@dataclass(frozen=True, kw_only=True)
class Step:
    """A line of a plan: when, or on what, and what then; `depth` is how far it is set in, from 0 to 2."""

    when: str
    then: str
    depth: int


def steps_of(plan: str) -> list[Sequence[Step]]:
    """A plan, as a docstring writes it, by its paragraphs."""
    return [[_step(line) for line in part.splitlines()] for part in _SOURCES.sub("", plan).split("\n\n") if part]


def _step(line: str) -> Step:
    indent = len(line) - len(line.lstrip())
    if indent >= _SECOND_COLUMN:
        return Step(when="", then=line.strip(), depth=0)
    when, *then = _COLUMNS.split(line.strip(), maxsplit=1)
    return Step(when=when, then="".join(then), depth=min(indent // 2, 2))


@router.get("", dependencies=[staff])
async def list_journeys(request: Request, house: House, lang: Spoken) -> Response:
    """Every journey: what it is for, and how many walk it or have ended it."""
    async with house.database.transaction() as connection:
        found, settings = await views(house, connection), await house.catalogue.settings(connection)
    journeys = sorted(
        (_shown(house, each, settings, lang) for each in found), key=lambda each: (-each["walked"], each["name"])
    )
    return console_page("journeys.html", request, lang, says=WORDS[lang], journeys=journeys)


@router.get("/{journey}", dependencies=[staff])
async def show_journey(request: Request, house: House, lang: Spoken, journey: str) -> Response:
    """One journey: its plan, what begins and ends it, its messages and options."""
    async with house.database.transaction() as connection:
        found = next((each for each in await views(house, connection) if each.name == journey), None)
        settings = await house.catalogue.settings(connection)
    if found is None:
        return console_page("missing.html", request, lang, status=404, what="no_journey")
    messages = [_message(house, journey, each, lang) for each in house.catalogue.messages_of(journey)]
    shown = _shown(house, found, settings, lang)
    return console_page("journey.html", request, lang, says=WORDS[lang], journey=shown, messages=messages)


def _shown(
    house: Needs, view: JourneyView, settings: Mapping[str, Mapping[str, Any]], lang: Language
) -> dict[str, Any]:
    """A journey with its story taken apart: a heading, and the plan step by step."""
    plan, here = house.catalogue.journey(view.name).plan, settings.get(view.name, {})
    heading, _, steps = view.story.partition("\n\n")
    heading = _SOURCES.sub("", " ".join(heading.split())).replace("?.", "?")  # a question whose source was cut off
    name, _, purpose = heading.partition(": ")
    ended = sum(view.endings.values())
    endings = sorted(view.endings.items(), key=lambda each: -each[1])
    return {
        "name": view.name,
        "title": name if purpose else view.name,
        "purpose": (purpose or heading)[:1].upper() + (purpose or heading)[1:],
        "plan": steps_of(steps),
        "starts": [trigger_words(each, lang) for each in triggers_here(plan, here)],
        "goal": trigger_words(plan.goal, lang) if plan.goal else None,
        "exits": [trigger_words(each, lang) for each in plan.exits],
        "options": [_option(each, lang) for each in view.options],
        "experiments": view.experiments,
        "holdout": view.holdout,
        "open": view.open,
        "walked": view.open + ended,
        "endings": [(ending_words(state, lang), count) for state, count in endings],
        "converted": view.endings.get("converted", 0),
    }


def _option(option: OptionView, lang: Language) -> dict[str, Any]:
    """An option with its values in words."""

    def said(value: object) -> str:
        if isinstance(value, bool):
            return WORDS[lang][str(value).lower()]
        if option.kind == "duration" and isinstance(value, str):
            return spoken(parse_duration(value), lang)
        return "" if value is None else str(value).replace("_", " ")

    return {
        "name": option.name,
        "value": said(option.value),
        "default": said(option.default),
        "as_shipped": option.value == option.default,
        "least": said(option.least),
        "most": said(option.most),
        "choices": ", ".join(map(said, option.choices)),
    }


def _message(house: Needs, journey: str, message: Message, lang: Language) -> dict[str, Any]:
    return {
        "title": house.catalogue.title(journey, message.name, lang),
        "purpose": message.purpose,
        "goal": message.goal,
        "channels": message.channels,
    }
