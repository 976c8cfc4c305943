"""SQL for tasks for people. Whoever changes one holds its customer's lock."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database.statements import text
from domain.tasks import TaskState

LONGEST = 8000  # characters of a text that replies are added to
_READ = """
    SELECT t.*, c.customer_id, e.journey, e.about FROM tasks t
    JOIN customers c ON c.id = t.customer LEFT JOIN enrollments e ON e.id = t.enrollment
"""
_STATES = {
    TaskState.OPEN: "t.closed_at IS NULL",
    TaskState.OVERDUE: "t.closed_at IS NULL AND t.due_at <= :now",
    TaskState.CLOSED: "t.closed_at IS NOT NULL",
    TaskState.ALL: "true",
}


async def insert(connection: AsyncConnection, row: Mapping[str, Any]) -> bool:
    """A new task. False when there is one of that id."""
    rows = await connection.execute(
        text("""
            INSERT INTO tasks (id, customer, enrollment, name, cause, title, text, owner, escalate_to,
                settles, created_at, due_at)
            VALUES (:id, :customer, :enrollment, :name, :cause, :title, :text, :owner, :escalate_to,
                :settles, :at, :due)
            ON CONFLICT (id) DO NOTHING RETURNING 1
        """),
        dict(row),
    )
    return rows.first() is not None


async def get(connection: AsyncConnection, task: UUID) -> RowMapping | None:
    """One task, with the company's id of its customer and the journey that it comes from."""
    rows = await connection.execute(text(f"{_READ} WHERE t.id = :id"), {"id": task})
    return rows.mappings().one_or_none()


async def page(
    connection: AsyncConnection,
    *,
    state: TaskState,
    owner: str | None,
    customer: str | None,
    now: datetime,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Some tasks, those that are due first first, after a place."""
    wanted, values = [_STATES[state]], {"limit": limit, "now": now}
    if owner is not None:
        wanted, values = [*wanted, "t.owner = :owner"], {**values, "owner": owner}
    if customer is not None:
        wanted, values = [*wanted, "t.customer = :customer"], {**values, "customer": customer}
    if after is not None:
        wanted, values = [*wanted, "(t.due_at, t.id) > (:due, :id)"], {**values, "due": after[0], "id": after[1]}
    if state is not TaskState.OVERDUE:
        values.pop("now")
    rows = await connection.execute(
        text(f"{_READ} WHERE {' AND '.join(wanted)} ORDER BY t.due_at, t.id LIMIT :limit"), values
    )
    return rows.mappings().all()


async def close(
    connection: AsyncConnection, task: UUID, *, at: datetime, by: str, outcome: str, note: str | None
) -> bool:
    """End a task. False when it has ended."""
    rows = await connection.execute(
        text("""
            UPDATE tasks SET closed_at = :at, closed_by = :by, outcome = :outcome, note = :note
            WHERE id = :id AND closed_at IS NULL RETURNING 1
        """),
        {"id": task, "at": at, "by": by, "outcome": outcome, "note": note},
    )
    return rows.first() is not None


async def unsettled(connection: AsyncConnection, customer: str) -> bool:
    """Whether a customer has an open task for a low score."""
    rows = await connection.execute(
        text("SELECT 1 FROM tasks WHERE customer = :customer AND settles AND closed_at IS NULL LIMIT 1"),
        {"customer": customer},
    )
    return rows.first() is not None


async def assign(connection: AsyncConnection, task: UUID, owner: str | None) -> bool:
    """Give an open task to somebody. False when it has ended, or is theirs."""
    rows = await connection.execute(
        text("""
            UPDATE tasks SET owner = :owner
            WHERE id = :id AND closed_at IS NULL AND owner IS DISTINCT FROM :owner RETURNING 1
        """),
        {"id": task, "owner": owner},
    )
    return rows.first() is not None


async def add_reply(connection: AsyncConnection, customer: str, words: str) -> bool:
    """Add a further reply to a customer's open task of answering them. False when there is none."""
    rows = await connection.execute(
        text("""
            UPDATE tasks SET text = left(text || E'\\n\\n' || cast(:words AS text), :longest), times = times + 1
            WHERE id = (SELECT id FROM tasks WHERE customer = :customer AND cause = 'reply' AND closed_at IS NULL
                ORDER BY created_at, id LIMIT 1) RETURNING 1
        """),
        {"customer": customer, "words": words, "longest": LONGEST},
    )
    return rows.first() is not None


async def late(connection: AsyncConnection, now: datetime, limit: int) -> Sequence[RowMapping]:
    """Some overdue tasks that nobody was told of, with their customers."""
    rows = await connection.execute(
        text("""
            SELECT id, customer FROM tasks WHERE closed_at IS NULL AND escalated_at IS NULL AND due_at <= :now
            ORDER BY due_at LIMIT :limit
        """),
        {"now": now, "limit": limit},
    )
    return rows.mappings().all()


async def escalate(
    connection: AsyncConnection, tasks: Sequence[UUID], now: datetime, head: str | None
) -> Sequence[RowMapping]:
    """Give those of these tasks that are still late to whom they are to go. Answers them, with `was` for the owner."""
    rows = await connection.execute(
        text("""
            UPDATE tasks t SET escalated_at = :now, owner = coalesce(was.escalate_to, :head, was.owner)
            FROM tasks was JOIN customers c ON c.id = was.customer LEFT JOIN enrollments e ON e.id = was.enrollment
            WHERE was.id = t.id AND t.id = ANY(:ids) AND t.closed_at IS NULL AND t.escalated_at IS NULL
            RETURNING t.*, was.owner AS was, c.customer_id, c.attributes, c.needs, e.about
        """),
        {"ids": list(tasks), "now": now, "head": head},
    )
    return rows.mappings().all()
