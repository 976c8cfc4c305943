"""SQL for the daily sweep: what time has done to customers, in chunks, each event once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import msgspec
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database.statements import text
from domain.events import OURS, SILENT
from domain.sweep import (
    BECAME_DORMANT,
    BECAME_GONE,
    DATE_NEAR,
    ENGAGEMENT_LOST,
    KNOWN_FOR,
    NPS_DUE,
    Sweep,
    SweepRules,
    Swept,
)

IN_FLIGHT = timedelta(minutes=1)  # what was received before may not be committed yet

# A silence is told once: its event is named for the instant since which it lasts. It is told aloud when it began to
# say something after the last sweep; what had said so before is set silently. Who is gone is not dormant besides.
_CROSSINGS = """
WITH chunk AS (
    SELECT id, customer_id, erased_at, coalesce(last_active_at, first_seen_at) AS active_at,
        coalesce(engaged_at, first_seen_at) AS engaged_at
    FROM customers WHERE id > :after ORDER BY id LIMIT :some
), silence AS (
    SELECT id, customer_id, name, CASE name WHEN :of_engagement THEN engaged_at ELSE active_at END AS since,
        begun_by, begun_after, aloud_after
    FROM chunk, unnest(CAST(:names AS text[]), CAST(:begun_by AS timestamptz[]), CAST(:begun_after AS timestamptz[]),
        CAST(:aloud_after AS timestamptz[])) AS clocks (name, begun_by, begun_after, aloud_after)
    WHERE erased_at IS NULL
), crossed AS (
    SELECT concat_ws(':', name, id, to_char(since AT TIME ZONE 'UTC', 'YYYYMMDD"T"HH24MISSUS')) AS event_id,
        customer_id, name, since, since > aloud_after AS aloud
    FROM silence WHERE since <= begun_by AND since > coalesce(begun_after, '-infinity')
), told AS (
    INSERT INTO events (event_id, customer_id, name, occurred_at, received_at, source, about, properties, digest)
    SELECT event_id, customer_id, name, CAST(:at AS timestamptz), CAST(:at AS timestamptz), :source, '',
        jsonb_build_object('since', to_char(since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
            || CASE WHEN aloud THEN '{}'::jsonb ELSE jsonb_build_object(CAST(:silent AS text), true) END,
        sha256(convert_to(event_id, 'UTF8'))
    FROM crossed WHERE NOT EXISTS (SELECT FROM events e WHERE e.event_id = crossed.event_id) ORDER BY event_id
    ON CONFLICT (event_id) DO NOTHING
    RETURNING name, properties ? :silent AS silent
), counted AS (
    SELECT name, silent, count(*) AS count FROM told GROUP BY name, silent
)
SELECT count(*) AS looked_at, max(id) AS last,
    (SELECT coalesce(sum(count), 0)::int FROM counted WHERE silent) AS silently,
    coalesce((SELECT jsonb_object_agg(name, count) FROM counted WHERE NOT silent), '{}') AS told
FROM chunk
"""


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """What was found of some customers, the last of whom is `last`; None when there were none."""

    looked_at: int
    last: str | None
    silently: int
    told: Mapping[str, int]


async def crossings(
    connection: AsyncConnection, rules: SweepRules, *, at: datetime, aloud_since: datetime, after: str, some: int
) -> Chunk:
    """Append what the next `some` customers after one crossed by being silent, and never crossed so before."""
    clocks = (
        (ENGAGEMENT_LOST, rules.disengaged_after, None),
        (BECAME_DORMANT, rules.dormant_after, at - rules.gone_after),
        (BECAME_GONE, rules.gone_after, None),
    )
    rows = await connection.execute(
        text(_CROSSINGS),
        {
            "at": at,
            "after": after,
            "some": some,
            "source": OURS,
            "silent": SILENT,
            "of_engagement": ENGAGEMENT_LOST,
            "names": [name for name, _, _ in clocks],
            "begun_by": [at - lasting for _, lasting, _ in clocks],
            "begun_after": [begun_after for _, _, begun_after in clocks],
            "aloud_after": [aloud_since - lasting for _, lasting, _ in clocks],
        },
    )
    return Chunk(**rows.mappings().one())


async def born_on(connection: AsyncConnection, days: Sequence[str], *, after: str, some: int) -> Sequence[RowMapping]:
    """The next `some` customers whose attribute `birthday` ends in one of these days, MM-DD, and what tells their zone.

    It is written YYYY-MM-DD, or MM-DD where the year is not known.
    """
    rows = await connection.execute(
        text("""
            SELECT id, customer_id, timezone, phone, attributes ->> 'birthday' AS birthday,
                jsonb_build_object('country', attributes -> 'country') AS attributes
            FROM customers
            WHERE attributes ? 'birthday' AND "right"(attributes ->> 'birthday', 5) = ANY(:days)
              AND attributes ->> 'birthday' ~ '^([0-9]{4}-)?[0-9]{2}-[0-9]{2}$' AND erased_at IS NULL AND id > :after
            ORDER BY id LIMIT :some
        """),
        {"days": list(days), "after": after, "some": some},
    )
    return rows.mappings().all()


async def nps_due(connection: AsyncConnection, rules: SweepRules, *, at: datetime, last: datetime) -> int:
    """Append that NPS is due of whom that has come since the last sweep. Answers of how many.

    Each customer has a day of their own in a period, by their id, so that not everybody is asked at once; nothing is
    kept but the events. Asked are those who have ordered, are known for a while, and have not fallen silent.
    """
    rows = await connection.execute(
        text("""
            WITH asked AS (
                SELECT id, customer_id, ('x' || "right"(id, 7))::bit(28)::int % CAST(:every AS int) AS own
                FROM customers
                WHERE erased_at IS NULL AND orders > 0 AND first_seen_at <= :known_since
                  AND last_active_at > :silent_since
            ), turns AS (
                SELECT id, customer_id, (CAST(:today AS int) + own) / CAST(:every AS int) AS turn,
                    (CAST(:before AS int) + own) / CAST(:every AS int) AS last_turn
                FROM asked
            )
            INSERT INTO events
                (event_id, customer_id, name, occurred_at, received_at, source, about, properties, digest)
            SELECT event_id, customer_id, :name, CAST(:at AS timestamptz), CAST(:at AS timestamptz), :source, '', '{}',
                sha256(convert_to(event_id, 'UTF8'))
            FROM (
                SELECT customer_id, concat_ws(':', CAST(:name AS text), id, CAST(:every AS int), turn) AS event_id
                FROM turns WHERE turn > last_turn
            ) AS due ORDER BY event_id
            ON CONFLICT (event_id) DO NOTHING RETURNING 1
        """),
        {
            "at": at,
            "today": at.toordinal(),
            "before": last.toordinal(),
            "every": rules.nps_every.days,
            "known_since": at - KNOWN_FOR,
            "silent_since": at - rules.dormant_after,
            "name": NPS_DUE,
            "source": OURS,
        },
    )
    return len(rows.all())


async def dates_near(
    connection: AsyncConnection, dates: Mapping[str, Sequence[int]], *, at: datetime, due: Sequence[date]
) -> int:
    """Append whose dates are so many days away from one of the days that are `due`. Answers how many it told of.

    An attribute is a date where it begins with one: 2026-07-01, or an instant of that day.
    """
    wanted = [
        (name, days, today + timedelta(days=days)) for name, told in dates.items() for days in told for today in due
    ]
    rows = await connection.execute(
        text("""
            INSERT INTO events
                (event_id, customer_id, name, occurred_at, received_at, source, about, properties, digest)
            SELECT event_id, customer_id, :event, CAST(:at AS timestamptz), CAST(:at AS timestamptz), :source, '',
                jsonb_build_object('date', name, 'days', days, 'on', day), sha256(convert_to(event_id, 'UTF8'))
            FROM (
                SELECT c.customer_id, w.*, concat_ws(':', CAST(:event AS text), c.id, w.name, w.days, w.day) AS event_id
                FROM customers c
                JOIN unnest(CAST(:names AS text[]), CAST(:days AS int[]), CAST(:on AS text[])) AS w (name, days, day)
                    ON "left"(c.attributes ->> w.name, 10) = w.day
                WHERE c.erased_at IS NULL
            ) AS near ORDER BY event_id
            ON CONFLICT (event_id) DO NOTHING RETURNING 1
        """),
        {
            "at": at,
            "event": DATE_NEAR,
            "source": OURS,
            "names": [name for name, _, _ in wanted],
            "days": [days for _, days, _ in wanted],
            "on": [day.isoformat() for _, _, day in wanted],
        },
    )
    return len(rows.all())


async def last(connection: AsyncConnection) -> Sweep | None:
    """The last that came to its end."""
    rows = await connection.execute(
        text("SELECT as_of, rules::text AS rules, ranked, imports_until FROM sweeps ORDER BY id DESC LIMIT 1")
    )
    row = rows.mappings().one_or_none()
    return Sweep(**{**row, "rules": msgspec.json.decode(row["rules"], type=SweepRules)}) if row else None


async def insert(connection: AsyncConnection, sweep: Sweep, swept: Swept, *, took: float) -> None:
    """Keep what was done."""
    await connection.execute(
        text("""
            INSERT INTO sweeps (as_of, took, silent, rules, ranked, imports_until, counts)
            VALUES (:as_of, :took, :silent, CAST(:rules AS jsonb), :ranked, :imports_until, CAST(:counts AS jsonb))
        """),
        {
            "as_of": sweep.as_of,
            "took": took,
            "silent": swept.silent,
            "rules": msgspec.json.encode(sweep.rules).decode(),
            "ranked": sweep.ranked,
            "imports_until": sweep.imports_until,
            "counts": msgspec.json.encode(swept).decode(),
        },
    )


async def imported_since(connection: AsyncConnection, since: datetime) -> tuple[int, int]:
    """How many customers had history handed over since then, and how many customers there are."""
    rows = await connection.execute(
        text("SELECT count(DISTINCT customer_id) FROM events WHERE source = 'import' AND received_at >= :since"),
        {"since": since},
    )
    imported = int(rows.scalar_one())
    if not imported:
        return 0, 0
    customers = await connection.execute(text("SELECT count(*) FROM customers WHERE erased_at IS NULL"))
    return imported, int(customers.scalar_one())


async def imports_until(connection: AsyncConnection, at: datetime) -> datetime:
    """The instant until which what was imported has been applied."""
    waiting = await connection.execute(  # the pending few, not all that was ever imported
        text("""
            SELECT min(received_at) FROM (
                SELECT source, received_at FROM events WHERE number IS NULL AND quarantined IS NULL OFFSET 0
            ) AS pending WHERE source = 'import'
        """)
    )
    return min(waiting.scalar_one() or at, at - IN_FLIGHT)
