"""Leaving a channel by the link in every message (RFC 8058): looking changes nothing, one press is enough.

What else there might be for the leaver is offered after it, not before (C11).
"""

import contextlib

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.needs import House
from api.public.own_page import language, own_page
from api.public.preferences import center, path_of
from api.public.words import WORDS
from api.public.wrong_link import wrong_link
from domain.customers import Frequency
from domain.errors import NotFound
from services.opting_out import Reason

router = APIRouter(prefix="/u", include_in_schema=False)

BACK = "back"
PAUSE = "pause"
WAYS_BACK = (Frequency.WEEKLY.value, Frequency.MONTHLY.value, PAUSE, BACK)


@router.api_route("/{token}", methods=["GET", "HEAD"])
async def show(token: str, request: Request, house: House) -> Response:
    """A page with a button, or what holds after it. Mail scanners fetch links, so it changes nothing."""
    return await _answer(token, request, house)


@router.post("/{token}")
async def press(token: str, request: Request, house: House) -> Response:
    """Opt out, from the button or from a mail program's own (no cookie, no redirect); afterwards, all that is offered.

    A form that says nothing of this changes nothing.
    """
    form = await request.form()
    if form.get("List-Unsubscribe") == "One-Click":
        with contextlib.suppress(NotFound):  # the page says so
            await house.opting_out.opt_out(token)
        return await _answer(token, request, house)
    if form.get("way") in WAYS_BACK:
        return await _come_back(token, request, house, str(form["way"]))
    if form.get("reason") in set(Reason):
        with contextlib.suppress(NotFound):
            await house.opting_out.give_reason(token, Reason(str(form["reason"])))
        return await _answer(token, request, house, thanked=True)
    return await _answer(token, request, house, status=400)


async def _come_back(token: str, request: Request, house: House, way: str) -> Response:
    try:
        leaver = await house.opting_out.read(token)
        words = WORDS[language(leaver.locale, house)]
        standing = await house.center.come_back(
            leaver.customer,
            leaver.channel,
            frequency=Frequency(way) if way in set(Frequency) else None,
            pause=way == PAUSE,
            wording=f"{words['instead'].format(company=house.company)} {words[f'way_{way}']}",
        )
    except NotFound:
        return wrong_link(request, house)
    return center(house, standing, notice="saved")


async def _answer(token: str, request: Request, house: House, *, status: int = 200, thanked: bool = False) -> Response:
    try:
        leaver = await house.opting_out.read(token)
    except NotFound:
        return wrong_link(request, house)
    words = WORDS[language(leaver.locale, house)]
    return own_page(
        "unsubscribed.html" if leaver.said_no else "unsubscribe.html",
        leaver.locale,
        house,
        status=status,
        said={"channel": words[leaver.channel.value], "company": house.company},
        ways=WAYS_BACK,
        reasons=list(Reason),
        preferences=path_of(house, leaver.customer),
        thanked=thanked,
    )
