"""Who may do what: API keys as bearer tokens, and one scope for each route."""

import re
from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Request
from fastapi.params import Depends as Dependency
from fastapi.security import HTTPBearer
from starlette.requests import HTTPConnection

from api.needs import Needs
from api.problems import Refused
from services.keys import SCOPES, Caller

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,100}")


class _Allowed(HTTPBearer):
    """Lets requests through whose key has a scope. With no dependency of its own: each would cost every request."""

    def __init__(self, scope: str) -> None:
        super().__init__(
            scheme_name="API key",
            description="`Authorization: Bearer tropa_…`; make one with `tropa keys create`.",
        )
        self.scope = scope

    async def __call__(self, request: HTTPConnection) -> None:
        """Note whose request this is, with their own id of it for the audit log.

        Answers 401 without a valid key, 403 without its scope.
        """
        needs: Needs = request.app.state.needs
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        who = await needs.keys.verify(token) if scheme.lower() == "bearer" else None
        if who is None:
            detail = "This needs a valid API key: Authorization: Bearer tropa_…"
            raise Refused(401, detail, headers={"WWW-Authenticate": 'Bearer realm="tropa"'})
        if self.scope not in who.scopes:
            raise Refused(403, f"This API key lacks the scope {self.scope}.")
        named = request.headers.get("X-Request-Id", "")
        request.state.caller = replace(who, request=named) if _REQUEST_ID.fullmatch(named) else who


def allowed(scope: str) -> Dependency:
    """A route's dependency: the caller's key must have this scope."""
    if scope not in SCOPES:
        raise ValueError(scope)
    made: Dependency = Depends(_Allowed(scope))
    return made


async def _caller(request: Request) -> Caller:
    who: Caller = request.state.caller
    return who


CallerHere = Annotated[Caller, Depends(_caller)]
"""Whose request this is, for the handler of a route that has `allowed`."""
