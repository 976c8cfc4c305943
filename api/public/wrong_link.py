"""What a customer reads who comes by a link that is none of ours."""

from fastapi import Request
from starlette.responses import Response

from api.needs import Needs
from api.pages import page
from api.public.words import WORDS


def wrong_link(request: Request, house: Needs) -> Response:
    """The page that says so, in the reader's language. It leads nowhere."""
    lang = browser_language(request, house)
    return page("wrong_link.html", status=404, referrer="no-referrer", words=WORDS[lang], lang=lang)


def browser_language(request: Request, house: Needs) -> str:
    """The language that a browser asks for, where we speak it."""
    return "ru" if request.headers.get("accept-language", house.locale).startswith("ru") else "en"
