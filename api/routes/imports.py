"""Imports: customers, events and orders from CSV files."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import StreamingResponse

from adapters.csv_writing import written
from adapters.database import imports
from api.access import CallerHere, allowed
from api.needs import House, Needs
from api.problems import Refused, answers
from api.reading_imports import read_file
from domain.errors import NotFound
from domain.imports import Kind
from services.audit import Actor

CSV = "text/csv"
SHOWN = 20  # problems; the others are in the CSV

router = APIRouter(prefix="/v1/imports", tags=["Imports"])


class ProblemView(BaseModel):
    """A row that was not stored, by its line in the file; the header is line 1."""

    line: int
    field: str = Field(examples=["placed_at"])
    problem: str = Field(examples=["must be ISO 8601, such as 2026-01-31 or 2026-01-31T09:00:00Z"])


class ImportView(BaseModel):
    """An import. `known` rows were stored before by the same content, `wrong` ones were not stored."""

    id: str = Field(examples=["imp_019cae2f4c7f7d5f8f2b6a1c3d4e5f60"])
    kind: Kind
    state: Literal["running", "done", "broken off"]
    rows: int
    stored: int
    known: int
    wrong: int
    by: str
    at: datetime
    ended_at: datetime | None
    problems: list[ProblemView] = Field(description=f"The first {SHOWN}; all are in problems.csv.")

    @classmethod
    async def read(cls, connection: AsyncConnection, row: RowMapping) -> "ImportView":
        """An import's row with its first problems."""
        wrong = [dict(each) async for each in imports.problems(connection, row["id"], limit=SHOWN)]
        return cls.model_validate({**row, "by": row["actor_name"], "problems": wrong})


class ImportsView(BaseModel):
    """A page of imports, newest first. `cursor` asks for the page before; null on the last one."""

    imports: list[ImportView]
    cursor: str | None


def _import(example: str) -> dict[str, Any]:
    body = {"required": True, "content": {CSV: {"schema": {"type": "string"}, "example": example}}}
    return {
        "status_code": 201,
        "responses": {201: {"model": ImportView}, **answers(413, 415, 422)},
        "openapi_extra": {"requestBody": body},
        "response_class": Response,
    }


async def _store(kind: Kind, request: Request, house: Needs, who: Actor) -> Response:
    """Store a file while it comes."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != CSV:
        raise Refused(415, f"Send the file as it is, with Content-Type: {CSV}.")
    rows = await read_file(kind, request.stream(), now=house.clock.now(), zone=house.zone)
    done = await house.importing.run(kind, rows, actor=who)
    async with house.database.transaction() as connection:
        view = await ImportView.read(connection, await _row(connection, done))
    return Response(view.model_dump_json(), 201, {"Location": f"/v1/imports/{done}"}, media_type="application/json")


async def _row(connection: AsyncConnection, import_: str) -> RowMapping:
    row = await imports.get(connection, import_)
    if row is None:
        raise NotFound("import", import_)
    return row


@router.post(
    "/customers",
    dependencies=[allowed("customers:write")],
    summary="Import profiles and consents",
    **_import(
        "customer_id,email,consent.email,consent_at,attribute.plan\nanna@example.com,anna@example.com,yes,2026-01-31,team\n"
    ),
)
async def import_customers(request: Request, house: House, who: CallerHere) -> Response:
    """One line for each customer. An empty cell leaves what is there; a word about consent counts from `consent_at`, so
    an old list takes no later no back.

    For all imports: UTF-8; comma, semicolon or tab; ISO 8601, without a zone the installation's; at most 256 MiB.
    Wrong rows are named and left out, good ones stored. The same file may come again, and nothing is stored twice. No
    import starts a journey.
    """
    return await _store(Kind.CUSTOMERS, request, house, who)


@router.post(
    "/events",
    dependencies=[allowed("events:write")],
    summary="Import what happened",
    **_import(
        "customer_id,name,occurred_at,about,property.total\nanna@example.com,cart_left,2025-11-30T18:05:00Z,C-9,49.90\n"
    ),
)
async def import_events(request: Request, house: House, who: CallerHere) -> Response:
    """History: it builds profiles, may end what waits for it, and starts no journey. Without `event_id` a row is known
    by its content; two equal lines are two events."""
    return await _store(Kind.EVENTS, request, house, who)


@router.post(
    "/orders",
    dependencies=[allowed("events:write")],
    summary="Import orders",
    **_import(
        "customer_id,order,placed_at,total,currency,products\nanna@example.com,1001,2025-11-30,49.90,EUR,kettle|cups\n"
    ),
)
async def import_orders(request: Request, house: House, who: CallerHere) -> Response:
    """Each line is one order, an event `order_placed` about it. Several products stand in one cell, with | between.
    Cancellations and refunds are events: import them as such."""
    return await _store(Kind.ORDERS, request, house, who)


@router.get("", dependencies=[allowed("customers:read")], responses=answers(422), summary="Which imports were there?")
async def list_imports(
    house: House,
    cursor: Annotated[str | None, Query(max_length=200, description="From the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> ImportsView:
    """All of them, newest first."""
    async with house.database.transaction() as connection:
        rows = await imports.page(connection, before=cursor, limit=limit + 1)
        views = [await ImportView.read(connection, row) for row in rows[:limit]]
    return ImportsView(imports=views, cursor=views[-1].id if len(rows) > limit else None)


@router.get("/{import_}", dependencies=[allowed("customers:read")], responses=answers(404), summary="How did it go?")
async def read_import(import_: str, house: House) -> ImportView:
    """Counts, and the first rows that were wrong."""
    async with house.database.transaction() as connection:
        return await ImportView.read(connection, await _row(connection, import_))


@router.get(
    "/{import_}/problems.csv",
    dependencies=[allowed("customers:read")],
    responses={200: {"content": {CSV: {}}}, **answers(404)},
    response_class=StreamingResponse,
    summary="Every row that was wrong",
)
async def read_problems(import_: str, house: House) -> StreamingResponse:
    """Line, field, what is wrong and what next; at most 10,000. Mend these lines and import the file again."""
    async with house.database.transaction() as connection:
        await _row(connection, import_)
    headers = {"Content-Disposition": f'attachment; filename="{import_}.csv"'}
    return StreamingResponse(_problems(house, import_), headers=headers, media_type=CSV)


async def _problems(house: Needs, import_: str) -> AsyncIterator[bytes]:
    yield written([("line", "field", "problem")])
    async with house.database.transaction() as connection:
        async for row in imports.problems(connection, import_):
            yield written([(row["line"], row["field"], row["problem"])])
