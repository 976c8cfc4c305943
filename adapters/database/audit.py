"""SQL for the audit log: rows are added and read, never changed. Machinery: real time."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection


async def insert(connection: AsyncConnection, row: dict[str, Any]) -> None:
    """One entry; `before` and `after` are JSON values, or None."""
    await connection.execute(
        text("""
            INSERT INTO audit (actor, actor_name, action, subject_kind, subject, before, after, request)
            VALUES (:actor, :actor_name, :action, :subject_kind, :subject,
                    cast(:before AS jsonb), cast(:after AS jsonb), :request)
        """),
        {**row, "before": _json(row["before"]), "after": _json(row["after"])},
    )


async def page(
    connection: AsyncConnection,
    *,
    actor: str | None,
    kind: str | None,
    subject: str | None,
    before: int | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Entries, newest first, before an entry's id; of one actor, about one kind or one subject, where given."""
    rows = await connection.execute(
        text("""
            SELECT * FROM audit
            WHERE (cast(:actor AS text) IS NULL OR actor = :actor)
              AND (cast(:kind AS text) IS NULL OR subject_kind = :kind)
              AND (cast(:subject AS text) IS NULL OR subject = :subject)
              AND (cast(:before AS bigint) IS NULL OR id < :before)
            ORDER BY id DESC LIMIT :limit
        """),
        {"actor": actor, "kind": kind, "subject": subject, "before": before, "limit": limit},
    )
    return rows.mappings().all()


def _json(value: object) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()
