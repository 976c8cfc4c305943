"""The way into the console: a signed cookie, for a key with the scope `console` or for a fresh link."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

from fastapi import Depends, Query, Request
from starlette.responses import RedirectResponse, Response

from api.needs import House, Needs
from services.audit import Actor
from services.keys import BY_LINK, SESSION_LASTS

COOKIE = "tropa_console"
LANGUAGE = "tropa_lang"
SCOPE = "console"

Language = Literal["en", "ru"]


BY_A_LINK = Actor(id="console link", name="staff, by a link from the command line")


class SignInFirst(Exception):
    """Nobody has signed in here; the app leads to the sign-in page."""


async def _staff(request: Request, house: House) -> str:
    holder = house.sessions.holder(request.cookies.get(COOKIE, ""))
    if holder == BY_LINK:
        return holder
    caller = await house.keys.caller(holder) if holder else None
    if caller is None or SCOPE not in caller.scopes:
        raise SignInFirst
    return caller.id


_staff.scope = SCOPE  # type: ignore[attr-defined]  # for the test that lists routes with their scopes
staff = Depends(_staff)


def who(scope: str) -> Callable[[Request, Needs], Awaitable[Actor | None]]:
    """A dependency that answers who has signed in and may do more than look: None for a key without the scope."""

    async def find(request: Request, house: House) -> Actor | None:
        holder = house.sessions.holder(request.cookies.get(COOKIE, ""))
        if holder == BY_LINK:
            return BY_A_LINK
        caller = await house.keys.caller(holder) if holder else None
        return caller if caller and scope in caller.scopes else None

    return find


async def _language(
    request: Request, house: House, lang: Annotated[Language | None, Query(include_in_schema=False)] = None
) -> Language:
    if lang:
        return lang
    kept = request.cookies.get(LANGUAGE, house.locale)
    return "ru" if kept == "ru" else "en"


Spoken = Annotated[Language, Depends(_language)]
"""The page's language: asked for in the address, chosen before, or the installation's."""


def let_in(house: Needs, holder: str) -> Response:
    """Open a session and go to the messages."""
    answer = RedirectResponse("/console/outbox", 303)
    answer.set_cookie(
        COOKIE,
        house.sessions.open(holder),
        max_age=SESSION_LASTS,
        httponly=True,
        secure=house.secure,
        samesite="lax",
        path="/console",
    )
    return answer


def remember(answer: Response, lang: Language) -> Response:
    """Keep the chosen language."""
    answer.set_cookie(LANGUAGE, lang, max_age=31_536_000, httponly=True, samesite="lax", path="/console")
    return answer
