"""Problem documents (RFC 9457): every error of the API in one shape, with one table from domain errors to statuses."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from adapters.database.connection import will_pass
from adapters.templates import RenderFailed
from domain.errors import Conflict, EnrollmentRefused, InvalidInput, NotFound, TropaError, Unavailable

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = "5"

STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (InvalidInput, 422),
    (NotFound, 404),
    (Conflict, 409),
    (RenderFailed, 422),
    (Unavailable, 503),
    (TropaError, 500),
)
"""Domain errors and their statuses; the first that fits counts."""

log = logging.getLogger(__name__)


class Problem(BaseModel):
    """What went wrong. `problems` names each field that is wrong; `rule` is the decision that stood against it."""

    type: str = Field(examples=["about:blank"])
    title: str = Field(examples=["Unprocessable Entity"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["Some of what was sent breaks a rule."])
    problems: list[str] | None = Field(default=None, examples=[["email: is no e-mail address"]])
    rule: str | None = None


class Refused(HTTPException):
    """A request turned down at the edge, with the fields that are wrong."""

    def __init__(
        self, status: int, detail: str, problems: Sequence[str] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, detail, headers)
        self.problems = list(problems)


def problem(
    status: int,
    detail: str,
    *,
    problems: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
    rule: str | None = None,
) -> JSONResponse:
    """One problem document."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if problems:
        body["problems"] = list(problems)
    if rule:
        body["rule"] = rule
    return JSONResponse(body, status, headers, media_type=MEDIA_TYPE)


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error answers of a route, for its documentation; 401, 403 and 503 are everywhere."""
    media = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": media}
        for status in sorted({401, 403, 503, *statuses})
    }


def told(error: Exception) -> JSONResponse:
    """The problem document of an error."""
    if will_pass(error):
        log.error("database is down", extra={"error": type(error).__name__})
        headers = {"Retry-After": RETRY_AFTER}
        return problem(503, "The database does not answer. Nothing was done; try again shortly.", headers=headers)
    status = next((status for kind, status in STATUSES if isinstance(error, kind)), 500)
    match error:
        case InvalidInput():
            return problem(status, "Some of what was sent breaks a rule.", problems=error.problems)
        case NotFound():
            return problem(status, f"There is no such {error.kind}.")
        case EnrollmentRefused():
            return problem(status, error.reason, rule=error.rule)
        case Conflict() | RenderFailed():
            return problem(status, str(error))
        case Unavailable():
            return problem(status, str(error), headers={"Retry-After": RETRY_AFTER})
    # Its message may quote a row or a customer, and stays inside.
    log.error("request failed", exc_info=error)
    return problem(500, "Something went wrong here, and it was written down.")


def install(app: FastAPI) -> None:
    """Answer every error of an app with a problem document."""

    async def tell(request: Request, error: Exception) -> JSONResponse:
        return told(error)

    async def refused(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)  # noqa: S101  for the type checker
        detail = error.detail if isinstance(error, Refused) else _DETAILS.get(error.status_code, error.detail)
        problems = error.problems if isinstance(error, Refused) else ()
        return problem(error.status_code, detail, problems=problems, headers=error.headers)

    async def invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)  # noqa: S101  for the type checker
        problems = [_where(each) for each in error.errors()]
        return problem(422, "Some of what was sent breaks a rule.", problems=problems)

    app.add_exception_handler(TropaError, tell)
    app.add_exception_handler(DBAPIError, tell)
    app.add_exception_handler(PoolTimeout, tell)
    app.add_exception_handler(OSError, tell)
    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(RequestValidationError, invalid)


_DETAILS = {
    404: "There is nothing at this address.",
    405: "This address does not know that method; the header Allow says which it knows.",
}


def _where(error: Mapping[str, Any]) -> str:
    """A validation error as `field: what is wrong`, without the value that was sent."""
    place = [str(part)[:64] for part in error["loc"][1:]] or [str(error["loc"][0])]
    return f"{'.'.join(place)}: {str(error['msg']).removeprefix('Value error, ')}"
