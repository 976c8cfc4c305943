"""Notices for a browser on the company's own site, by a link made for its customer. No cookie, so any site may ask."""

from contextlib import suppress
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from api.needs import House, Needs
from api.problems import Refused
from api.routes.in_app import NoticesView
from domain.errors import NotFound

router = APIRouter(prefix="/n", include_in_schema=False)

MOST = 50
# The link alone says who asks, so another site that has it could as well ask from its server.
FROM_ANYWHERE = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


@router.api_route("/{token}", methods=["GET", "HEAD"])
async def show(token: str, house: House) -> Response:
    """What waits. Nothing changes."""
    return await _waiting(token, house)


@router.post("/{token}")
async def see(token: str, request: Request, house: House) -> Response:
    """A form that says `seen` once for each notice, which a browser sends to another site without asking first.

    Answers what waits then. What is no notice of this customer's changes nothing.
    """
    seen = set()
    for said in (await request.form()).getlist("seen")[:MOST]:
        with suppress(ValueError):
            seen.add(UUID(str(said)))
    with suppress(NotFound):  # the answer says so
        await house.in_app.saw(house.in_app.read_link(token), seen)
    return await _waiting(token, house)


async def _waiting(token: str, house: Needs) -> Response:
    try:
        waiting = await house.in_app.waiting(house.in_app.read_link(token))
    except NotFound:
        raise Refused(404, "This link is not good, or no longer.") from None
    return JSONResponse(NoticesView.of(waiting).model_dump(mode="json"), headers=FROM_ANYWHERE)
