"""Turning a browser's notifications on and off: the one page of ours that needs a script."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from adapters.vapid import check_browser_keys
from api.fields import Strict
from api.needs import House
from api.pages import SCRIPTED_POLICY
from api.problems import Refused
from api.public.own_page import own_page
from api.public.wrong_link import wrong_link
from api.reading import CheckedRoute
from domain.errors import NotFound

router = APIRouter(prefix="/p", include_in_schema=False, route_class=CheckedRoute)


class Keys(Strict):
    """What the browser encrypts with."""

    p256dh: Annotated[str, Field(max_length=200)]
    auth: Annotated[str, Field(max_length=100)]


class Subscription(Strict):
    """A browser's own words for where it can be reached."""

    endpoint: Annotated[str, Field(max_length=2000)]
    keys: Keys


class Forgotten(Strict):
    """Which browser it was."""

    endpoint: Annotated[str, Field(max_length=2000)]


@router.api_route("/{token}", methods=["GET", "HEAD"])
async def show(token: str, request: Request, house: House) -> Response:
    """The page. Nothing changes before its button is pressed and the browser has asked, too."""
    try:
        locale = await house.browsers.read(token)
    except NotFound:
        return wrong_link(request, house)
    return own_page("push.html", locale, house, policy=SCRIPTED_POLICY, key=house.push_key)


@router.post("/{token}", status_code=204)
async def subscribe(token: str, body: Subscription, house: House) -> None:
    """This browser, from now on."""
    house.outward.check(body.endpoint)
    check_browser_keys(body.keys.p256dh, body.keys.auth)
    if not house.push_key:
        raise Refused(404, "There is nothing at this address.")
    await house.browsers.subscribe(token, body.endpoint, body.keys.model_dump())


@router.delete("/{token}", status_code=204)
async def forget(token: str, body: Forgotten, house: House) -> None:
    """This browser no more."""
    await house.browsers.forget(token, body.endpoint)
