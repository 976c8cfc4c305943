"""One customer's timeline: why did Anna get this, why not that, and what comes next."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import customers, timeline
from adapters.database.timeline import Place
from adapters.zones import zone_of
from domain.errors import InvalidInput, NotFound
from services.saying import decision_sentence, event_sentence

NO_CURSOR = "cursor: is not one that an earlier page gave"
_KINDS = {
    "entered": "enrollment",
    "not_entered": "enrollment",
    "ended": "enrollment",
    "paused": "enrollment",
    "resumed": "enrollment",
    "restarted": "enrollment",
    "task": "task",
}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line. `kind` is event, send, enrollment, task or decision; `state` tells more, for example deferred."""

    at: datetime
    kind: str
    state: str
    text: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Page:
    """Some entries, newest first, and the cursor for those before them. `zone` is the customer's."""

    entries: Sequence[Entry]
    zone: str
    cursor: str | None


class Timeline:
    """Reads timelines. `zone` is for customers whose own is unknown."""

    def __init__(self, zone: str) -> None:
        self._zone = zone

    async def read(
        self, connection: AsyncConnection, customer_id: str, *, locale: str, cursor: str | None, limit: int
    ) -> Page:
        """A page. Raises NotFound, and InvalidInput for a cursor that is not ours."""
        customer = await customers.by_company_id(connection, customer_id)
        if customer is None:
            raise NotFound("customer", customer_id)
        after = _place(cursor) if cursor else None
        rows = await timeline.page(connection, customer["id"], after=after, limit=limit + 1)
        zone = zone_of(customer, self._zone)
        shown = rows[:limit]
        return Page(
            entries=[_entry(row, locale, zone) for row in shown],
            zone=zone,
            cursor=_cursor(shown[-1]) if len(rows) > limit else None,
        )

    async def current(self, connection: AsyncConnection, customer: str) -> Sequence[RowMapping]:
        """The open enrollments of a customer (our id), each with where it stands."""
        return await timeline.current(connection, customer)


def _entry(row: RowMapping, locale: str, zone: str) -> Entry:
    if row["kind"] == "event":
        text = event_sentence(row["what"], row["properties"], locale)
        details = {"name": row["what"], "source": row["source"], "properties": row["properties"]}
        return Entry(at=row["at"], kind="event", state=row["what"], text=text, details=details)
    text = decision_sentence(
        row["what"],
        row["rule"],
        row["facts"],
        journey=row["journey"],
        message=row["message"],
        locale=locale,
        zone=zone,
    )
    kind = "send" if row["send"] else _KINDS.get(row["what"], "decision")
    return Entry(at=row["at"], kind=kind, state=row["what"], text=text, details=_details(row, kind))


def _details(row: RowMapping, kind: str) -> dict[str, Any]:
    details: dict[str, Any] = {"rule": row["rule"], "facts": row["facts"]}
    if row["enrollment"]:
        details |= {"journey": row["journey"], "enrollment": row["enrollment"], "about": row["about"]}
    if kind == "send":
        details |= {
            "send": str(row["send"]),
            "message": row["message"],
            "channel": row["channel"],
            "purpose": row["purpose"],
            "now": row["send_state"],
            "kept": row["kept"],
        }
    if row["task"]:
        due, closed = row["due_at"].isoformat(), row["closed_at"] and row["closed_at"].isoformat()
        details |= {"task": str(row["task"]), "task_text": row["task_text"], "due_at": due, "closed_at": closed}
    return details


def _cursor(row: RowMapping) -> str:
    packed = msgspec.json.encode([row["at"], row["rank"], row["key"]])
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def _place(cursor: str) -> Place:
    try:
        packed = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        at, rank, key = msgspec.json.decode(packed, type=tuple[datetime, int, str])
        place = Place(at=at.astimezone(UTC), rank=rank, key=key)
    except (binascii.Error, msgspec.MsgspecError, ValueError, OverflowError):
        raise InvalidInput([NO_CURSOR]) from None
    if at.tzinfo is None or not key.isprintable() or not 0 <= rank <= 9:
        raise InvalidInput([NO_CURSOR])
    return place
