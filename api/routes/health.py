"""Health and metrics, for whoever runs the machines."""

import contextlib

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy.exc import SQLAlchemyError

from api.needs import House
from services.watching import Counts

router = APIRouter(tags=["Health"])


@router.get("/health/live", summary="Does the process run?")
async def live() -> dict[str, str]:
    """Always, when this answers."""
    return {"status": "ok"}


@router.get("/health/ready", summary="Can it serve requests?", responses={503: {"description": "Not now"}})
async def ready(house: House) -> JSONResponse:
    """Database and schema must be well. Temporal is told, and does not count: events are taken in without it."""
    found = await house.watching.readiness()
    return JSONResponse(msgspec.to_builtins(found), 200 if found.ready else 503)


@router.get("/metrics", summary="Metrics for Prometheus", response_class=Response)
async def metrics(request: Request, house: House) -> Response:
    """Requests, events, backlog, sends and enrollments. Nothing in them is about one customer."""
    counts: Counts | None = None
    with contextlib.suppress(OSError, SQLAlchemyError):  # the process's own metrics matter most when it is down
        counts = await house.watching.counts()
    return Response(request.app.state.meters.text(counts), media_type=CONTENT_TYPE_LATEST)
