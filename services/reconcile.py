"""Reconcile: what an operator does in Temporal's Web UI is honored, and lost claims are settled (design 7)."""

import logging
from datetime import UTC, datetime, timedelta

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from adapters.database import bulks, customers, enrollments, purging, sends
from adapters.database.connection import Database, lock_customer
from domain.bulk import ENDED, BulkState
from domain.clock import Clock
from domain.decisions import Decision
from domain.journeys import Ending, Leaving, Plan
from domain.projection import refusal_to_enter
from domain.standing import Standing
from services.delivery_reports import DeliveryReports
from services.offers import Offers
from services.sending import Sending

OVERLAP = timedelta(minutes=5)  # visibility lags, so each round looks back a little
ABANDONED = timedelta(seconds=60)
PURGED = 5000  # rows of each kind, in one round
ASKED_FOR = timedelta(hours=72)  # that a provider is asked about an outcome that nobody knows

_LEAVINGS = {
    WorkflowExecutionStatus.TERMINATED: Leaving.STOPPED_BY_OPERATOR,
    WorkflowExecutionStatus.CANCELED: Leaving.STOPPED_BY_OPERATOR,
    WorkflowExecutionStatus.FAILED: Leaving.FAILED,
    WorkflowExecutionStatus.TIMED_OUT: Leaving.FAILED,
}
log = logging.getLogger(__name__)


class Reconciler:
    """Compares what Temporal says with what the ledger says. Temporal's times are real; endings get business time."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        client: Client,
        sending: Sending,
        reports: DeliveryReports,
        offers: Offers,
    ) -> None:
        self._database, self._clock, self._client = database, clock, client
        self._sending, self._reports, self._offers = sending, reports, offers

    async def reconcile(self) -> int:
        """One round. Answers how many enrollments were put right.

        What needs no Temporal comes first: neither its absence nor a worker that lives for seconds delays it.
        """
        await self._settle()
        await self._reports.sweep()
        async with self._database.transaction() as connection:
            await purging.purge(connection, PURGED)
            await self._offers.release(connection)
        began = datetime.now(UTC)
        since = await self._seen_until() - OVERLAP
        corrected = await self._closed(since) + await self._restarted(since)
        await self._remember(began)
        if corrected:
            self._database.wake()
        return corrected

    async def _closed(self, since: datetime) -> int:
        corrected = 0
        query = f"ExecutionStatus != 'Running' AND CloseTime >= '{since.isoformat()}'"
        async for execution in self._client.list_workflows(query):
            if execution.status in _LEAVINGS and execution.id.startswith("enr_"):
                corrected += await self._end_if_closed(execution.id)
            if execution.status in _LEAVINGS and execution.id.startswith("blk_"):
                corrected += await self._cancel_bulk(execution.id)
        return corrected

    async def _cancel_bulk(self, bulk: str) -> bool:
        """Nobody more enters by a bulk whose workflow an operator ended."""
        if await self._latest(bulk) not in _LEAVINGS:
            return False
        async with self._database.transaction() as connection:
            row = await bulks.get(connection, bulk, locked=True)
            if row is None or row["state"] in ENDED:
                return False
            ended = {"state": BulkState.CANCELLED.value, "ended_at": self._clock.now(), "ended_by": "an operator"}
            await bulks.change(connection, bulk, ended)
        return True

    async def _end_if_closed(self, enrollment: str) -> bool:
        async with self._database.transaction() as connection:
            row = await enrollments.get(connection, enrollment)
        if row is None or row["ended_at"]:
            return False
        latest = await self._latest(enrollment)
        leaving = _LEAVINGS.get(latest) if latest else None
        if latest is None or leaving is None:  # a reset: the old run is closed while a new one walks
            return False
        facts = {"problem": latest.name.lower().replace("_", " ")}
        async with self._database.transaction() as connection:
            await lock_customer(connection, row["customer"])
            return await enrollments.end(
                connection,
                enrollment=enrollment,
                ending=Ending(leaving=leaving),
                at=self._clock.now(),
                decision=Decision(rule=leaving.value, facts=facts),
            )

    async def _latest(self, workflow: str) -> WorkflowExecutionStatus | None:
        """How the latest run of a workflow stands; None when Temporal has none."""
        try:
            return (await self._client.get_workflow_handle(workflow).describe()).status
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise

    async def _restarted(self, since: datetime) -> int:
        """Runs that we did not start: the walk went on in a fresh one, or an operator reset the workflow."""
        corrected = 0
        query = f"ExecutionStatus = 'Running' AND StartTime >= '{since.isoformat()}'"
        async for execution in self._client.list_workflows(query):
            if not execution.id.startswith("enr_"):
                continue
            async with self._database.transaction() as connection:
                row = await enrollments.get(connection, execution.id)
                if row is None or row["run_id"] in (None, execution.run_id):
                    continue
            if await self._follows(execution.id, execution.run_id, row["run_id"]):
                async with self._database.transaction() as connection:
                    await enrollments.record_run(connection, execution.id, execution.run_id)
                continue
            async with self._database.transaction() as connection:
                await lock_customer(connection, row["customer"])
                await self._restart(connection, execution.id, execution.run_id)
            corrected += 1
        return corrected

    async def _follows(self, workflow: str, run: str, known: str) -> bool:
        """Whether a walk came to this run from the known one by itself, as walks without end do (continue-as-new).

        A reset keeps its run's beginning, and so says of itself what that run said: that it follows the one before.
        """
        try:
            while run and run != known:
                history = self._client.get_workflow_handle(workflow, run_id=run).fetch_history_events(page_size=1)
                began = (await anext(history)).workflow_execution_started_event_attributes
                run = began.continued_execution_run_id
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:  # older than Temporal keeps
                return False
            raise
        return bool(run)

    async def _restart(self, connection: AsyncConnection, enrollment: str, run: str) -> None:
        """Record the new run. Open the enrollment again, or stop the run where nobody may walk any more."""
        row = await enrollments.get(connection, enrollment)
        if row is None:
            return
        await enrollments.record_run(connection, enrollment, run)
        decision = Decision(rule="restarted_by_operator")
        if row["ended_at"] and (against := await self._against(connection, row)):
            decision = Decision(rule="not_restarted", facts={"why": against})
            await enrollments.dispatch(connection, enrollment, "cancel", {"reason": Leaving.STOPPED.value})
        elif row["ended_at"]:
            await enrollments.reopen(connection, enrollment)
        await enrollments.decide(
            connection,
            customer=row["customer"],
            enrollment=enrollment,
            at=self._clock.now(),
            state="restarted",
            decision=decision,
        )

    @staticmethod
    async def _against(connection: AsyncConnection, row: RowMapping) -> dict[str, object] | None:
        """What stands against walking again: an erasure, an opt-out of everything, another walk of the same kind."""
        customer = await customers.by_id(connection, row["customer"])
        past = await enrollments.past_walks(connection, row["customer"], [row["journey"]])
        standing = Standing(
            erased_at=customer["erased_at"],
            consents=await customers.consents_of(connection, row["customer"]),
            past={key: each for key, each in past.items() if each.ended_at is None},
        )
        refusal = refusal_to_enter(Plan(), row["journey"], row["about"], standing, now=row["ended_at"])
        return {"rule": refusal.rule, "facts": dict(refusal.facts)} if refusal else None

    async def _settle(self) -> None:
        async with self._database.transaction() as connection:
            lost = await sends.abandoned(connection, ABANDONED, 100)
            since = self._clock.now() - ASKED_FOR
            unknown = await sends.unresolved(connection, self._sending.askable, since, 100)
        for row in [*lost, *unknown]:
            await self._sending.settle(row["id"])

    async def _seen_until(self) -> datetime:
        async with self._database.transaction() as connection:
            rows = await connection.execute(text("SELECT seen_until FROM reconciliation"))
            seen: datetime | None = rows.scalar_one_or_none()
        return seen or datetime.now(UTC) - timedelta(days=30)

    async def _remember(self, until: datetime) -> None:
        async with self._database.transaction() as connection:
            await connection.execute(
                text("""
                    INSERT INTO reconciliation (one, seen_until) VALUES (true, :until)
                    ON CONFLICT (one) DO UPDATE SET seen_until = excluded.seen_until
                """),
                {"until": until},
            )
