"""What is stuck, overdue, unknown or held, and what an operator does about it. It looks and changes nothing."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg
from sqlalchemy.exc import SQLAlchemyError

from adapters.clock import PacedClock
from adapters.database import health
from adapters.database.connection import Database
from adapters.database.health import Found
from domain.clock import Clock, Pace
from domain.errors import Unavailable
from services.findings import Diagnosis, Finding, Severity
from services.watching import Watching

MINUTE, HOUR, DAY, WEEK = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1), timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class _Question:
    """`counts` asks for the instant `ago` before now: in business time, unless the rows are kept in `real` time."""

    name: str
    counts: health.Count
    ago: timedelta
    words: str
    advice: str
    real: bool = False


_QUESTIONS = (
    _Question(
        name="projection_backlog",
        counts=health.UNPROJECTED,
        ago=MINUTE,
        words="events were received over a minute ago and not applied",
        advice="Is a worker running? If so, read its log; if it only lags, start one more `tropa worker`.",
    ),
    _Question(
        name="quarantined_events",
        counts=health.QUARANTINED,
        ago=WEEK,
        words="events of the last 7 days could not be applied and were set aside",
        advice="Read `quarantined` in their rows, mend the sender, and apply them again: docs/operate.md has both.",
    ),
    _Question(
        name="dispatch_backlog",
        counts=health.UNDISPATCHED,
        ago=MINUTE,
        real=True,
        words="orders for Temporal have been due for over a minute",
        advice="Is Temporal up, and a worker running? Read the worker's log for “could not tell Temporal”.",
    ),
    _Question(
        name="dispatch_attempts",
        counts=health.REFUSED_BY_TEMPORAL,
        ago=timedelta(0),
        real=True,
        words=f"enrollments could not be told to Temporal in {health.ATTEMPTS} attempts or more",
        advice="If Temporal is up, the worker's log names the error for each enrollment; a journey may be missing.",
    ),
    _Question(
        name="enrollments_never_started",
        counts=health.NEVER_STARTED,
        ago=MINUTE,
        words="open enrollments were never started in Temporal",
        advice="If orders for Temporal wait, see to those; otherwise end each with POST /v1/enrollments/ID/leave.",
    ),
    _Question(
        name="claimed_sends",
        counts=health.CLAIMED,
        ago=2 * MINUTE,
        real=True,
        words="sends were claimed over 2 minutes ago and have no result",
        advice="A worker settles them within a minute or so: start one. They are never sent again blindly.",
    ),
    _Question(
        name="unknown_sends",
        counts=health.UNKNOWN,
        ago=WEEK,
        words="sends of the last 7 days may or may not have arrived",
        advice="Look for them at the provider by recipient and time. They are not sent again; do not do it by hand.",
    ),
    _Question(
        name="failed_sends",
        counts=health.FAILED,
        ago=DAY,
        words="sends of the last 24 hours failed: {what}",
        advice="`tropa timeline CUSTOMER` tells each reason; docs/operate.md finds them. Mend message or gateway.",
    ),
    _Question(
        name="sends_not_woken",
        counts=health.NOT_WOKEN,
        ago=HOUR,
        words="sends are over an hour past the moment at which they were free to go",
        advice="Is a worker running? If so, open the enrollment in Temporal's Web UI: its walk has failed or is stuck.",
    ),
    _Question(
        name="held_sends",
        counts=health.HELD,
        ago=WEEK,
        words="sends have waited for over 7 days and are held: {what}",
        advice="Resume or end their enrollments: POST /v1/enrollments/ID/resume, or /leave.",
    ),
    _Question(
        name="sends_without_codes",
        counts=health.WITHOUT_CODES,
        ago=timedelta(0),
        words="sends are held because their offer has no code for them: {what}",
        advice="Fill its pool with POST /v1/offers/OFFER/codes, or set it up with PUT; they go by themselves then.",
    ),
    _Question(
        name="low_pools",
        counts=health.LOW_POOLS,
        ago=WEEK,
        words="pool gave as many codes in the last 7 days as are left in it, or more: {what}",
        advice="Add codes with POST /v1/offers/OFFER/codes; without one its messages are held.",
    ),
    _Question(
        name="overdue_tasks",
        counts=health.OVERDUE_TASKS,
        ago=timedelta(0),
        words="tasks are overdue",
        advice="GET /v1/tasks?state=overdue lists them. Do them, then close them: POST /v1/tasks/ID:close.",
    ),
    _Question(
        name="staff_not_reached",
        counts=health.STAFF_NOT_REACHED,
        ago=DAY,
        real=True,
        words="mails to colleagues were not taken in the last 24 hours: {what}",
        advice="Mend the mail server or the address (TROPA_STAFF_EMAIL, TROPA_HEAD_EMAIL, a customer's owner).",
    ),
    _Question(
        name="crm_not_told",
        counts=health.CRM_NOT_TOLD,
        ago=DAY,
        real=True,
        words="updates were not taken by the CRM in the last 24 hours: {what}",
        advice="401 or 403: renew TROPA_HUBSPOT_TOKEN. 400: docs/people.md names the properties that HubSpot needs.",
    ),
    _Question(
        name="bulks_stand_still",
        counts=health.STANDING_STILL,
        ago=10 * MINUTE,
        real=True,
        words="bulks are running, and for 10 minutes nobody has entered: {what}",
        advice="Is a worker running, and is Temporal up? If so, POST :pause and :resume; their workflows tell more.",
    ),
    _Question(
        name="sweep_overdue",
        counts=health.NOT_SWEPT,
        ago=36 * HOUR,
        words="daily sweep is overdue: nobody knows who fell silent or has a birthday, and RFM is old",
        advice="Is a worker running, and the schedule daily-sweep in Temporal's Web UI? `tropa sweep` does it now.",
    ),
)
_SANDBOX = _Question(
    name="sandbox_in_production",
    counts=health.KEPT_IN_SANDBOX,
    ago=DAY,
    words="messages of the last 24 hours went to the sandbox outbox and to nobody, in production: {what}",
    advice="Set up a gateway for this channel (TROPA_SMTP_URL for email) and restart the workers.",
)


Workers = Callable[[], Awaitable[list[Finding]]]
"""What is to be found about workers, asked of a Temporal that is up. Raises Unavailable when it does not tell."""


class Doctor:
    """Looks at one installation. `clock` replaces business time, for tests."""

    def __init__(
        self,
        database: Database,
        watching: Watching,
        *,
        workers: Workers | None = None,
        production: bool = False,
        clock: Clock | None = None,
    ) -> None:
        self._database, self._watching, self._workers, self._clock = database, watching, workers, clock
        self._questions = (*_QUESTIONS, _SANDBOX) if production else _QUESTIONS

    async def look(self) -> Diagnosis:
        """The diagnosis. Never raises for what is merely down or broken."""
        try:
            ready = await self._watching.readiness()
            if ready.database == "read-only":
                return Diagnosis(findings=[_READ_ONLY], temporal=ready.temporal)
            if ready.database != "ok":
                return Diagnosis(findings=[database_down("it took too long or refused")], temporal=ready.temporal)
            if ready.migrations != "ok":
                return Diagnosis(findings=[_UNMIGRATED], temporal=ready.temporal)
            findings = await self._findings()
        except (OSError, SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            return Diagnosis(findings=[database_down(type(error.__cause__ or error).__name__)])
        temporal = ready.temporal
        if temporal == "ok" and self._workers:
            try:
                findings = [*await self._workers(), *findings]
            except Unavailable:  # somebody listens there, and it is not Temporal, or none that knows our namespace
                temporal = "down"
        if temporal == "down":
            findings.insert(0, _TEMPORAL_DOWN)
        return Diagnosis(findings=findings, temporal=temporal)

    async def _findings(self) -> list[Finding]:
        async with self._database.transaction() as connection:
            real = await health.only_look(connection)
            pace = await health.pace(connection) or Pace(anchor=real)
            business = (self._clock or PacedClock(pace)).now()
            findings = []
            for question in self._questions:
                # Where an hour passes in a blink, what waits for less than a real minute does not wait yet.
                ago = question.ago if question.real else _at_least_a_minute(question.ago, pace)
                now = real if question.real else business
                found = await question.counts.found(connection, now - ago)
                findings += [_finding(question, each, now) for each in found]
        return findings


def database_down(why: str) -> Finding:
    """The one finding that leaves no room for others."""
    advice = "Start it, or set TROPA_DATABASE_URL; under `tropa up` read .tropa/logs."
    return Finding.broken("database", f"database does not answer ({why})", advice)


_UNMIGRATED = Finding.broken(
    "migrations",
    "database has another schema than this release",
    "Run `tropa migrate`; if the database is newer, run the newer release.",
)
_READ_ONLY = Finding.broken(
    "database_read_only",
    "database takes no writes",
    "Is its disk full, or is it a standby? Until it writes again nothing is accepted and nothing is sent.",
)
_TEMPORAL_DOWN = Finding.look(
    "temporal",
    "Temporal does not answer",
    "Start it, or correct TROPA_TEMPORAL_ADDRESS or _NAMESPACE. Until then events are accepted and wait; nothing is"
    " lost.",
)


def _at_least_a_minute(ago: timedelta, pace: Pace) -> timedelta:
    return max(ago, MINUTE * pace.pace) if ago else ago


def _finding(question: _Question, found: Found, now: datetime) -> Finding:
    return Finding(
        name=question.name,
        severity=Severity.LOOK,
        count=found.count,
        oldest=now - found.oldest.astimezone(UTC) if found.oldest else None,
        words=question.words.format(what=found.what),
        advice=question.advice,
    )
