"""Serves `activities.people`: what walks ask of people and of the CRM. Each is a short transaction; mailing the staff
and telling the CRM follow in their own time."""

from datetime import datetime
from uuid import UUID, uuid5

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.people import CrmRequest, TaskRequest, TellRequest
from adapters.database import crm_updates, customers, enrollments, events, webhooks
from adapters.database.connection import Database, News, lock_customer
from adapters.database.notices import Notice
from adapters.staff_words import StaffWords
from domain.announcements import CRM_UPDATED, STAFF_TOLD
from domain.clock import Pace
from domain.decisions import Decision
from domain.engagement import is_theirs
from domain.tasks import Desk, TaskCause
from domain.tracking import is_doubtful
from services.catalogue import Catalogue
from services.reserving import wait_for_restart
from services.saying import event_sentence
from services.tasks import NewTask, Tasks, colleague
from services.telling import Telling

_TASKS = UUID("b0f0a6d2-6a55-5c0e-9f5e-54726f706132")
_NOTICES = UUID("0d1f3a0e-52a4-5b0b-8c64-54726f706134")
_UPDATES = UUID("86f7e1c9-1c1b-5a86-9d6b-54726f706135")

LOOKED_THROUGH, TOLD = 30, 3  # events of the trail that a colleague is told


class People:
    """Each does nothing for a walk that has ended."""

    def __init__(
        self,
        database: Database,
        pace: Pace,
        catalogue: Catalogue,
        *,
        tasks: Tasks,
        telling: Telling,
        desk: Desk,
        task_words: StaffWords,
        notice_words: StaffWords,
    ) -> None:
        self._database, self._pace, self._catalogue = database, pace, catalogue
        self._tasks, self._telling, self._desk = tasks, telling, desk
        self._task_words, self._notice_words = task_words, notice_words

    async def create_task(self, request: TaskRequest, *, started: datetime, run: str = "") -> None:
        """Create a task once per (enrollment, task, visit). Its words come from `templates/tasks/`."""
        at = self._pace.business(started)
        async with self._database.transaction() as connection:
            customer, walk = await _walking(connection, request.customer, request.enrollment, run)
            if walk is None:
                return
            written = self._task_words.write(self._folder(walk), request.name, customer, walk["about"])
            new = NewTask(
                id=_task_id(request.enrollment, request.name, request.visit),
                name=request.name,
                cause=TaskCause.JOURNEY,
                title=written.title,
                text=written.text,
                due_at=request.due_at,
                owner=self._desk.head if written.for_head else None,
                escalate_to=written.escalate_to,
                settles=written.settles,
                enrollment=request.enrollment,
            )
            await self._tasks.add(connection, customer, new, at=at)
        self._database.wake(News.CONSEQUENCES)

    async def tell(self, request: TellRequest, *, started: datetime, run: str = "") -> None:
        """Tell the customer's owner, or else the staff, once per (enrollment, notice, visit)."""
        at = self._pace.business(started)
        async with self._database.transaction() as connection:
            customer, walk = await _walking(connection, request.customer, request.enrollment, run)
            if walk is None:
                return
            trail = await _trail(connection, customer["id"], self._notice_words.locale)
            written = self._notice_words.write(self._folder(walk), request.name, customer, walk["about"], trail=trail)
            notice = Notice(
                id=uuid5(_NOTICES, f"{request.enrollment}/{request.name}/{request.visit}"),
                customer=customer["id"],
                enrollment=request.enrollment,
                name=request.name,
                recipient=colleague(customer, self._desk),
                title=written.title,
                text=written.text,
                at=at,
            )
            if not await self._telling.tell(connection, [notice]):
                return
            facts = {"title": written.title, "notice": str(notice.id)}
            await _decide(connection, customer, walk, at, "told", Decision(rule="staff_told", facts=facts))
            await webhooks.queue(
                connection,
                STAFF_TOLD,
                customer=customer["id"],
                at=at,
                enrollment=walk["id"],
                facts={"notice": str(notice.id), "name": request.name},
            )
        self._database.wake(News.CONSEQUENCES)

    async def update_crm(self, request: CrmRequest, *, started: datetime, run: str = "") -> None:
        """Keep facts for the CRM, once per (enrollment, visit)."""
        at = self._pace.business(started)
        task = str(_task_id(request.enrollment, request.task, request.task_visit)) if request.task else None
        outcome = request.outcome.value if request.outcome else None
        facts = {"stage": request.stage or None, "outcome": outcome, "task": task}
        async with self._database.transaction() as connection:
            customer, walk = await _walking(connection, request.customer, request.enrollment, run)
            if walk is None:
                return
            update = uuid5(_UPDATES, f"{request.enrollment}/{request.visit}")
            if not await crm_updates.insert(connection, update, customer["id"], walk["id"], facts, at):
                return
            named = {"stage": request.stage, "outcome": outcome, "task": request.task}
            what = [f"{name}: {value}" for name, value in named.items() if value]
            await _decide(connection, customer, walk, at, "crm", Decision(rule="crm_updated", facts={"what": what}))
            await webhooks.queue(
                connection, CRM_UPDATED, customer=customer["id"], at=at, enrollment=walk["id"], facts=facts
            )
        self._database.wake(News.CONSEQUENCES)

    def _folder(self, walk: RowMapping) -> str:
        return self._catalogue.journey(walk["journey"]).folder


async def _walking(
    connection: AsyncConnection, customer: str, enrollment: str, run: str
) -> tuple[RowMapping, RowMapping | None]:
    """The customer, locked, and their walk while it goes on."""
    ours = await lock_customer(connection, customer)
    walk = await enrollments.get(connection, enrollment)
    if walk is not None:
        wait_for_restart(walk, run)
    return await customers.by_id(connection, ours), None if walk is None or walk["ended_at"] else walk


async def _trail(connection: AsyncConnection, customer: str, locale: str) -> str:
    """The last things that a customer did, a line each, the newest first (S61)."""
    found = await events.newest(connection, customer, LOOKED_THROUGH)
    deeds = [each for each in found if is_theirs(each) and not is_doubtful(each)][:TOLD]
    return "\n".join(
        f"{each.occurred_at:%Y-%m-%d} {event_sentence(each.name, each.properties, locale)}" for each in deeds
    )


async def _decide(
    connection: AsyncConnection, customer: RowMapping, walk: RowMapping, at: datetime, state: str, decision: Decision
) -> None:
    await enrollments.decide(
        connection, customer=customer["id"], enrollment=walk["id"], at=at, state=state, decision=decision
    )


def _task_id(enrollment: str, name: str, visit: int) -> UUID:
    return uuid5(_TASKS, f"{enrollment}/{name}/{visit}")
