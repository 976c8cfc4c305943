"""Links and pictures of letters (S38). A link leads where its stored target says; no address comes from the request."""

import base64

from fastapi import APIRouter, Request
from sqlalchemy.exc import SQLAlchemyError
from starlette.background import BackgroundTask
from starlette.responses import RedirectResponse, Response

from adapters.database.connection import will_pass
from api.needs import House
from api.pages import page
from api.problems import RETRY_AFTER
from api.public.words import WORDS
from api.public.wrong_link import browser_language, wrong_link
from domain.errors import NotFound

PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")

router = APIRouter(include_in_schema=False)


@router.api_route("/c/{token}", methods=["GET", "HEAD"])
async def follow(token: str, request: Request, house: House) -> Response:
    """Lead on, and count it afterwards. A HEAD asks where a link leads and does not follow it."""
    try:
        link = await house.tracking.read(token)
    except NotFound:
        return wrong_link(request, house)
    except (SQLAlchemyError, OSError) as error:
        if not will_pass(error):
            raise
        lang = browser_language(request, house)
        answer = page("later.html", status=503, referrer="no-referrer", words=WORDS[lang], lang=lang)
        answer.headers["Retry-After"] = RETRY_AFTER
        return answer
    counted = BackgroundTask(house.tracking.clicked, link, request.headers) if request.method == "GET" else None
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"}
    return RedirectResponse(link.target, 302, headers, background=counted)


@router.api_route("/o/{token}.gif", methods=["GET", "HEAD"])
async def show(token: str, request: Request, house: House) -> Response:
    """The picture, whatever the token: a letter must not show a broken one."""
    counted = BackgroundTask(house.tracking.opened, token, request.headers) if request.method == "GET" else None
    return Response(PIXEL, 200, {"Cache-Control": "no-store"}, "image/gif", background=counted)
