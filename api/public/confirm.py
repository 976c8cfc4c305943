"""Double opt-in: the page behind a confirmation letter. Looking changes nothing; one press is the yes."""

from collections.abc import Collection
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, Response

from adapters.forms import FOLDER
from api.needs import House, Needs
from api.pages import NOT_KEPT
from api.public.own_page import language, own_page
from api.public.preferences import path_of
from api.public.words import WORDS
from api.public.wrong_link import wrong_link
from domain.errors import NotFound
from domain.opt_ins import Wish
from services.confirming import Asked

router = APIRouter(prefix="/y", include_in_schema=False)


@router.api_route("/{token}", methods=["GET", "HEAD"])
async def show(token: str, request: Request, house: House) -> Response:
    """What was asked, and a button. Mail scanners fetch links, so it changes nothing."""
    try:
        return _page(token, house, await house.confirming.read(token))
    except NotFound:
        return wrong_link(request, house)


@router.post("/{token}")
async def press(token: str, request: Request, house: House) -> Response:
    """The yes to what the page showed, with the words there. 409: something else waits by now, and is shown."""
    chosen = {str(key) for key in (await request.form()).getlist("wish")}
    try:
        before = await house.confirming.read(token)
        asked = await house.confirming.confirm(token, chosen, _wording(house, before, chosen))
    except NotFound:
        return wrong_link(request, house)
    waiting = {wish.key for wish in asked.waiting}
    done = any(wish.key in chosen - waiting for wish in before.waiting)
    return _page(token, house, asked, done=done, status=409 if waiting and not done else 200)


@router.api_route("/{token}/{form}", methods=["GET", "HEAD"])
async def take(token: str, form: str, request: Request, house: House) -> Response:
    """The file that a form gives, for those who confirmed."""
    try:
        asked = await house.confirming.read(token)
    except NotFound:
        return wrong_link(request, house)
    files = {each.name: each.magnet.file for each in asked.given if each.magnet and each.magnet.file}
    if form not in files:
        return wrong_link(request, house)
    return FileResponse(FOLDER / files[form], headers=NOT_KEPT, filename=files[form])


def _page(token: str, house: Needs, asked: Asked, *, done: bool = False, status: int = 200) -> Response:
    lang = language(asked.locale, house)
    gifts = [
        {"title": form.magnet.title[lang], "link": form.magnet.link or f"/y/{token}/{form.name}"}
        for form in asked.given
        if form.magnet
    ]
    return own_page(
        "confirm.html",
        asked.locale,
        house,
        status=status,
        zone=house.zone,
        asked=asked,
        said={wish.key: _said(house, wish, lang) for wish in asked.waiting},
        gifts=gifts,
        done=done or not asked.waiting,
        preferences=path_of(house, asked.customer),
    )


def _said(house: Needs, wish: Wish, lang: str) -> dict[str, Any]:
    """A wish as its reader sees it, and how often they would be written to."""
    if wish.gift:
        magnet = house.forms.form(wish.form).magnet
        return {"text": magnet.title[lang] if magnet else "", "often": ""}
    often = WORDS[lang][wish.frequency] if wish.frequency else ""
    return {"text": wish.wording or WORDS[lang]["confirm_letters"].format(company=house.company), "often": often}


def _wording(house: Needs, asked: Asked, chosen: Collection[str]) -> str:
    """What they agreed to, as they read it: each tick, how often, the button."""
    lang = language(asked.locale, house)
    said = [_said(house, wish, lang) for wish in asked.waiting if wish.key in chosen and not wish.gift]
    read = dict.fromkeys(f"“{each['text']}”" + (f" ({each['often']})" if each["often"] else "") for each in said)
    return " ".join([*read, f"[{WORDS[lang]['confirm_button']}]"])
