"""SQL for enrollments, the decisions about them, and what Temporal is to be told of them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import webhooks
from adapters.database.customers import CONSENTS
from adapters.database.statements import text
from domain.announcements import announcement
from domain.consequences import Past, Walk
from domain.decisions import Decision
from domain.journeys import Ending
from domain.sends import UNCLAIMED


async def mint(connection: AsyncConnection, count: int) -> list[str]:
    """New enrollment ids."""
    rows = await connection.execute(
        text("SELECT 'enr_' || replace(uuidv7()::text, '-', '') AS id FROM generate_series(1, :count)"),
        {"count": count},
    )
    return [row.id for row in rows]


async def insert(
    connection: AsyncConnection, customer: str, walk: Walk, *, cause: str, options: Mapping[str, object]
) -> None:
    """A new enrollment and the order to start its workflow."""
    await insert_all(connection, [(customer, walk)], cause=cause, options=options)


async def insert_all(
    connection: AsyncConnection, entering: Sequence[tuple[str, Walk]], *, cause: str, options: Mapping[str, object]
) -> None:
    """New enrollments of customers, and the orders to start their workflows."""
    await connection.execute(
        text("""
            WITH entered AS (
                INSERT INTO enrollments (id, customer, journey, about, options, cause, started_at, after_event)
                SELECT id, customer, journey, about, cast(:options AS jsonb), :cause, started_at, after_event
                FROM unnest(cast(:ids AS text[]), cast(:customers AS text[]), cast(:journeys AS text[]),
                            cast(:abouts AS text[]), cast(:started AS timestamptz[]), cast(:after AS int[]))
                    AS given (id, customer, journey, about, started_at, after_event)
                RETURNING id
            )
            INSERT INTO dispatches (enrollment, kind) SELECT id, 'start' FROM entered
        """),
        {
            "ids": [walk.id for _, walk in entering],
            "customers": [customer for customer, _ in entering],
            "journeys": [walk.journey for _, walk in entering],
            "abouts": [walk.about for _, walk in entering],
            "started": [walk.started_at for _, walk in entering],
            "after": [walk.after_event for _, walk in entering],
            "options": _json(options),
            "cause": cause,
        },
    )


async def dispatch(
    connection: AsyncConnection, enrollment: str, kind: str, payload: object, due_at: datetime | None = None
) -> None:
    """Queue something for Temporal. `due_at` is real time; none means now."""
    await connection.execute(
        text("""
            INSERT INTO dispatches (enrollment, kind, payload, due_at)
            VALUES (:enrollment, :kind, cast(:payload AS jsonb), coalesce(:due_at, now()))
        """),
        {"enrollment": enrollment, "kind": kind, "payload": _json(payload), "due_at": due_at},
    )


async def release(connection: AsyncConnection, customer: str, *, rule: str | None = None) -> None:
    """Tell every walk of a customer whose send waits (by a rule) to ask again: what stood in the way may be gone."""
    await connection.execute(
        text("""
            INSERT INTO dispatches (enrollment, kind)
            SELECT DISTINCT s.enrollment, 'released' FROM sends s JOIN enrollments e ON e.id = s.enrollment
            WHERE s.customer = :customer AND s.state IN ('held', 'deferred') AND e.ended_at IS NULL
              AND (cast(:rule AS text) IS NULL OR s.rule = :rule)
        """),
        {"customer": customer, "rule": rule},
    )


_STANDING = f"""
    SELECT c.*, ({CONSENTS.format(customer="c.id")}) AS consents,
        (SELECT json_agg(json_build_object('id', id, 'journey', journey, 'about', about, 'started_at', started_at,
                'after_event', after_event, 'signals', signals, 'hearing', hearing) ORDER BY started_at, id)::text
            FROM enrollments WHERE customer = c.id AND ended_at IS NULL) AS walks
    FROM customers c WHERE c.id = ANY(:customers)
"""  # noqa: S608  our own words


async def standings(connection: AsyncConnection, customers: Sequence[str]) -> dict[str, RowMapping]:
    """Customers' rows by our ids, with `consents` and open `walks` beside each, to be read by `read_...`."""
    rows = await connection.execute(text(_STANDING), {"customers": list(customers)})
    return {row["id"]: row for row in rows.mappings()}


def read_walks(walks: str | None) -> dict[str, Walk]:
    """Open enrollments as `standings` tells them, by id, oldest first."""
    return {walk.id: walk for walk in msgspec.json.decode(walks, type=list[Walk])} if walks else {}


async def open_walks(connection: AsyncConnection, customer: str, *, begun_by: Collection[str] = ()) -> dict[str, Walk]:
    """A customer's open enrollments, by id, oldest first; those alone that events of some names began."""
    rows = await connection.execute(
        text("""
            SELECT id, journey, about, started_at, after_event, signals, hearing FROM enrollments
            WHERE customer = :customer AND ended_at IS NULL
              AND (cardinality(cast(:names AS text[])) = 0 OR cause = ANY(:names)) ORDER BY started_at, id
        """),
        {"customer": customer, "names": sorted(begun_by)},
    )
    return {row["id"]: Walk(**row) for row in rows.mappings()}


async def past_walks(
    connection: AsyncConnection, customer: str, journeys: Sequence[str]
) -> dict[tuple[str, str], Past]:
    """When a customer last entered each of these journeys, by journey and what it was about."""
    return (await past_walks_of_all(connection, [customer], journeys))[customer]


async def past_walks_of_all(
    connection: AsyncConnection, customers: Sequence[str], journeys: Sequence[str]
) -> dict[str, dict[tuple[str, str], Past]]:
    """As `past_walks`, of many customers."""
    rows = await connection.execute(
        text("""
            SELECT DISTINCT ON (customer, journey, about) customer, journey, about, started_at, ended_at
            FROM enrollments WHERE customer = ANY(:customers) AND journey = ANY(:journeys)
            ORDER BY customer, journey, about, ended_at DESC NULLS FIRST, started_at DESC
        """),
        {"customers": list(customers), "journeys": list(journeys)},
    )
    found: dict[str, dict[tuple[str, str], Past]] = {customer: {} for customer in customers}
    for r in rows:
        found[r.customer][r.journey, r.about] = Past(started_at=r.started_at, ended_at=r.ended_at)
    return found


async def get(connection: AsyncConnection, enrollment: str) -> RowMapping | None:
    """One enrollment, with its customer's company id."""
    rows = await connection.execute(
        text("""
            SELECT e.*, c.customer_id FROM enrollments e JOIN customers c ON c.id = e.customer WHERE e.id = :id
        """),
        {"id": enrollment},
    )
    return rows.mappings().one_or_none()


async def end(
    connection: AsyncConnection, *, enrollment: str, ending: Ending, at: datetime, decision: Decision
) -> bool:
    """Write the first ending, withdraw what was not yet claimed, and say so. False when it had ended before."""
    rows = await connection.execute(
        text("""
            UPDATE enrollments SET ended_at = :at, outcome = :outcome, leaving = :leaving
            WHERE id = :id AND ended_at IS NULL RETURNING customer
        """),
        {
            "id": enrollment,
            "at": at,
            "outcome": ending.outcome.value if ending.outcome else None,
            "leaving": ending.leaving.value if ending.leaving else None,
        },
    )
    ended = rows.first()
    if ended is None:
        return False
    customer = ended.customer
    await decide(connection, customer=customer, enrollment=enrollment, at=at, state="ended", decision=decision)
    withdrawn = await connection.execute(
        text("""
            UPDATE sends SET state = 'withdrawn', rule = 'withdrawn'
            WHERE enrollment = :id AND state = ANY(:unclaimed) RETURNING id
        """),
        {"id": enrollment, "unclaimed": [state.value for state in UNCLAIMED]},
    )
    for row in withdrawn.all():
        await decide(
            connection,
            customer=customer,
            enrollment=enrollment,
            send=row.id,
            at=at,
            state="withdrawn",
            decision=Decision(rule="withdrawn", facts={"how": ending.word}),
        )
    return True


async def record_run(connection: AsyncConnection, enrollment: str, run: str) -> None:
    """An operator's reset made a new run of this enrollment's workflow."""
    await connection.execute(
        text("UPDATE enrollments SET run_id = :run WHERE id = :id"), {"id": enrollment, "run": run}
    )


async def reopen(connection: AsyncConnection, enrollment: str) -> None:
    """Take an ending back, and the withdrawal of what was not sent: that is asked for again when its turn comes."""
    await connection.execute(
        text("UPDATE enrollments SET ended_at = NULL, outcome = NULL, leaving = NULL WHERE id = :id"),
        {"id": enrollment},
    )
    await connection.execute(
        text("""
            UPDATE sends SET state = 'deferred', rule = 'restarted_by_operator'
            WHERE enrollment = :id AND state = 'withdrawn'
        """),
        {"id": enrollment},
    )


async def decide_all(
    connection: AsyncConnection, decided: Sequence[tuple[str, str | None, Decision]], *, at: datetime, state: str
) -> None:
    """Store why many entered (with their enrollments) or did not. Nobody is told of these by webhooks."""
    await connection.execute(
        text("""
            INSERT INTO decisions (at, customer, enrollment, state, rule, facts, words)
            SELECT :at, customer, enrollment, :state, rule, facts, words
            FROM unnest(cast(:customers AS text[]), cast(:enrollments AS text[]), cast(:rules AS text[]),
                        cast(:facts AS jsonb[]), cast(:words AS text[]))
                AS given (customer, enrollment, rule, facts, words)
        """),
        {
            "at": at,
            "state": state,
            "customers": [customer for customer, _, _ in decided],
            "enrollments": [enrollment for _, enrollment, _ in decided],
            "rules": [decision.rule for _, _, decision in decided],
            "facts": [_json(decision.facts) for _, _, decision in decided],
            "words": [decision.words() for _, _, decision in decided],
        },
    )


async def decide(
    connection: AsyncConnection,
    *,
    customer: str,
    at: datetime,
    state: str,
    decision: Decision,
    enrollment: str | None = None,
    send: UUID | None = None,
) -> None:
    """Store why, in words, with the rule and its facts."""
    await connection.execute(
        text("""
            INSERT INTO decisions (at, customer, enrollment, send, state, rule, facts, words)
            VALUES (:at, :customer, :enrollment, :send, :state, :rule, cast(:facts AS jsonb), :words)
        """),
        {
            "at": at,
            "customer": customer,
            "enrollment": enrollment,
            "send": send,
            "state": state,
            "rule": decision.rule,
            "facts": _json(decision.facts),
            "words": decision.words(),
        },
    )
    if told_as := announcement(state, decision.rule):
        await webhooks.queue(
            connection, told_as, customer=customer, at=at, enrollment=enrollment, send=send, why=decision.words()
        )


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
