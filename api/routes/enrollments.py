"""Enrollments: one customer's walk through a journey, and what staff may do to it."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import timeline
from api.access import CallerHere, allowed
from api.fields import Strict, Words
from api.needs import House
from api.once import CommandHere
from api.problems import answers
from api.reading import CheckedRoute
from domain.decisions import tell

router = APIRouter(prefix="/v1/enrollments/{enrollment}", tags=["Enrollments"], route_class=CheckedRoute)


class Standing(BaseModel):
    """Where an enrollment stands: after this message."""

    message: str
    state: str
    channel: str | None
    wished_at: datetime
    slot_at: datetime
    rule: str


class DecisionView(BaseModel):
    """What was decided, and why."""

    at: datetime
    state: str
    rule: str
    text: str
    message: str | None


class EnrollmentView(BaseModel):
    """One customer's walk through a journey. `ending` says how it ended; `last` is the last message that was due."""

    id: str = Field(examples=["enr_019cae2f4c7f7d5f8f2b6a1c3d4e5f60"])
    customer_id: str
    journey: str
    about: str
    state: Literal["walking", "paused", "ended"]
    ending: str | None = Field(examples=["converted"])
    cause: str = Field(description="The event that started it, staff, or bulk.")
    options: dict[str, Any]
    started_at: datetime
    paused_at: datetime | None
    ended_at: datetime | None
    last: Standing | None
    decisions: list[DecisionView]

    @classmethod
    async def read(cls, connection: AsyncConnection, row: RowMapping) -> "EnrollmentView":
        """An enrollment's row with its last send and its decisions."""
        last = await timeline.last_send(connection, row["id"])
        decided = [
            {**d, "text": tell(d["rule"], d["facts"])} for d in await timeline.of_enrollment(connection, row["id"])
        ]
        state = "ended" if row["ended_at"] else "paused" if row["paused_at"] else "walking"
        more = {"state": state, "ending": row["outcome"] or row["leaving"], "last": last, "decisions": decided}
        return cls.model_validate({**row, **more, "last": dict(last) if last else None})


class Reason(Strict):
    """Why, for whoever reads the timeline later."""

    reason: Annotated[Words, Field(examples=["The customer asked on the phone"])] = ""


_COMMAND: dict[str, Any] = {
    "dependencies": [allowed("journeys:write")],
    "response_class": Response,
    "responses": {200: {"model": EnrollmentView}, **answers(400, 404, 409, 422)},
}


@router.get("", dependencies=[allowed("journeys:read")], responses=answers(404), summary="Where does it stand?")
async def read_enrollment(enrollment: str, house: House) -> EnrollmentView:
    """State, last message and every decision, oldest first."""
    async with house.database.transaction() as connection:
        return await EnrollmentView.read(connection, await house.enrolling.get(connection, enrollment))


@router.post("/leave", summary="End it now", **_COMMAND)
async def leave(enrollment: str, house: House, who: CallerHere, command: CommandHere, body: Reason) -> Response:
    """The customer leaves the journey; nothing more of it is sent. Ending what has ended changes nothing."""

    async def end(connection: AsyncConnection) -> EnrollmentView:
        row = await house.enrolling.leave(connection, enrollment, reason=body.reason, actor=who)
        return await EnrollmentView.read(connection, row)

    return await command.do(end)


@router.post("/pause", summary="Send nothing for now", **_COMMAND)
async def pause(enrollment: str, house: House, who: CallerHere, command: CommandHere) -> Response:
    """Time goes on, and goals and exits act, but nothing is sent until it is resumed."""

    async def halt(connection: AsyncConnection) -> EnrollmentView:
        row = await house.enrolling.pause(connection, enrollment, actor=who)
        return await EnrollmentView.read(connection, row)

    return await command.do(halt)


@router.post("/resume", summary="Go on", **_COMMAND)
async def resume(enrollment: str, house: House, who: CallerHere, command: CommandHere) -> Response:
    """What is due goes now, if it is still worth sending."""

    async def go_on(connection: AsyncConnection) -> EnrollmentView:
        row = await house.enrolling.resume(connection, enrollment, actor=who)
        return await EnrollmentView.read(connection, row)

    return await command.do(go_on)
