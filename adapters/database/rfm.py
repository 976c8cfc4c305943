"""SQL for RFM: the whole installation's scores in one statement, and who stands where."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database.statements import text
from domain.events import OURS
from domain.rfm import AT_ONCE, FEW, GUARDED, QUIET_AFTER, RfmRules, every_code
from domain.sweep import RFM_SEGMENT_ENTERED, Sweep

WORK_MEM = "64MB"  # a million customers are sorted three times

# The rules of `domain.rfm`: `codes`, `vips`, `guarded` and `settled`; a test holds this to them. What each code says is
# handed in. Nobody is told of when scores are made otherwise than at the last sweep; and of those who are new here only
# who has ordered since then, for the others came with history.
_SNAPSHOT = """
WITH bought AS (
    SELECT customer, CAST(:today AS date) - max(day) AS recency_days, count(DISTINCT day)::int AS frequency,
        sum(net) AS monetary, max(placed_at) AS last_at
    FROM (  -- OFFSET 0: read as they lie and sorted then, rather than each by an index
        SELECT customer, net, placed_at, (placed_at AT TIME ZONE :zone)::date AS day FROM orders
        WHERE status = 'placed' AND currency <> '' AND placed_at <= CAST(:at AS timestamptz)
          AND placed_at > coalesce(CAST(:since AS timestamptz), '-infinity')
        OFFSET 0
    ) AS standing GROUP BY customer
), ranked AS (
    SELECT *, count(*) OVER () AS everybody, rank() OVER (ORDER BY recency_days DESC) - 1 AS longer_ago,
        rank() OVER (ORDER BY frequency) - 1 AS rarer, rank() OVER (ORDER BY monetary) - 1 AS for_less
    FROM bought
), scored AS (
    SELECT *, 10 * for_less >= 9 * everybody AS vip, CASE WHEN CAST(:fixed AS bool) OR everybody < :few
        THEN 100 * (1 + width_bucket(-recency_days, CAST(:recency AS int[])))
            + 10 * (1 + width_bucket(frequency, CAST(:frequency AS int[])))
            + 1 + width_bucket(monetary, CAST(:monetary AS numeric[]))
        ELSE 100 * (1 + 5 * longer_ago / everybody) + 10 * (1 + 5 * rarer / everybody) + 1 + 5 * for_less / everybody
        END AS code
    FROM ranked
), found AS (
    SELECT scored.*, said.segment, CASE WHEN recency_days >= :quiet AND said.segment = ANY(:guarded)
        THEN 'at_risk' ELSE said.segment END AS acts
    FROM scored JOIN unnest(CAST(:codes AS int[]), CAST(:segments AS text[])) AS said (code, segment) USING (code)
), settled AS (
    SELECT found.*, old.effective_segment AS came_from, CASE
            WHEN old.customer IS NULL OR acts = ANY(:at_once) OR acts = old.effective_segment THEN acts
            WHEN acts = old.candidate AND (old.as_of AT TIME ZONE :zone)::date < CAST(:today AS date) THEN acts
            ELSE old.effective_segment END AS effective
    FROM found LEFT JOIN rfm old USING (customer)
), renewed AS (
    UPDATE rfm SET as_of = :at, recency_days = s.recency_days, frequency = s.frequency, monetary = s.monetary,
        r = code / 100, f = code / 10 % 10, m = code % 10, segment = s.segment, effective_segment = effective,
        candidate = nullif(acts, effective), since = CASE WHEN effective = came_from THEN since ELSE :at END,
        vip = s.vip, one_off = s.frequency = 1
    FROM settled s WHERE s.customer = rfm.customer
), added AS (
    INSERT INTO rfm (customer, as_of, recency_days, frequency, monetary, r, f, m, segment, effective_segment, since,
        vip, one_off)
    SELECT customer, :at, recency_days, frequency, monetary, code / 100, code / 10 % 10, code % 10, segment, effective,
        :at, vip, frequency = 1
    FROM settled WHERE came_from IS NULL
), without AS (
    DELETE FROM rfm WHERE NOT EXISTS (SELECT FROM bought WHERE bought.customer = rfm.customer) RETURNING 1
), news AS (
    SELECT concat_ws(':', CAST(:name AS text), s.customer, CAST(:today AS date), s.effective) AS event_id,
        c.customer_id,
        jsonb_build_object('segment', s.effective, 'from', s.came_from, 'code', s.code::text) AS properties
    FROM settled s JOIN customers c ON c.id = s.customer AND c.erased_at IS NULL
    WHERE CAST(:loud AS bool) AND CAST(:ranked AS bool) = (everybody >= :few AND NOT CAST(:fixed AS bool))
      AND s.effective IS DISTINCT FROM s.came_from AND (s.came_from IS NOT NULL OR s.last_at > :told_until)
), told AS (
    INSERT INTO events (event_id, customer_id, name, occurred_at, received_at, source, about, properties, digest)
    SELECT event_id, customer_id, :name, :at, :at, :source, '', jsonb_strip_nulls(properties),
        sha256(convert_to(event_id, 'UTF8')) FROM news ORDER BY event_id
    ON CONFLICT (event_id) DO NOTHING RETURNING 1
)
SELECT count(*) AS customers, count(*) FILTER (WHERE effective IS DISTINCT FROM came_from) AS changed,
    coalesce(bool_or(everybody >= :few AND NOT CAST(:fixed AS bool)), false) AS ranked,
    (SELECT count(*) FROM told) AS told, (SELECT count(*) FROM without) AS without
FROM settled
"""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What a run found: customers with RFM, how many changed their segment, of how many that was told, and how many
    have none any more. `ranked`: they were compared with each other.
    """

    customers: int
    changed: int
    told: int
    without: int
    ranked: bool


async def take(
    connection: AsyncConnection, rules: RfmRules, *, at: datetime, zone: str, last: Sweep | None, loud: bool
) -> Snapshot:
    """Score everybody as of an instant. Where `loud`, each change of segment since `last` is appended as an event.

    Erasing and merging wait meanwhile, so that nobody comes back by what this has read of them.
    """
    await connection.execute(text("LOCK TABLE rfm IN SHARE ROW EXCLUSIVE MODE"))
    await connection.execute(text(f"SET LOCAL work_mem = '{WORK_MEM}'"))
    segments = {100 * code.r + 10 * code.f + code.m: segment.value for code, segment in every_code().items()}
    rows = await connection.execute(
        text(_SNAPSHOT),
        {
            "at": at,
            "today": at.astimezone(ZoneInfo(zone)).date(),
            "zone": zone,
            "since": at - rules.window if rules.window else None,
            "fixed": rules.fixed,
            "few": FEW,
            "recency": [-bound for bound in rules.bounds.recency_days],
            "frequency": list(rules.bounds.frequency),
            "monetary": list(rules.bounds.monetary),
            "quiet": QUIET_AFTER.days,
            "guarded": [each.value for each in GUARDED],
            "at_once": [each.value for each in AT_ONCE],
            "codes": list(segments),
            "segments": list(segments.values()),
            "name": RFM_SEGMENT_ENTERED,
            "source": OURS,
            "loud": loud and last is not None,
            "ranked": last is not None and last.ranked,
            "told_until": last.as_of if last else at,
        },
    )
    return Snapshot(**rows.mappings().one())


async def of_customer(connection: AsyncConnection, customer: str) -> RowMapping | None:
    """A customer's row, if they have bought anything."""
    rows = await connection.execute(text("SELECT * FROM rfm WHERE customer = :customer"), {"customer": customer})
    return rows.mappings().one_or_none()


async def census(connection: AsyncConnection) -> Sequence[RowMapping]:
    """How many there are, by what their codes say and what they act as."""
    rows = await connection.execute(
        text("""
            SELECT segment, effective_segment, count(*) AS customers, count(*) FILTER (WHERE vip) AS vips,
                count(*) FILTER (WHERE one_off) AS one_offs, max(as_of) AS as_of
            FROM rfm GROUP BY segment, effective_segment
        """)
    )
    return rows.mappings().all()
