"""Entering many: who would, first; then start, watch, pause, resume, cancel."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import StreamingResponse

from adapters.csv_writing import written
from adapters.database import bulks
from api.access import CallerHere, allowed
from api.fields import CustomerId, Strict, Words
from api.needs import House, Needs
from api.once import CommandHere
from api.problems import answers
from api.reading import CheckedRoute, read_json
from api.reading_csv import read_people
from domain.bulk import BulkState, Volume, reason
from domain.decisions import tell
from services.audiences import Asked
from services.audit import Actor
from services.bulks import FASTEST, BulkNow

CSV = "text/csv"

router = APIRouter(prefix="/v1", tags=["Enrolling many"], route_class=CheckedRoute)

Locale = Annotated[Literal["en", "ru"], Query(description="The language of the reasons.")]


class BulkToDraft(Strict):
    """Whom: customers by your ids, or a segment. `options` are for these walks alone."""

    customers: Annotated[list[CustomerId], Field(max_length=100_000)] = Field(default_factory=list)
    segment: Words = ""
    options: dict[str, Any] = Field(default_factory=dict, examples=[{"basics_on_day": "1 day"}])


class BulkToStart(Strict):
    """How fast, and how many first. `canary_share` of them enter, then it waits for somebody to look and resume."""

    per_second: float | None = Field(default=None, gt=0, le=FASTEST, description="Left out: as it was drafted.")
    canary_share: float | None = Field(default=None, gt=0, lt=1, examples=[0.05])


class ReasonView(BaseModel):
    """Why so many stay out; `sample` are some of them, by your ids."""

    rule: str = Field(examples=["opted_out_of_all"])
    text: str = Field(examples=["Opted out of everything"])
    count: int
    sample: list[str]


class BulkLine(BaseModel):
    """A bulk in short. `audience` were named; `entering` of them may enter, `entered` have."""

    id: str = Field(examples=["blk_019cae2f4c7f7d5f8f2b6a1c3d4e5f60"])
    journey: str
    source: str = Field(examples=["csv", "segment sleeping"])
    state: BulkState
    audience: int
    entering: int
    entered: int
    drafted_by: str
    drafted_at: datetime
    started_at: datetime | None
    ended_at: datetime | None

    @staticmethod
    def told(row: RowMapping) -> dict[str, Any]:
        """A row by the names of this view."""
        return {**row, "entered": row["reached"] - row["refused"], "drafted_by": row["actor_name"]}


class BulkView(BulkLine):
    """A bulk. `excluded` were left out when it was drafted, `refused` when their turn came."""

    excluded: list[ReasonView]
    reachable: dict[str, int] = Field(description="How many of those who enter each channel may reach.")
    volume: Volume = Field(description="The forecast, at the rate that it was drafted with: docs/enroll-many.md.")
    options: dict[str, Any]
    approval: Literal["not needed", "needed", "given"]
    approved_by: str | None
    approved_at: datetime | None
    per_second: float
    canary: int | None = Field(description="How many enter before it waits for a look.")
    refused: list[ReasonView]
    remaining: int
    rate: float | None = Field(description="Customers a second, measured since it last started or was resumed.")
    seconds_left: float | None = Field(description="Until all have entered, at this rate.")
    ended_by: str | None = Field(description="Who cancelled it.")

    @classmethod
    def of(cls, now: BulkNow, house: Needs, locale: str) -> "BulkView":
        """A bulk as it stands."""
        row = now.row
        approval = "needed" if house.bulks.needs_approval(row) else "given" if row["approver"] else "not needed"
        more = {
            "excluded": _reasons(now.reasons, "left_out", locale),
            "refused": _reasons(now.reasons, "refused", locale),
            "approval": approval,
            "approved_by": row["approver_name"],
            "remaining": now.remaining,
            "rate": now.rate,
            "seconds_left": now.seconds_left,
        }
        return cls.model_validate({**cls.told(row), **more})


class BulksView(BaseModel):
    """A page of bulks, newest first. `cursor` asks for the page before; null on the last one."""

    bulks: list[BulkLine]
    cursor: str | None


def _reasons(found: Sequence[RowMapping], state: str, locale: str) -> list[dict[str, Any]]:
    return [{**each, "text": reason(each["rule"], locale)} for each in found if each["state"] == state]


async def _asked(request: Request) -> tuple[Asked, dict[str, object]]:
    """Whom the body names, as JSON or CSV, and the options. Raises InvalidInput, Refused, RequestValidationError."""
    body = await request.body()
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == CSV:
        return Asked(source="csv", customers=await read_people(body)), {}
    try:
        read = BulkToDraft.model_validate(read_json(body))
    except ValidationError as error:
        raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in error.errors()]) from None
    return Asked(customers=[(each, "") for each in read.customers], segment=read.segment), read.options


_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {"schema": BulkToDraft.model_json_schema()},
        CSV: {"schema": {"type": "string"}, "example": "customer_id,about\nanna@example.com,C-9\n"},
    },
}


@router.post(
    "/journeys/{journey}/enrollments:bulk",
    status_code=201,
    dependencies=[allowed("journeys:write")],
    responses={201: {"model": BulkView}, **answers(400, 404, 413, 422)},
    openapi_extra={"requestBody": _BODY},
    response_class=Response,
    summary="Who would enter, and what would they get?",
)
async def draft_bulk(
    journey: str,
    request: Request,
    house: House,
    who: CallerHere,
    command: CommandHere,
    per_second: Annotated[float, Query(gt=0, le=FASTEST, description="How many are to enter in a second.")] = 10,
    locale: Locale = "en",
) -> Response:
    """The blast radius, and nothing more: nobody enters until you start it. Send customers as JSON, or as CSV with a
    column `customer_id`, and `about` where the journey is about one thing.

    The audience is frozen: who is excluded here stays out. Everybody else is decided again when their turn comes.
    """
    asked, options = await _asked(request)

    async def draft(connection: AsyncConnection) -> BulkView:
        bulk = await house.bulk_drafting.draft(
            connection, journey, asked, options=options, per_second=per_second, actor=who
        )
        return BulkView.of(await house.bulks.get(connection, bulk), house, locale)

    return await command.do(draft, status=201, location="/v1/bulks/{id}")


@router.get("/bulks", dependencies=[allowed("journeys:read")], responses=answers(422), summary="Which bulks are there?")
async def list_bulks(
    house: House,
    cursor: Annotated[str | None, Query(max_length=200, description="From the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> BulksView:
    """All of them, newest first. Drafts that nobody started are forgotten after 30 days."""
    async with house.database.transaction() as connection:
        rows = await house.bulks.page(connection, before=cursor, limit=limit + 1)
    lines = [BulkLine.model_validate(BulkLine.told(row)) for row in rows[:limit]]
    return BulksView(bulks=lines, cursor=lines[-1].id if len(rows) > limit else None)


@router.get(
    "/bulks/{bulk}", dependencies=[allowed("journeys:read")], responses=answers(404, 422), summary="How far is it?"
)
async def read_bulk(bulk: str, house: House, locale: Locale = "en") -> BulkView:
    """Blast radius, state, and live counts."""
    async with house.database.transaction() as connection:
        return BulkView.of(await house.bulks.get(connection, bulk), house, locale)


_COMMAND: dict[str, Any] = {
    "dependencies": [allowed("journeys:write")],
    "response_class": Response,
    "responses": {200: {"model": BulkView}, **answers(400, 404, 409, 422)},
}
Effect = Callable[[AsyncConnection, str], Awaitable[None]]


async def _do(house: Needs, command: CommandHere, bulk: str, effect: Effect) -> Response:
    async def done(connection: AsyncConnection) -> BulkView:
        await effect(connection, bulk)
        return BulkView.of(await house.bulks.get(connection, bulk), house, "en")

    return await command.do(done)


def _by(do: Callable[..., Awaitable[None]], who: Actor, **how: Any) -> Effect:
    async def effect(connection: AsyncConnection, bulk: str) -> None:
        await do(connection, bulk, actor=who, **how)

    return effect


@router.post("/bulks/{bulk}:approve", summary="A second person says yes", **_COMMAND)
async def approve_bulk(bulk: str, house: House, who: CallerHere, command: CommandHere) -> Response:
    """Needed above a number of customers that the installation sets. 409 for the API key that drafted it."""
    return await _do(house, command, bulk, _by(house.bulks.approve, who))


@router.post("/bulks/{bulk}:start", summary="Let them enter", **_COMMAND)
async def start_bulk(
    bulk: str, house: House, who: CallerHere, command: CommandHere, body: BulkToStart | None = None
) -> Response:
    """So many a second, first the canary's share if you name one. Everybody enters once, whatever fails on the way."""
    how = body or BulkToStart()
    said = {"per_second": how.per_second, "canary_share": how.canary_share}
    return await _do(house, command, bulk, _by(house.bulks.start, who, **said))


@router.post("/bulks/{bulk}:pause", summary="Let nobody more enter for now", **_COMMAND)
async def pause_bulk(bulk: str, house: House, who: CallerHere, command: CommandHere) -> Response:
    """In force when the answer arrives. Who walks already, walks on."""
    return await _do(house, command, bulk, _by(house.bulks.pause, who))


@router.post("/bulks/{bulk}:resume", summary="Go on", **_COMMAND)
async def resume_bulk(bulk: str, house: House, who: CallerHere, command: CommandHere) -> Response:
    """After a pause, or after you looked at how the canary does."""
    return await _do(house, command, bulk, _by(house.bulks.resume, who))


@router.post("/bulks/{bulk}:cancel", summary="Let nobody more enter", **_COMMAND)
async def cancel_bulk(bulk: str, house: House, who: CallerHere, command: CommandHere) -> Response:
    """For good. Who walks already, walks on: end them one by one, or by the journey's own exits."""
    return await _do(house, command, bulk, _by(house.bulks.cancel, who))


@router.get(
    "/bulks/{bulk}/customers.csv",
    dependencies=[allowed("customers:export")],
    responses={200: {"content": {CSV: {}}}, **answers(404)},
    response_class=StreamingResponse,
    summary="Everybody whom it named, and what became of them",
)
async def export_bulk(bulk: str, house: House, who: CallerHere, locale: Locale = "en") -> StreamingResponse:
    """CSV that is safe to open in a spreadsheet. The audit log keeps who took it."""
    async with house.database.transaction() as connection:
        await house.bulks.note_export(connection, bulk, actor=who)
    headers = {"Content-Disposition": f'attachment; filename="{bulk}.csv"'}
    return StreamingResponse(_results(house, bulk, locale), headers=headers, media_type=CSV)


async def _results(house: Needs, bulk: str, locale: str) -> AsyncIterator[bytes]:
    yield written([("customer_id", "about", "state", "reason", "why", "at", "enrollment", "walk")])
    async with house.database.transaction() as connection:
        async for row in bulks.results(connection, bulk):
            why = _why(row, locale)
            cells = (row["customer_id"], row["about"], row["state"], row["rule"], why, row["at"])
            yield written([(*cells, row["enrollment"], row["walk"])])


def _why(row: RowMapping, locale: str) -> str:
    """The sentence where there is one, and else the heading."""
    if not row["rule"]:
        return ""
    return tell(row["rule"], row["facts"], locale=locale) if row["facts"] else reason(row["rule"], locale)
