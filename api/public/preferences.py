"""The preference center (S91, S97): how often, what about, which way; a pause; or nothing more. No cookie, no script.

The form also carries what it showed, so that a page left open since yesterday undoes nothing that was chosen today.
"""

from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from api.needs import House, Needs
from api.public.own_page import language, own_page
from api.public.words import WORDS
from api.public.wrong_link import wrong_link
from domain.customers import Frequency
from domain.dates import date
from domain.errors import NotFound
from domain.messages import Channel
from services.preference_center import Picked, Press, Standing

router = APIRouter(prefix="/f", include_in_schema=False)

ANY = "any"
"""The frequency of those who chose none."""


@router.api_route("/{token}", methods=["GET", "HEAD"])
async def show(token: str, request: Request, house: House) -> Response:
    """The page, with what holds now. Nothing changes."""
    try:
        standing = await house.center.read(house.links.read_preferences(token))
    except NotFound:
        return wrong_link(request, house)
    return center(house, standing)


@router.post("/{token}")
async def press(token: str, request: Request, house: House) -> Response:
    """Do what the button says, and show what holds then."""
    form = await request.form()
    try:
        customer = house.links.read_preferences(token)
        standing = await house.center.read(customer)
        try:
            button = Press(str(form.get("press", Press.SAVE)))
            shown, picked = _picked(form, house, "shown_"), _picked(form, house)
        except ValueError:
            return center(house, standing, notice="not_saved", status=400)
        wording = _wording(house, standing, button, shown, picked)
        standing = await house.center.press(customer, button, shown=shown, picked=picked, wording=wording)
    except NotFound:
        return wrong_link(request, house)
    return center(house, standing, notice="saved")


def center(house: Needs, standing: Standing, *, notice: str = "", status: int = 200) -> Response:
    """The page. `notice` is a word for what has just become of the form."""
    lang = language(standing.locale, house)
    return own_page(
        "preferences.html",
        standing.locale,
        house,
        status=status,
        path=path_of(house, standing.customer),
        notice=notice,
        holds=_sentence(house, standing, lang),
        frequencies=[ANY, *Frequency],
        topics=house.catalogue.topic_words(lang),
        now=standing,
        chosen=standing.picked.frequency or ANY,
    )


def path_of(house: Needs, customer: str) -> str:
    """The page's address within this site."""
    return urlsplit(house.links.preferences(customer)).path


def _picked(form: FormData, house: Needs, prefix: str = "") -> Picked:
    """What a form says. Raises ValueError for a topic, a channel or a frequency that there is not, or for none."""
    frequency = str(form.get(f"{prefix}frequency"))
    topics = frozenset(str(topic) for topic in form.getlist(f"{prefix}topic"))
    if unknown := topics - set(house.preferences.topics):
        raise ValueError(f"there is no topic {min(unknown)}")
    return Picked(
        frequency=None if frequency == ANY else Frequency(frequency),
        topics=topics,
        channels=frozenset(Channel(str(channel)) for channel in form.getlist(f"{prefix}channel")),
    )


def _sentence(house: Needs, standing: Standing, lang: str) -> str:
    """What holds, in words."""
    words, picked = WORDS[lang], standing.picked
    said: dict[str, Any] = {"company": house.company}
    if not picked.channels:
        return words["holds_nothing" if standing.offered else "holds_nowhere"].format(**said)
    if standing.snoozed_until:
        until = date(standing.snoozed_until, standing.zone, lang)
        return words["holds_paused"].format(until=until, **said)
    *first, last = [words[f"via_{channel}"] for channel in standing.offered if channel in picked.channels]
    ways = words["and"].join(filter(None, [", ".join(first), last]))
    refused = [
        f"“{label}”" if lang == "en" else f"«{label}»"
        for topic, label in house.catalogue.topic_words(lang).items()
        if topic not in picked.topics
    ]
    sentence = words[f"holds_{picked.frequency or ANY}"].format(ways=ways, **said)
    return f"{sentence} {words['holds_without'].format(topics=', '.join(refused))}" if refused else sentence


def _wording(house: Needs, standing: Standing, button: Press, shown: Picked, picked: Picked) -> str:
    """What was asked and how it was answered, as they read it: the question, each box that they changed, the button."""
    lang = language(standing.locale, house)
    words, topics = WORDS[lang], house.catalogue.topic_words(lang)
    boxes = {words[f"by_{c}"]: c in picked.channels for c in Channel if c in picked.channels ^ shown.channels}
    boxes |= {topics[t]: t in picked.topics for t in topics if t in picked.topics ^ shown.topics}
    ticked = [f"[{'x' if yes else ' '}] {label}" for label, yes in boxes.items()] if button is not Press.STOP else []
    return " ".join([words["center_ask"].format(company=house.company), *ticked, f"[{words[f'press_{button}']}]"])
