"""SQL for entering many at once: bulks, whom they named, and what became of each. Rates are machinery: real time."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database.statements import text
from domain.bulk import Habit
from domain.decisions import Decision

SAMPLES = 5  # of customers, for each reason
LATEST_WALKS, FEWEST_WALKS = 1000, 20  # that a forecast looks at, and rests on


class Line(NamedTuple):
    """One of those whom a bulk names. `customer` is our id; `decision` says why they are left out, or is None."""

    customer_id: str
    about: str
    customer: str | None
    decision: Decision | None


async def insert(connection: AsyncConnection, columns: Mapping[str, Any]) -> str:
    """A new bulk. Answers its id."""
    names = ", ".join(columns)
    values = ", ".join(f"cast(:{n} AS jsonb)" if n in ("options", "reachable", "volume") else f":{n}" for n in columns)
    rows = await connection.execute(
        text(f"INSERT INTO bulks ({names}) VALUES ({values}) RETURNING id"),  # noqa: S608  our own words
        {name: _json(value) if isinstance(value, Mapping) else value for name, value in columns.items()},
    )
    return str(rows.scalar_one())


async def insert_lines(connection: AsyncConnection, bulk: str, lines: Sequence[Line], *, first: int) -> None:
    """Whom a bulk names, from this place on."""
    await connection.execute(
        text("""
            INSERT INTO bulk_customers (bulk, place, customer_id, about, customer, state, rule, facts)
            SELECT :bulk, :first + place - 1, customer_id, about, customer,
                   CASE WHEN rule IS NULL THEN 'waits' ELSE 'left_out' END, rule, facts
            FROM unnest(cast(:ids AS text[]), cast(:abouts AS text[]), cast(:customers AS text[]),
                        cast(:rules AS text[]), cast(:facts AS jsonb[]))
                WITH ORDINALITY AS given (customer_id, about, customer, rule, facts, place)
        """),
        {
            "bulk": bulk,
            "first": first,
            "ids": [line.customer_id for line in lines],
            "abouts": [line.about for line in lines],
            "customers": [line.customer for line in lines],
            "rules": [line.decision.rule if line.decision else None for line in lines],
            "facts": [_json(line.decision.facts) if line.decision else "{}" for line in lines],
        },
    )


async def forget_drafts(connection: AsyncConnection, before: datetime) -> None:
    """Delete what was drafted before then and never started."""
    await connection.execute(
        text("DELETE FROM bulks WHERE state = 'drafted' AND drafted_at < :before"), {"before": before}
    )


async def get(connection: AsyncConnection, bulk: str, *, locked: bool = False) -> RowMapping | None:
    """One bulk; `locked`: nobody else changes it until the end of the transaction."""
    rows = await connection.execute(
        text(f"SELECT * FROM bulks WHERE id = :id {'FOR UPDATE' if locked else ''}"),  # noqa: S608  our own words
        {"id": bulk},
    )
    return rows.mappings().one_or_none()


async def page(connection: AsyncConnection, *, before: str | None, limit: int) -> Sequence[RowMapping]:
    """Bulks, newest first, from before one's id."""
    rows = await connection.execute(
        text("""
            SELECT * FROM bulks WHERE cast(:before AS text) IS NULL OR id < :before ORDER BY id DESC LIMIT :limit
        """),
        {"before": before, "limit": limit},
    )
    return rows.mappings().all()


async def change(connection: AsyncConnection, bulk: str, changes: Mapping[str, Any], *, tell: bool = False) -> None:
    """Set columns; `tell`: its workflow is to hear that something changed."""
    columns = [f"{name} = :{name}" for name in changes] + (["asked = asked + 1"] if tell else [])
    await connection.execute(
        text(f"UPDATE bulks SET {', '.join(columns)} WHERE id = :id"),  # noqa: S608  our own words
        {**changes, "id": bulk},
    )


async def begin_stretch(connection: AsyncConnection, bulk: str) -> None:
    """From here on its rate is measured."""
    await connection.execute(
        text("UPDATE bulks SET stretch_at = clock_timestamp(), stretch_from = reached, chunk_at = NULL WHERE id = :id"),
        {"id": bulk},
    )


async def reasons(connection: AsyncConnection, bulk: str) -> Sequence[RowMapping]:
    """Why how many were left out, or did not enter, the most first; with some of them."""
    rows = await connection.execute(
        text(f"""
            SELECT found.*, ARRAY(
                SELECT c.customer_id FROM bulk_customers c
                WHERE c.bulk = :bulk AND c.rule = found.rule AND c.state = found.state ORDER BY c.place LIMIT {SAMPLES}
            ) AS sample
            FROM (SELECT rule, state, count(*) AS count FROM bulk_customers
                  WHERE bulk = :bulk AND rule IS NOT NULL GROUP BY rule, state) AS found
            ORDER BY found.count DESC, found.rule
        """),  # noqa: S608  a constant
        {"bulk": bulk},
    )
    return rows.mappings().all()


async def rate(connection: AsyncConnection, bulk: str) -> float | None:
    """Customers a second since it has been running without a pause."""
    rows = await connection.execute(
        text("""
            SELECT (reached - stretch_from) / nullif(extract(epoch FROM chunk_at - stretch_at), 0) AS rate
            FROM bulks WHERE id = :id AND chunk_at > stretch_at
        """),
        {"id": bulk},
    )
    found = rows.scalar_one_or_none()
    return None if found is None else float(found)


# Entering ------------------------------------------------------------------------------------------------------------


async def next_lines(connection: AsyncConnection, bulk: str, *, after: int, limit: int) -> Sequence[RowMapping]:
    """The lines whose turn it is: place, customer, about."""
    rows = await connection.execute(
        text("""
            SELECT place, customer, about FROM bulk_customers
            WHERE bulk = :bulk AND place > :after AND state = 'waits' ORDER BY place LIMIT :limit
        """),
        {"bulk": bulk, "after": after, "limit": limit},
    )
    return rows.mappings().all()


async def entered_by(connection: AsyncConnection, bulk: str, customers: Sequence[str]) -> set[tuple[str, str]]:
    """Who of these has entered by this bulk already, about what: two of its lines may have turned out to be one."""
    rows = await connection.execute(
        text("""
            SELECT customer, about FROM bulk_customers
            WHERE customer = ANY(:customers) AND bulk = :bulk AND state = 'entered'
        """),
        {"bulk": bulk, "customers": list(customers)},
    )
    return {(row.customer, row.about) for row in rows}


async def settle(
    connection: AsyncConnection, bulk: str, lines: Sequence[tuple[int, str | None, Decision | None]], *, at: datetime
) -> None:
    """What became of lines, by place: the enrollment, or the decision against it."""
    await connection.execute(
        text("""
            UPDATE bulk_customers AS b SET at = :at, enrollment = given.enrollment, rule = given.rule,
                facts = given.facts, state = CASE WHEN given.rule IS NULL THEN 'entered' ELSE 'refused' END
            FROM unnest(cast(:places AS int[]), cast(:enrollments AS text[]), cast(:rules AS text[]),
                        cast(:facts AS jsonb[])) AS given (place, enrollment, rule, facts)
            WHERE b.bulk = :bulk AND b.place = given.place
        """),
        {
            "bulk": bulk,
            "at": at,
            "places": [place for place, _, _ in lines],
            "enrollments": [enrollment for _, enrollment, _ in lines],
            "rules": [decision.rule if decision else None for _, _, decision in lines],
            "facts": [_json(decision.facts) if decision else "{}" for _, _, decision in lines],
        },
    )


async def reach(connection: AsyncConnection, bulk: str, *, place: int, refused: int) -> None:
    """It has come to this place, and so many of those since the last one did not enter."""
    await connection.execute(
        text("""
            UPDATE bulks SET reached = :place, refused = refused + :refused, chunk_at = clock_timestamp()
            WHERE id = :id
        """),
        {"id": bulk, "place": place, "refused": refused},
    )


async def untold(connection: AsyncConnection, bulk: str, limit: int) -> Sequence[RowMapping]:
    """Known customers who were left out and whose timeline does not say so yet."""
    rows = await connection.execute(
        text("""
            SELECT place, customer, rule, facts FROM bulk_customers
            WHERE bulk = :bulk AND rule IS NOT NULL AND state = 'left_out' AND customer IS NOT NULL AND at IS NULL
            ORDER BY place LIMIT :limit FOR UPDATE
        """),
        {"bulk": bulk, "limit": limit},
    )
    return rows.mappings().all()


async def mark_told(connection: AsyncConnection, bulk: str, places: Sequence[int], at: datetime) -> None:
    """Their timelines say so now."""
    await connection.execute(
        text("UPDATE bulk_customers SET at = :at WHERE bulk = :bulk AND place = ANY(:places)"),
        {"bulk": bulk, "places": list(places), "at": at},
    )


# Telling its workflow, and others ------------------------------------------------------------------------------------


async def to_tell(connection: AsyncConnection) -> Sequence[RowMapping]:
    """Bulks whose workflows are to hear something."""
    rows = await connection.execute(text("SELECT id, journey, asked FROM bulks WHERE told < asked ORDER BY id"))
    return rows.mappings().all()


async def told(connection: AsyncConnection, bulk: str, asked: int) -> None:
    """Its workflow has heard so many commands."""
    await connection.execute(
        text("UPDATE bulks SET told = greatest(told, :asked) WHERE id = :id"), {"id": bulk, "asked": asked}
    )


async def results(connection: AsyncConnection, bulk: str) -> AsyncIterator[RowMapping]:
    """Every line in its order, with how its walk stands."""
    found = await connection.stream(
        text("""
            SELECT b.place, b.customer_id, b.about, b.state, b.rule, b.facts, b.at, b.enrollment,
                   coalesce(e.outcome, e.leaving, CASE WHEN e.id IS NOT NULL THEN 'walking' END) AS walk
            FROM bulk_customers b LEFT JOIN enrollments e ON e.id = b.enrollment
            WHERE b.bulk = :bulk ORDER BY b.place
        """),
        {"bulk": bulk},
        execution_options={"yield_per": 1000},
    )
    async for row in found.mappings():
        yield row


async def habit(connection: AsyncConnection, journey: str, *, before: datetime, days: int) -> Habit | None:
    """What the latest walks of a journey that began before then were sent on their first days. None: too few."""
    rows = await connection.execute(
        text("""
            WITH walks AS (
                SELECT id, started_at FROM enrollments WHERE journey = :journey AND started_at < :before
                ORDER BY started_at DESC LIMIT :latest
            )
            SELECT (SELECT count(*) FROM walks) AS walks, day, count(s.id) AS sent,
                   count(s.id) FILTER (WHERE s.called_at < w.started_at + interval '1 hour') AS first_hour
            FROM walks w JOIN sends s ON s.enrollment = w.id AND s.state = 'accepted'
            CROSS JOIN LATERAL (SELECT floor(extract(epoch FROM s.called_at - w.started_at) / 86400)::int AS day) d
            WHERE day BETWEEN 0 AND :days - 1 GROUP BY day
        """),
        {"journey": journey, "before": before, "latest": LATEST_WALKS, "days": days},
    )
    found = rows.all()
    walks = found[0].walks if found else 0
    if walks < FEWEST_WALKS:
        return None
    sent = {row.day: row.sent for row in found}
    return Habit(
        walks=walks,
        first_hour=sum(row.first_hour for row in found) / walks,
        by_day=tuple(sent.get(day, 0) / walks for day in range(days)),
    )


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
