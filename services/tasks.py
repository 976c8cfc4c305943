"""Tasks for people (S64): journeys, replies and staff ask for them; they end with an outcome, and escalate once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4, uuid5
from zoneinfo import ZoneInfo

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import customers, enrollments, events, tasks, webhooks
from adapters.database.connection import Database, lock_customer, lock_customers
from adapters.database.notices import Notice
from adapters.staff_words import StaffWords
from domain.announcements import TASK_CLOSED, TASK_CREATED, TASK_ESCALATED
from domain.clock import Clock
from domain.decisions import Decision
from domain.durations import hours
from domain.errors import Conflict, InvalidDeclaration, NotFound
from domain.events import ENROLLMENT, OURS
from domain.messages import Channel
from domain.tasks import ANSWER, CLOSED, SETTLED, Desk, TaskCause, TaskOutcome, TaskState
from services import audit
from services.audit import Actor
from services.customers import Customers
from services.telling import Telling

AT_ONCE = 50  # late tasks in one transaction
ANSWER_WITHIN = hours(4)  # unless its file says otherwise
LATE = ("tasks", "escalated")
LONGEST_REPLY = 2000  # characters of one reply
_SAID_BY = {Channel.SMS: "SMS", Channel.WHATSAPP: "WhatsApp", Channel.TELEGRAM: "Telegram"}
_ESCALATIONS = UUID("4f0a8a52-0f5b-5d0e-8a57-54726f706133")


@dataclass(frozen=True, kw_only=True)
class NewTask:
    """What somebody is to do. Without an `owner` it is the customer's owner's, or the staff's. Done, one that `settles`
    takes the low score that it was made for out of the way of offers.
    """

    id: UUID
    name: str
    cause: TaskCause
    title: str
    text: str
    due_at: datetime
    owner: str | None = None
    escalate_to: str | None = None
    enrollment: str | None = None
    settles: bool = False


class Tasks:
    """Commands about tasks run in the caller's transaction. `zone` and `locale` are the staff's.

    Raises InvalidDeclaration when there are no words for what Tropa itself asks of people.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        desk: Desk,
        words: StaffWords,
        notices: StaffWords,
        telling: Telling,
        zone: str,
        locale: str,
    ) -> None:
        self._database, self._clock, self._desk, self._telling = database, clock, desk, telling
        self._words, self._notices, self._zone, self._locale = words, notices, zone, locale
        for kind, known, file in (("tasks", words, ("replies", ANSWER)), ("notices", notices, LATE)):
            if file not in known.names():
                raise InvalidDeclaration(f"templates/{kind}/{'/'.join(file)}.toml is missing: Tropa itself needs it.")

    async def add(self, connection: AsyncConnection, customer: RowMapping, new: NewTask, *, at: datetime) -> bool:
        """Add a task about a customer, who is locked. False when there is one of that id."""
        row = {
            "id": new.id,
            "customer": customer["id"],
            "enrollment": new.enrollment,
            "name": new.name,
            "cause": new.cause.value,
            "title": new.title,
            "text": new.text,
            "owner": new.owner or colleague(customer, self._desk),
            "escalate_to": new.escalate_to,
            "settles": new.settles,
            "at": at,
            "due": new.due_at,
        }
        if not await tasks.insert(connection, row):
            return False
        decision = Decision(rule="task_created", facts={"title": new.title, "task": str(new.id)})
        await enrollments.decide(
            connection, customer=customer["id"], enrollment=new.enrollment, at=at, state="task", decision=decision
        )
        await webhooks.queue_tasks(connection, TASK_CREATED, [new.id], at=at)
        return True

    async def create(self, connection: AsyncConnection, customer_id: str, new: NewTask, *, actor: Actor) -> RowMapping:
        """A task by staff. Raises NotFound, and Conflict for a customer who was erased."""
        found = await customers.by_company_id(connection, customer_id)
        if found is None:
            raise NotFound("customer", customer_id)
        await self.add(connection, await Customers.locked(connection, found["id"]), new, at=self._clock.now())
        await audit.write(connection, actor, "task.created", kind="task", subject=str(new.id))
        return await self.get(connection, new.id)

    async def answer(self, connection: AsyncConnection, customer: RowMapping, channel: Channel, words: str) -> None:
        """A customer, who is locked, wrote what no rule answers: one task to answer it, however often they write."""
        words, now = words.strip()[:LONGEST_REPLY] or "…", self._clock.now()
        if await tasks.add_reply(connection, customer["id"], words):
            return
        written = self._words.write("replies", ANSWER, customer, channel=_SAID_BY[channel], words=words)
        new = NewTask(
            id=uuid4(),
            name=ANSWER,
            cause=TaskCause.REPLY,
            title=written.title,
            text=written.text,
            due_at=now + (written.due_within or ANSWER_WITHIN),
            escalate_to=written.escalate_to,
        )
        await self.add(connection, customer, new, at=now)

    async def get(self, connection: AsyncConnection, task: UUID) -> RowMapping:
        """One task. Raises NotFound."""
        row = await tasks.get(connection, task)
        if row is None:
            raise NotFound("task", str(task))
        return row

    async def page(
        self,
        connection: AsyncConnection,
        *,
        state: TaskState,
        owner: str | None,
        customer_id: str | None,
        after: tuple[datetime, UUID] | None,
        limit: int,
    ) -> Sequence[RowMapping]:
        """Some tasks, those that are due first first. Raises NotFound for a customer whom nobody knows."""
        customer = None
        if customer_id is not None:
            found = await customers.ours(connection, [customer_id])
            if customer_id not in found:
                raise NotFound("customer", customer_id)
            customer = found[customer_id]
        return await tasks.page(
            connection,
            state=state,
            owner=owner,
            customer=customer,
            now=self._clock.now(),
            after=after,
            limit=limit,
        )

    async def close(
        self, connection: AsyncConnection, task: UUID, outcome: TaskOutcome, note: str | None, *, actor: Actor
    ) -> RowMapping:
        """End a task. Closed alike before, it stays as it is; otherwise raises Conflict. Raises NotFound."""
        row, now = await self._locked(connection, task), self._clock.now()
        if not await tasks.close(connection, task, at=now, by=actor.name, outcome=outcome.value, note=note):
            if row["outcome"] == outcome.value:
                return row
            raise Conflict(f"This task has ended already: {row['outcome'] or 'nobody needs it any more'}.")
        settled = (
            row["settles"] and outcome is TaskOutcome.DONE and not await tasks.unsettled(connection, row["customer"])
        )
        said = {"outcome": outcome.value, **({SETTLED: True} if settled else {})}
        await events.insert(connection, [_event(CLOSED, row, now, **said)])
        await webhooks.queue_tasks(connection, TASK_CLOSED, [task], at=now)
        await audit.write(
            connection, actor, "task.closed", kind="task", subject=str(task), after={"outcome": outcome.value}
        )
        return await self.get(connection, task)

    async def assign(self, connection: AsyncConnection, task: UUID, owner: str | None, *, actor: Actor) -> RowMapping:
        """Give an open task to somebody, or to nobody in particular. Raises NotFound, and Conflict for a closed one."""
        row = await self._locked(connection, task)
        if row["closed_at"]:
            raise Conflict("This task has ended already.")
        if await tasks.assign(connection, task, owner):
            await audit.write(connection, actor, "task.assigned", kind="task", subject=str(task))
        return await self.get(connection, task)

    async def escalate_some(self, limit: int = AT_ONCE) -> int:
        """Give late tasks to whom they go then, each once, and say so. Answers how many there were."""
        now = self._clock.now()
        async with self._database.transaction() as connection:
            late = await tasks.late(connection, now, limit)
            if not late:
                return 0
            # Under their customers' locks, so that none is erased or merged meanwhile.
            await lock_customers(connection, sorted({row["customer"] for row in late}))
            rows = await tasks.escalate(connection, [row["id"] for row in late], now, self._desk.head)
            await events.insert(connection, [_event("task_escalated", row, now) for row in rows])
            await webhooks.queue_tasks(connection, TASK_ESCALATED, [row["id"] for row in rows], at=now)
            await self._telling.tell(connection, [self._overdue(row, now) for row in rows])
        self._database.wake()
        return len(rows)

    def _overdue(self, row: RowMapping, now: datetime) -> Notice:
        due = row["due_at"].astimezone(ZoneInfo(self._zone))
        task = {
            "title": row["title"],
            "text": row["text"],
            "owner": row["was"],
            "due": due.strftime("%d %b %H:%M" if self._locale == "en" else "%d.%m %H:%M"),
        }
        written = self._notices.write(*LATE, row, task=task)
        return Notice(
            id=uuid5(_ESCALATIONS, str(row["id"])),
            customer=row["customer"],
            enrollment=row["enrollment"],
            name="escalated",
            recipient=row["owner"] or self._desk.staff,
            title=written.title,
            text=written.text,
            at=now,
        )

    async def _locked(self, connection: AsyncConnection, task: UUID) -> RowMapping:
        await lock_customer(connection, (await self.get(connection, task))["customer"])
        return await self.get(connection, task)


def colleague(customer: RowMapping, desk: Desk) -> str | None:
    """Whose a customer is: their owner's, or the staff's; never their own, whatever somebody wrote into the profile."""
    owner, own = customer["owner"], customer["email"]
    return owner if owner and owner.casefold() != (own or "").casefold() else desk.staff


def _event(name: str, task: RowMapping, at: datetime, **more: str | bool) -> events.NewEvent:
    """What happened to a task, as an event of its customer, about what its journey is about."""
    said: dict[str, str | bool] = {"task": task["name"], "task_id": str(task["id"]), **more}
    if task["enrollment"]:
        said[ENROLLMENT] = task["enrollment"]
    return events.told_once(
        f"{name}:{task['id']}",
        customer_id=task["customer_id"],
        name=name,
        at=at,
        source=OURS,
        properties=said,
        about=task["about"] or "",
    )
