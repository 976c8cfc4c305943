"""SQL for segments: their versions, who is in them, and who came and went."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database.segment_sql import Members
from adapters.database.statements import text
from domain.events import OURS
from domain.triggers import SEGMENT_ENTERED, SEGMENT_LEFT

MEMORY = 256  # MB for all that is joined; with its own 4 for each, PostgreSQL goes to disk for 50,000 customers
LEAST = 4  # MB for one of many

Values = Mapping[str, object]


async def newest(connection: AsyncConnection) -> Sequence[RowMapping]:
    """The newest version of every segment that was ever set here; without a rule, it was deleted."""
    rows = await connection.execute(
        text("""
            SELECT DISTINCT ON (name) name, version, at, actor, label, description, rule FROM segments
            ORDER BY name, version DESC
        """)
    )
    return rows.mappings().all()


async def insert(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Another version. Without a rule: it is deleted."""
    json = {name: msgspec.json.encode(row[name]).decode() for name in ("label", "description", "rule")}
    await connection.execute(
        text("""
            INSERT INTO segments (name, version, at, actor, label, description, rule)
            SELECT :name, coalesce(max(version), 0) + 1, :at, :actor, cast(:label AS jsonb),
                cast(:description AS jsonb), nullif(cast(:rule AS jsonb), 'null')
            FROM segments WHERE name = :name
        """),
        {**row, **json},
    )


@dataclass(frozen=True, kw_only=True)
class Counted:
    """How many are in it, of how many; `sample` are some of them, by our ids, the same ones each time."""

    count: int
    everybody: int
    sample: Sequence[str]


async def count(connection: AsyncConnection, members: Members, *, some: int, patience: timedelta) -> Counted:
    """Count those whose ids a SELECT finds. Real time: after `patience` PostgreSQL breaks it off."""
    await _settle(connection, members, patience)
    rows = await connection.execute(
        sqlalchemy.text(f"""
            WITH members AS MATERIALIZED ({members.sql})
            SELECT (SELECT count(*) FROM members) AS count,
                (SELECT count(*) FROM customers WHERE erased_at IS NULL) AS everybody,
                ARRAY(SELECT id FROM members ORDER BY hashtextextended(id, 0), id LIMIT :some) AS sample
        """),  # noqa: S608  compiled, its values bound
        {**members.values, "some": some},
    )
    await _settle(connection, members)
    return Counted(**rows.mappings().one())


async def page(
    connection: AsyncConnection, members: Members, *, limit: int, patience: timedelta
) -> Sequence[RowMapping]:
    """Some of those whose ids a SELECT finds, in the order of these."""
    await _settle(connection, members, patience)
    rows = await connection.execute(
        sqlalchemy.text(f"""
            SELECT m.id, c.customer_id FROM ({members.sql} ORDER BY c.id LIMIT :limit) m JOIN customers c ON c.id = m.id
            ORDER BY m.id
        """),  # noqa: S608  compiled, its values bound
        {**members.values, "limit": limit},
    )
    return rows.mappings().all()


async def inside(connection: AsyncConnection, asks: str, values: Values, *, patience: timedelta) -> list[str]:
    """The segments, of those that are asked about (see `asking`; at least one), that a customer is in."""
    await connection.execute(
        text("SELECT set_config('statement_timeout', :patience, true)"), {"patience": f"{patience.total_seconds()}s"}
    )
    rows = await connection.execute(text(f"SELECT segment FROM ({asks}) a WHERE inside ORDER BY 1"), values)  # noqa: S608  compiled
    return list(rows.scalars())


async def _settle(connection: AsyncConnection, members: Members, patience: timedelta = timedelta(0)) -> None:
    """For the rest of the transaction; no patience stands for any."""
    memory = max(LEAST, min(64, MEMORY // max(1, members.joins)))
    await connection.execute(
        text("SELECT set_config('work_mem', :memory, true), set_config('statement_timeout', :patience, true)"),
        {"memory": f"{memory}MB", "patience": str(patience // timedelta(milliseconds=1))},
    )


# Who is in watched segments -----------------------------------------------------------------------------------------

_TELL = """
    INSERT INTO events (event_id, customer_id, name, occurred_at, received_at, source, about, properties, digest)
    SELECT event_id, customer_id, name, cast(:now AS timestamptz), cast(:now AS timestamptz), :source, '',
        jsonb_build_object('segment', segment), convert_to(event_id, 'UTF8')
    FROM (
        SELECT m.name, m.segment, c.customer_id, concat_ws(':', m.name, m.segment, c.id,
            to_char(cast(:now AS timestamptz) AT TIME ZONE 'UTC', 'YYYYMMDD"T"HH24MISSUS')) AS event_id
        FROM moved m JOIN customers c ON c.id = m.customer WHERE c.erased_at IS NULL AND cast(:aloud AS boolean)
    ) AS news ORDER BY event_id ON CONFLICT (event_id) DO NOTHING RETURNING name
"""


@dataclass(frozen=True, kw_only=True)
class Moved:
    """How many came and went, and of how many of them an event tells."""

    entered: int
    left: int
    told: int


async def refresh(connection: AsyncConnection, segment: str, members: Members, *, now: datetime, aloud: bool) -> Moved:
    """Make a segment's members those whose ids a SELECT finds; `aloud`: with an event for each who came or went."""
    await _settle(connection, members)
    rows = await connection.execute(
        sqlalchemy.text(f"""
            WITH members AS MATERIALIZED ({members.sql}),
            came AS (
                INSERT INTO segment_members (segment, customer, since)
                SELECT :segment, m.id, :now FROM members m WHERE NOT EXISTS (
                    SELECT FROM segment_members k WHERE k.segment = :segment AND k.customer = m.id)
                ORDER BY m.id ON CONFLICT DO NOTHING RETURNING customer
            ), went AS (
                DELETE FROM segment_members k WHERE k.segment = :segment AND NOT EXISTS (
                    SELECT FROM members m WHERE m.id = k.customer)
                RETURNING customer
            ), moved AS (
                SELECT cast(:entered AS text) AS name, cast(:segment AS text) AS segment, customer FROM came
                UNION ALL SELECT cast(:left AS text), cast(:segment AS text), customer FROM went
            ), told AS ({_TELL})
            SELECT (SELECT count(*) FROM came) AS entered, (SELECT count(*) FROM went) AS left,
                (SELECT count(*) FROM told) AS told
        """),  # noqa: S608  compiled, its values bound
        {**members.values, **_said(now, aloud), "segment": segment},
    )
    return Moved(**rows.mappings().one())


async def refresh_customers(
    connection: AsyncConnection, watch: str, values: Values, customers: Sequence[str], *, now: datetime, aloud: bool
) -> frozenset[str]:
    """As `refresh`, of all that `watch` asks about (see `asking`), for some customers. Answers those it told of."""
    rows = await connection.execute(
        text(f"""
            WITH asked AS MATERIALIZED ({watch}),
            stands AS (
                SELECT a.segment, a.customer, a.inside FROM asked a
                JOIN segment_watches w ON w.segment = a.segment AND w.rule = a.rule
            ), came AS (
                INSERT INTO segment_members (segment, customer, since)
                SELECT segment, customer, :now FROM stands s WHERE inside AND NOT EXISTS (
                    SELECT FROM segment_members k WHERE k.segment = s.segment AND k.customer = s.customer)
                ORDER BY segment, customer ON CONFLICT DO NOTHING RETURNING segment, customer
            ), went AS (
                DELETE FROM segment_members k USING stands s
                WHERE k.segment = s.segment AND k.customer = s.customer AND NOT s.inside
                RETURNING k.segment, k.customer
            ), moved AS (
                SELECT cast(:entered AS text) AS name, segment, customer FROM came
                UNION ALL SELECT cast(:left AS text), segment, customer FROM went
            ), told AS ({_TELL})
            SELECT DISTINCT customer FROM moved WHERE cast(:aloud AS boolean)
        """),  # noqa: S608  compiled, its values bound
        {**values, **_said(now, aloud), "customers": list(customers)},
    )
    return frozenset(rows.scalars())


ASKED_OF = "c.id = given.customer"


def asking(segment: str, rule: str, members: str) -> str:
    """One segment's part of a watch: whether each of `customers` is inside by a rule, of whom `members` finds the one
    that is `ASKED_OF`. All are SQL, joined by UNION ALL.

    A scalar subquery, for each customer by themselves: as EXISTS, PostgreSQL might rather find all members.
    Who is inside by another rule than that by which the members were found is not asked: that is for `refresh`.
    """
    return f"""
        SELECT {segment} AS segment, {rule} AS rule, given.customer,
            (SELECT true FROM ({members}) AS found LIMIT 1) IS NOT NULL AS inside
        FROM unnest(cast(:customers AS text[])) AS given (customer)
    """  # noqa: S608  compiled, its values bound


def _said(now: datetime, aloud: bool) -> dict[str, object]:
    return {"now": now, "aloud": aloud, "source": OURS, "entered": SEGMENT_ENTERED, "left": SEGMENT_LEFT}


async def watch(connection: AsyncConnection, segment: str) -> str | None:
    """The digest of the rule by which a segment's members were found; None when they never were.

    Takes the segment's lock until the end of the transaction: one refreshes it at a time.
    """
    await connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('segment:' || :segment, 0))"), {"segment": segment}
    )
    rows = await connection.execute(
        text("SELECT rule FROM segment_watches WHERE segment = :segment"), {"segment": segment}
    )
    found: str | None = rows.scalar_one_or_none()
    return found


async def watched(connection: AsyncConnection, segment: str, rule: str, now: datetime) -> None:
    """Its members were found by this rule."""
    await connection.execute(
        text("""
            INSERT INTO segment_watches (segment, rule, refreshed_at) VALUES (:segment, :rule, :now)
            ON CONFLICT (segment) DO UPDATE SET rule = excluded.rule, refreshed_at = excluded.refreshed_at
        """),
        {"segment": segment, "rule": rule, "now": now},
    )


async def forget_others(connection: AsyncConnection, watched: Sequence[str]) -> None:
    """Forget the members of segments that nobody watches any more."""
    for table in ("segment_members", "segment_watches"):
        await connection.execute(
            text(f"DELETE FROM {table} WHERE segment <> ALL(:watched)"),  # noqa: S608  our own words
            {"watched": list(watched)},
        )


async def kept(connection: AsyncConnection, names: Sequence[str]) -> Mapping[str, int]:
    """How many are in each of these segments that is watched, as it is kept."""
    rows = await connection.execute(
        text("""
            SELECT w.segment, (SELECT count(*) FROM segment_members m WHERE m.segment = w.segment) AS members
            FROM segment_watches w WHERE w.segment = ANY(:names)
        """),
        {"names": list(names)},
    )
    return {row.segment: row.members for row in rows}


async def kept_page(connection: AsyncConnection, segment: str, *, limit: int) -> Sequence[RowMapping]:
    """Some of a watched segment's customers, as it is kept, in the order of our ids."""
    rows = await connection.execute(
        text("""
            SELECT c.id, c.customer_id, m.since FROM segment_members m JOIN customers c ON c.id = m.customer
            WHERE m.segment = :segment AND c.erased_at IS NULL ORDER BY m.customer LIMIT :limit
        """),
        {"segment": segment, "limit": limit},
    )
    return rows.mappings().all()
