"""Who may do what: API keys as bearer tokens, and one scope for each route."""

import re
from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Header
from fastapi.params import Depends as Dependency
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.needs import House
from api.problems import Refused
from services.keys import SCOPES, Caller

_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="API key",
    description="`Authorization: Bearer tropa_…`; make one with `tropa keys create`.",
)


_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,100}")


async def caller(
    house: House,
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    request: Annotated[str | None, Header(alias="X-Request-Id", include_in_schema=False)] = None,
) -> Caller:
    """Whose request this is, with their own id of it for the audit log. Answers 401 without a valid key."""
    found = await house.keys.verify(given.credentials) if given else None
    if found is None:
        detail = "This needs a valid API key: Authorization: Bearer tropa_…"
        raise Refused(401, detail, headers={"WWW-Authenticate": 'Bearer realm="tropa"'})
    return replace(found, request=request) if request and _REQUEST_ID.fullmatch(request) else found


CallerHere = Annotated[Caller, Depends(caller)]


def allowed(scope: str) -> Dependency:
    """A route's dependency: the caller's key must have this scope."""
    if scope not in SCOPES:
        raise ValueError(scope)

    async def check(who: CallerHere) -> Caller:
        if scope not in who.scopes:
            raise Refused(403, f"This API key lacks the scope {scope}.")
        return who

    check.scope = scope  # type: ignore[attr-defined]  # for the test that lists routes with their scopes
    made: Dependency = Depends(check)
    return made
