"""Notes: what colleagues write down about a customer."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from api.access import CallerHere, allowed
from api.fields import CustomerInPath, Paragraphs, Strict
from api.needs import House
from api.once import CommandHere
from api.problems import answers
from api.reading import CheckedRoute
from services.cursors import cursor_of, place_of

router = APIRouter(prefix="/v1/customers/{customer_id}/notes", tags=["Customers"], route_class=CheckedRoute)


class NoteToKeep(Strict):
    """What the next colleague should know."""

    text: Annotated[Paragraphs, Field(min_length=1, max_length=4000, examples=["Prefers calls after four."])]


class NoteView(BaseModel):
    """A note. `author` is the API key that wrote it."""

    id: UUID
    customer_id: str
    author: str = Field(examples=["9f3c1a2b4d5e"])
    author_name: str = Field(examples=["support desk"])
    text: str
    at: datetime

    @classmethod
    def of(cls, row: RowMapping, customer_id: str) -> "NoteView":
        """A note."""
        return cls.model_validate({**row, "customer_id": customer_id})


class NotesView(BaseModel):
    """A page of notes, newest first. `cursor` asks for the page before; null on the last one."""

    notes: list[NoteView]
    cursor: str | None


@router.post(
    "",
    status_code=201,
    dependencies=[allowed("customers:write")],
    responses={201: {"model": NoteView}, **answers(400, 404, 409, 422)},
    response_class=Response,
    summary="Write something down",
)
async def add_note(
    customer_id: CustomerInPath, body: NoteToKeep, house: House, who: CallerHere, command: CommandHere
) -> Response:
    """Kept with your key's name, shown on the timeline, and never sent to the customer."""

    async def add(connection: AsyncConnection) -> NoteView:
        return NoteView.of(await house.notes.add(connection, customer_id, body.text, author=who), customer_id)

    return await command.do(add, status=201)


@router.get("", dependencies=[allowed("customers:read")], responses=answers(404, 422), summary="What was written down")
async def list_notes(
    customer_id: CustomerInPath,
    house: House,
    cursor: Annotated[str | None, Query(max_length=300, description="From the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> NotesView:
    """Notes about a customer, the newest first."""
    before = place_of(cursor, tuple[UUID])[0] if cursor else None
    async with house.database.transaction() as connection:
        rows = await house.notes.page(connection, customer_id, before=before, limit=limit + 1)
    shown = [NoteView.of(row, customer_id) for row in rows[:limit]]
    return NotesView(notes=shown, cursor=cursor_of(shown[-1].id) if len(rows) > limit else None)
