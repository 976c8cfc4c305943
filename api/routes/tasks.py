"""Tasks for people: what is to do, by whom, by when; and how it ended."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from api.access import CallerHere, allowed
from api.fields import CustomerId, CustomerInPath, Email, Instant, Paragraphs, Strict, Words
from api.needs import House
from api.once import CommandHere
from api.problems import answers
from api.reading import CheckedRoute
from domain.tasks import TaskCause, TaskOutcome, TaskState
from services import cursors
from services.cursors import cursor_of, place_of
from services.tasks import NewTask

router = APIRouter(prefix="/v1", tags=["Tasks"], route_class=CheckedRoute)


class TaskView(BaseModel):
    """A task. `cause` says who asked for it; `replies` how many messages of the customer it is to answer."""

    id: UUID
    customer_id: str
    name: str = Field(examples=["personal_help"])
    cause: TaskCause
    title: str = Field(examples=["Help Anna Petrova to get going"])
    text: str
    owner: str | None = Field(description="Whose it is; null: anybody's.", examples=["mira@acme.example"])
    created_at: datetime
    due_at: datetime
    overdue: bool
    escalate_to: str | None = Field(description="Whose it becomes when it is late; null: the installation's head.")
    escalated_at: datetime | None
    replies: int
    journey: str | None = Field(examples=["WelcomeChain"])
    enrollment: str | None
    about: str | None
    closed_at: datetime | None
    closed_by: str | None
    outcome: TaskOutcome | None
    note: str | None

    @classmethod
    def of(cls, row: RowMapping, now: datetime) -> "TaskView":
        """A task as it stands."""
        overdue = row["closed_at"] is None and row["due_at"] <= now
        replies = row["times"] if row["cause"] == TaskCause.REPLY else 0
        return cls.model_validate({**row, "overdue": overdue, "replies": replies})


class TasksView(BaseModel):
    """A page of tasks, those that are due first first. `cursor` asks for the next; null on the last one."""

    tasks: list[TaskView]
    cursor: str | None


class TaskToDo(Strict):
    """What somebody is to do about a customer."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "title": "Call about the renewal",
                "text": "Their contract ends in June; they asked for a quote.",
                "due_at": "2026-03-04T15:00:00Z",
                "owner": "mira@acme.example",
            }
        }
    )

    title: Annotated[Words, Field(min_length=1, max_length=200)]
    text: Annotated[Paragraphs, Field(max_length=4000)] = ""
    name: str = Field(default="by_staff", pattern="^[a-z][a-z0-9_]{0,63}$", description="What journeys know it by.")
    due_at: Instant
    owner: Email | None = Field(default=None, description="Left out: the customer's owner, or the staff.")
    escalate_to: Email | None = Field(default=None, description="Whose it becomes when it is late.")


class TaskEnding(Strict):
    """How it ended, and what the next colleague should know."""

    outcome: Annotated[TaskOutcome, Field(strict=False)]
    note: Annotated[Paragraphs, Field(max_length=4000)] | None = Field(
        default=None, examples=["They want a demo on Friday."]
    )


class NewOwner(Strict):
    """Whose it is from now on; null: anybody's."""

    owner: Email | None


@router.get("/tasks", dependencies=[allowed("tasks:read")], responses=answers(404, 422), summary="What is to do?")
async def list_tasks(
    house: House,
    state: Annotated[TaskState, Query(description="Overdue tasks are open, too.")] = TaskState.OPEN,
    owner: Annotated[Words | None, Query(description="Whose; left out: everybody's.")] = None,
    customer_id: Annotated[CustomerId | None, Query(description="About whom; left out: everybody.")] = None,
    cursor: Annotated[str | None, Query(max_length=300, description="From the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> TasksView:
    """Tasks by their deadline, the earliest first."""
    after = place_of(cursor, tuple[cursors.Instant, UUID]) if cursor else None
    async with house.database.transaction() as connection:
        rows = await house.tasks.page(
            connection, state=state, owner=owner, customer_id=customer_id, after=after, limit=limit + 1
        )
    now, last = house.clock.now(), rows[limit - 1] if len(rows) > limit else None
    return TasksView(
        tasks=[TaskView.of(row, now) for row in rows[:limit]],
        cursor=cursor_of(last["due_at"], last["id"]) if last else None,
    )


@router.get("/tasks/{task}", dependencies=[allowed("tasks:read")], responses=answers(404, 422), summary="One task")
async def read_task(task: UUID, house: House) -> TaskView:
    """What is to do, about whom, by when, and how it ended."""
    async with house.database.transaction() as connection:
        return TaskView.of(await house.tasks.get(connection, task), house.clock.now())


_COMMAND: dict[str, Any] = {
    "dependencies": [allowed("tasks:write")],
    "response_class": Response,
    "responses": {200: {"model": TaskView}, **answers(400, 404, 409, 422)},
}


@router.post("/tasks/{task}:close", summary="It is done, or will not be", **_COMMAND)
async def close_task(task: UUID, body: TaskEnding, house: House, who: CallerHere, command: CommandHere) -> Response:
    """Ends a task. Journeys that wait for `task_closed` hear of it, with its name and its outcome.

    Closing it again with the same outcome changes nothing; with another one it is refused.
    """

    async def close(connection: AsyncConnection) -> TaskView:
        row = await house.tasks.close(connection, task, body.outcome, body.note, actor=who)
        return TaskView.of(row, house.clock.now())

    return await command.do(close)


@router.post("/tasks/{task}:assign", summary="Give it to somebody", **_COMMAND)
async def assign_task(task: UUID, body: NewOwner, house: House, who: CallerHere, command: CommandHere) -> Response:
    """From now on it is theirs; the deadline stays."""

    async def give(connection: AsyncConnection) -> TaskView:
        return TaskView.of(await house.tasks.assign(connection, task, body.owner, actor=who), house.clock.now())

    return await command.do(give)


@router.post(
    "/customers/{customer_id}/tasks",
    status_code=201,
    dependencies=[allowed("tasks:write")],
    responses={201: {"model": TaskView}, **answers(400, 404, 409, 422)},
    response_class=Response,
    summary="Ask somebody to do something",
)
async def create_task(
    customer_id: CustomerInPath, body: TaskToDo, house: House, who: CallerHere, command: CommandHere
) -> Response:
    """A task about a customer, with a deadline. Nobody did it by then: it goes to `escalate_to`, or to the head."""
    new = NewTask(
        id=uuid4(),
        name=body.name,
        cause=TaskCause.STAFF,
        title=body.title,
        text=body.text,
        due_at=body.due_at,
        owner=body.owner,
        escalate_to=body.escalate_to,
    )

    async def create(connection: AsyncConnection) -> TaskView:
        return TaskView.of(await house.tasks.create(connection, customer_id, new, actor=who), house.clock.now())

    return await command.do(create, status=201, location="/v1/tasks/{id}")
