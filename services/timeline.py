"""Timelines: why did Anna get this, why not that, and what comes next; and of a company's people together."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import customers, timeline
from adapters.database.timeline import Place
from adapters.zones import zone_of
from domain.errors import InvalidInput, NotFound
from services.cursors import NO_CURSOR, Instant, cursor_of, place_of
from services.saying import decision_sentence, event_sentence

Titled = Callable[[str, str], str]
"""What a message of a journey is called."""

_KINDS = {
    "entered": "enrollment",
    "not_entered": "enrollment",
    "ended": "enrollment",
    "paused": "enrollment",
    "resumed": "enrollment",
    "restarted": "enrollment",
    "task": "task",
    "told": "task",
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
        self,
        connection: AsyncConnection,
        customer_id: str,
        *,
        locale: str,
        cursor: str | None,
        limit: int,
        titled: Titled | None = None,
    ) -> Page:
        """A page; with `titled`, which is for people, messages are called by that, else by name.

        Raises NotFound, and InvalidInput for a cursor that is not ours.
        """
        customer = await customers.by_company_id(connection, customer_id)
        if customer is None:
            raise NotFound("customer", customer_id)
        zone = zone_of(customer, self._zone)
        rows, cursor = await _page(connection, [customer["id"]], cursor, limit)
        return Page(entries=[_entry(row, locale, zone, titled) for row in rows], zone=zone, cursor=cursor)

    async def of_people(
        self, connection: AsyncConnection, people: Mapping[str, str], *, locale: str, cursor: str | None, limit: int
    ) -> Page:
        """A page of what happened to several customers, our ids with the company's, in the installation's zone (S42).

        Raises InvalidInput for a cursor that is not ours.
        """
        rows, cursor = await _page(connection, list(people), cursor, limit)
        entries = [_entry(row, locale, self._zone) for row in rows]
        whose = [
            replace(entry, details={**entry.details, "customer_id": people[row["customer"]]})
            for entry, row in zip(entries, rows, strict=True)
        ]
        return Page(entries=whose, zone=self._zone, cursor=cursor)

    async def current(self, connection: AsyncConnection, customer: str) -> Sequence[RowMapping]:
        """The open enrollments of a customer (our id), each with where it stands."""
        return await timeline.current(connection, customer)


async def _page(
    connection: AsyncConnection, customers: Sequence[str], cursor: str | None, limit: int
) -> tuple[Sequence[RowMapping], str | None]:
    after = _place(cursor) if cursor else None
    rows = await timeline.page(connection, customers, after=after, limit=limit + 1)
    last = rows[limit - 1] if len(rows) > limit else None
    return rows[:limit], cursor_of(last["at"], last["rank"], last["key"]) if last else None


def _entry(row: RowMapping, locale: str, zone: str, titled: Titled | None = None) -> Entry:
    if row["kind"] == "event":
        said = _titled(row["properties"], titled)
        text = event_sentence(row["what"], said, locale, title=row["task_title"])
        details = {"name": row["what"], "source": row["source"], "properties": row["properties"], **_words(row)}
        return Entry(at=row["at"], kind="event", state=row["what"], text=text, details=details)
    text = decision_sentence(
        row["what"],
        row["rule"],
        row["facts"],
        journey=row["journey"],
        message=titled(row["journey"], row["message"]) if titled and row["message"] else row["message"],
        locale=locale,
        zone=zone,
    )
    kind = "send" if row["send"] else _KINDS.get(row["what"], "decision")
    return Entry(at=row["at"], kind=kind, state=row["what"], text=text, details=_details(row, kind))


def _titled(properties: Mapping[str, Any], titled: Titled | None) -> Mapping[str, Any]:
    journey, message = properties.get("journey"), properties.get("message")
    if titled and isinstance(journey, str) and isinstance(message, str):
        return {**properties, "message": titled(journey, message)}
    return properties


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
    return details | _words(row)


def _words(row: RowMapping) -> dict[str, Any]:
    """What a task, a note or a notice says, and how far the task has come."""
    if not row["task"]:
        return {"words": row["words"]} if row["words"] else {}
    due, closed = row["due_at"].isoformat(), row["closed_at"] and row["closed_at"].isoformat()
    return {
        "task": str(row["task"]),
        "task_text": row["words"],
        "owner": row["task_owner"],
        "due_at": due,
        "closed_at": closed,
        "outcome": row["outcome"],
        "note": row["task_note"],
    }


def _place(cursor: str) -> Place:
    at, rank, key = place_of(cursor, tuple[Instant, int, str])
    if not 0 <= rank <= 9:
        raise InvalidInput([NO_CURSOR])
    return Place(at=at, rank=rank, key=key)
