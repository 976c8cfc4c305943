"""Leaving a channel by the link in every message (RFC 8058): looking changes nothing, one press is enough."""

import contextlib

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.needs import House
from api.pages import page
from api.public.words import WORDS
from api.public.wrong_link import wrong_link
from domain.errors import NotFound

router = APIRouter(prefix="/u", include_in_schema=False)


@router.api_route("/{token}", methods=["GET", "HEAD"])
async def show(token: str, request: Request, house: House) -> Response:
    """A page with a button. Mail scanners fetch links, so it changes nothing."""
    return await _answer(token, request, house, template="unsubscribe.html")


@router.post("/{token}")
async def opt_out(token: str, request: Request, house: House) -> Response:
    """Opt out, from the button or from a mail program's own (no cookie, no redirect)."""
    form = await request.form()
    if form.get("List-Unsubscribe") != "One-Click":
        return await _answer(token, request, house, template="unsubscribe.html", status=400)
    with contextlib.suppress(NotFound):  # the page says so
        await house.opting_out.opt_out(token)
    return await _answer(token, request, house, template="unsubscribed.html")


async def _answer(token: str, request: Request, house: House, *, template: str, status: int = 200) -> Response:
    try:
        channel, locale = await house.opting_out.read(token)
    except NotFound:
        return wrong_link(request, house)
    lang = (locale or house.locale)[:2]
    said = {"channel": WORDS[lang][channel.value], "company": house.company}
    return page(template, status=status, referrer="no-referrer", words=WORDS[lang], lang=lang, said=said)
