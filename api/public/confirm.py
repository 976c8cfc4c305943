"""Double opt-in: the page behind a confirmation letter. Looking changes nothing; one press is the yes (S91)."""

from contextlib import suppress
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.needs import House, Needs
from api.pages import page
from api.public.preferences import path_of
from api.public.words import WORDS
from api.public.wrong_link import wrong_link
from domain.errors import NotFound
from services.confirming import Asked

router = APIRouter(prefix="/y", include_in_schema=False)


@router.api_route("/{token}", methods=["GET", "HEAD"])
async def show(token: str, request: Request, house: House) -> Response:
    """What was asked, and a button. Mail scanners fetch links, so it changes nothing."""
    try:
        return _page(house, await house.confirming.read(token))
    except NotFound:
        return wrong_link(request, house)


@router.post("/{token}")
async def press(token: str, request: Request, house: House) -> Response:
    """The yes to what the page showed, with the words that stood there."""
    chosen = set()
    for said in (await request.form()).getlist("request"):
        with suppress(ValueError):
            chosen.add(UUID(str(said)))
    try:
        asked = await house.confirming.read(token)
        asked = await house.confirming.confirm(token, chosen, _wording(house, asked, chosen))
    except NotFound:
        return wrong_link(request, house)
    return _page(house, asked)


def _page(house: Needs, asked: Asked) -> Response:
    lang = _language(house, asked)
    return page(
        "confirmed.html" if not asked.waiting else "confirm.html",
        referrer="no-referrer",
        words=WORDS[lang],
        lang=lang,
        zone=house.zone,
        company=house.company,
        asked=asked,
        preferences=path_of(house, asked.customer),
    )


def _wording(house: Needs, asked: Asked, chosen: set[UUID]) -> str:
    """What they read: the question, what each form had said, the button."""
    words = WORDS[_language(house, asked)]
    said = dict.fromkeys(f"“{each.wording}”" for each in asked.waiting if each.id in chosen and each.wording)
    return " ".join([words["confirm_ask"].format(company=house.company), *said, f"[{words['confirm_button']}]"])


def _language(house: Needs, asked: Asked) -> str:
    return (asked.locale or house.locale)[:2]
