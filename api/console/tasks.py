"""Tasks for staff: what is to do, what is late, what was done; and closing one."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from api.console.pages import console_page
from api.console.session import Language, Spoken, staff, who
from api.console.task_words import WORDS
from api.needs import House, Needs
from domain.errors import Conflict, InvalidInput, NotFound
from domain.tasks import TaskOutcome, TaskState
from services import cursors
from services.audit import Actor
from services.cursors import cursor_of, place_of

SCOPE = "tasks:write"
PAGE = 50
LISTED = (TaskState.OPEN, TaskState.OVERDUE, TaskState.CLOSED)

router = APIRouter(prefix="/console/tasks", include_in_schema=False)
Author = Annotated[Actor | None, Depends(who(SCOPE))]
"""Who may close a task; None for those who only look."""


@router.get("", dependencies=[staff])
async def list_tasks(
    request: Request,
    house: House,
    lang: Spoken,
    state: TaskState = TaskState.OPEN,
    cursor: Annotated[str | None, Query(max_length=300)] = None,
) -> Response:
    """Tasks by their deadline, the earliest first."""
    try:
        after = place_of(cursor, tuple[cursors.Instant, UUID]) if cursor else None
    except InvalidInput:  # no page of ours has such an address
        return RedirectResponse("/console/tasks", 303)
    async with house.database.transaction() as connection:
        rows = await house.tasks.page(
            connection, state=state, owner=None, customer_id=None, after=after, limit=PAGE + 1
        )
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    return console_page(
        "tasks.html",
        request,
        lang,
        says=WORDS[lang],
        tasks=rows[:PAGE],
        state=state,
        states=LISTED,
        now=house.clock.now(),
        zone=house.zone,
        cursor=cursor_of(last["due_at"], last["id"]) if last else None,
        first=cursor is None,
    )


@router.get("/{task}", dependencies=[staff])
async def show_task(request: Request, house: House, lang: Spoken, author: Author, task: UUID) -> Response:
    """One task: what it is about, and how it ended; open, a form to close it."""
    return await _page(request, house, lang, author, task)


@router.post("/{task}/close", dependencies=[staff])
async def close_task(
    request: Request,
    house: House,
    lang: Spoken,
    author: Author,
    task: UUID,
    outcome: Annotated[TaskOutcome, Form()],
    note: Annotated[str, Form(max_length=4000)] = "",
) -> Response:
    """It is done, or will not be: journeys that wait for it go on."""
    if author is None:
        return await _page(request, house, lang, author, task, status=403)
    try:
        async with house.database.transaction() as connection:
            said = note.replace("\x00", "").strip() or None
            await house.tasks.close(connection, task, outcome, said, actor=author)
    except Conflict:  # a colleague was quicker: the page shows how they closed it
        return await _page(request, house, lang, author, task, status=409)
    except NotFound:
        return console_page("missing.html", request, lang, status=404, what="no_task")
    return RedirectResponse(f"/console/tasks/{task}", 303)


async def _page(
    request: Request, house: Needs, lang: Language, author: Actor | None, task: UUID, *, status: int = 200
) -> Response:
    try:
        async with house.database.transaction() as connection:
            row = await house.tasks.get(connection, task)
    except NotFound:
        return console_page("missing.html", request, lang, status=404, what="no_task")
    context: dict[str, Any] = {
        "task": row,
        "now": house.clock.now(),
        "zone": house.zone,
        "may_close": author is not None,
    }
    return console_page(
        "task.html", request, lang, status=status, says=WORDS[lang], outcomes=list(TaskOutcome), **context
    )
