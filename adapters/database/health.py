"""SQL for `tropa doctor`: what is stuck, one query for each question. It only reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.clock import Pace

PATIENCE = "20s"  # a doctor who makes the patient worse is none
ATTEMPTS = 5  # to tell Temporal, before that counts as trouble


@dataclass(frozen=True, kw_only=True)
class Found:
    """How many, and since when the oldest. `what` tells apart what one question finds."""

    count: int
    oldest: datetime | None
    what: str


async def only_look(connection: AsyncConnection) -> datetime:
    """Write nothing and take no longer than bearable, in this transaction. Answers the database's real time."""
    await connection.execute(text("SET TRANSACTION READ ONLY"))
    await connection.execute(text(f"SET LOCAL statement_timeout = '{PATIENCE}'"))
    now: datetime = (await connection.execute(text("SELECT now()"))).scalar_one()
    return now


async def pace(connection: AsyncConnection) -> Pace | None:
    """The installation's clock; None when nothing was ever started on this database."""
    row = (await connection.execute(text("SELECT anchor, pace FROM clock"))).one_or_none()
    return Pace(anchor=row.anchor, pace=row.pace) if row else None


@dataclass(frozen=True, kw_only=True)
class Count:
    """Which rows to count, and which column tells the oldest. `where` may ask for one instant, `:at`.

    With `by`, what this expression tells apart is counted apart; `of` is what is counted, if not rows.
    """

    rows: str
    where: str
    oldest: str
    by: str = "''"
    of: str = "*"

    async def found(self, connection: AsyncConnection, at: datetime) -> Sequence[Found]:
        """What there is; nothing for none. The most come first."""
        rows = await connection.execute(
            text(f"""
                SELECT count({self.of}) AS count, min({self.oldest}) AS oldest, {self.by} AS what
                FROM {self.rows} WHERE {self.where} GROUP BY what ORDER BY count DESC, what
            """),  # noqa: S608  our own words
            {"at": at},
        )
        return [Found(**row) for row in rows.mappings()]


def _words(column: str) -> str:
    """A rule or a channel as people read it."""
    return f"replace({column}, '_', ' ')"


UNPROJECTED = Count(
    rows="events", where="number IS NULL AND quarantined IS NULL AND received_at < :at", oldest="received_at"
)
"""Events received before an instant (business time) that were not applied."""

QUARANTINED = Count(rows="events", where="quarantined IS NOT NULL AND received_at > :at", oldest="received_at")
"""Poison events received since an instant (business time)."""

UNDISPATCHED = Count(rows="dispatches", where="done_at IS NULL AND due_at < :at", oldest="due_at")
"""Rows that Temporal should have been told before an instant (real time)."""

REFUSED_BY_TEMPORAL = Count(
    rows="dispatch_leases l JOIN dispatches d ON d.enrollment = l.enrollment AND d.done_at IS NULL",
    where=f"l.attempts >= {ATTEMPTS}",
    oldest="d.due_at",
    of="DISTINCT l.enrollment",
)
"""Enrollments that Temporal could not be told of, again and again; the oldest of their rows (real time)."""

NEVER_STARTED = Count(
    rows="enrollments", where="ended_at IS NULL AND run_id IS NULL AND started_at < :at", oldest="started_at"
)
"""Open enrollments entered before an instant (business time) of which Temporal has no run that we know."""

CLAIMED = Count(rows="sends", where="state = 'claimed' AND claimed_at < :at", oldest="claimed_at")
"""Sends claimed before an instant (real time) and neither recorded nor settled."""

_CALLED = "coalesce(called_at, slot_at)"
UNKNOWN = Count(rows="sends", where=f"state = 'unknown' AND {_CALLED} > :at", oldest=_CALLED)
"""Sends called since an instant (business time) of which nobody knows whether they arrived."""

FAILED = Count(rows="sends", where=f"state = 'failed' AND {_CALLED} > :at", oldest=_CALLED, by=_words("rule"))
"""Sends that failed since an instant (business time), by rule."""

NOT_WOKEN = Count(rows="sends", where="state IN ('deferred', 'reserved') AND slot_at < :at", oldest="slot_at")
"""Sends whose slot came before an instant (business time), and nobody sent them or looked again."""

HELD = Count(rows="sends", where="state = 'held' AND wished_at < :at", oldest="wished_at", by=_words("rule"))
"""Sends wished before an instant (business time) and still held, by what holds them."""

OVERDUE_TASKS = Count(rows="tasks", where="closed_at IS NULL AND due_at < :at", oldest="due_at")
"""Tasks due before an instant (business time) that nobody closed."""

STANDING_STILL = Count(
    rows="bulks",
    where="state = 'running' AND coalesce(chunk_at, stretch_at) + interval '1 second' / per_second < :at",
    oldest="coalesce(chunk_at, stretch_at)",
    by="id",
)
"""Running bulks of whom nobody entered since an instant (real time), though the next one was due, by id."""

NOT_SWEPT = Count(
    rows="(SELECT coalesce((SELECT max(as_of) FROM sweeps), (SELECT anchor FROM clock)) AS at) AS last",
    where="at < :at",
    oldest="at",
)
"""The last sweep, if it was before an instant (business time); the installation's beginning, if there was none."""

TRIED = "least(coalesce(done_at, due_at), now())"

STAFF_NOT_REACHED = Count(
    rows="notices", where=f"result ~ '^(retry|refused|unknown):' AND {TRIED} > :at", oldest=TRIED, by=_words("result")
)
"""Mails to colleagues that were not taken since an instant (real time), by what was said."""

CRM_NOT_TOLD = Count(
    rows="crm_updates", where=f"result ~ '^(later|refused):' AND {TRIED} > :at", oldest=TRIED, by=_words("result")
)
"""Updates that the CRM did not take since an instant (real time), by what it said."""

KEPT_IN_SANDBOX = Count(rows="sandbox_outbox", where="at > :at", oldest="at", by=_words("channel"))
"""Messages that went to the sandbox outbox since an instant (business time), by channel."""

WITHOUT_CODES = Count(
    rows="sends",
    where="state = 'held' AND rule IN ('no_code_left', 'offer_not_set_up') AND wished_at < :at",
    oldest="wished_at",
    by=_words("rule"),
)
"""Sends wished before an instant (business time) and held because an offer has no code for them, by the reason."""

LOW_POOLS = Count(
    rows="""(
        SELECT o.name, (SELECT count(*) FROM offer_codes c
                        WHERE c.offer = o.name AND c.given_at IS NULL AND c.redeemed_at IS NULL) AS codes
        FROM offers o WHERE o.kind = 'pool') AS pools""",
    where="codes <= (SELECT count(*) FROM offer_codes c WHERE c.offer = pools.name AND c.given_at > :at)",
    oldest="cast(NULL AS timestamptz)",
    by="name || ', with ' || codes || ' left'",
)
"""Pools of codes that are empty, or have no more than were given since an instant (business time), by offer."""
