"""Reserve: may this send go now? Asked under the customer's lock, and written into the ledger with its reason."""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.sending import SendRequest
from adapters.database import enrollments, sends
from adapters.database.connection import Database, News
from domain.decisions import Decision
from domain.errors import Unavailable
from domain.journeys import Ending, Leaving
from domain.messages import Channel
from domain.policy import Answer, Verdict, ask, in_turn
from domain.sends import UNCLAIMED, SendResult, SendState
from services.catalogue import Catalogue
from services.offers import NO_CODE_LEFT, NOT_SET_UP
from services.project import Projector
from services.send_facts import Case, FactReader
from services.steps import Step, result_of

FRESH = timedelta(seconds=60)  # a slot older than this is asked for again

_STATES = {
    Verdict.GO: SendState.RESERVED,
    Verdict.NOT_BEFORE: SendState.DEFERRED,
    Verdict.HELD: SendState.HELD,
    Verdict.REFUSED: SendState.REFUSED,
    Verdict.HOLDOUT: SendState.HOLDOUT,
    Verdict.EXPIRED: SendState.EXPIRED,
}


class Reserving:
    """Asks the contact policy."""

    def __init__(self, database: Database, catalogue: Catalogue, projector: Projector, facts: FactReader) -> None:
        self._database, self._catalogue, self._projector, self._facts = database, catalogue, projector, facts

    async def reserve(self, step: Step, at: datetime, *, run: str = "") -> tuple[SendResult, Case | None]:
        """Where the send stands now: reserved and free to be claimed, waiting, or at its end already.

        With it, what is known around a send that was asked for, or is reserved. Raises Unavailable for a walk that
        ended and that an operator restarted, until that is recorded.
        """
        async with self._database.transaction() as connection:
            step = await step.locked(connection)
            row, applied = await self._facts.around(connection, step), 0
            if row is None or row["state"] not in (None, *UNCLAIMED, SendState.WITHDRAWN):
                return result_of(row), None
            if row["pending"]:  # so that the check has seen everything that was accepted before it
                applied = await self._projector.apply_pending(connection, step.request.customer)
                row = await self._facts.around(connection, step) or row
            wait_for_restart(row, run)
            if row["state"] == SendState.WITHDRAWN:
                return result_of(row), None
            case = await self._facts.read(connection, step, row, at=at)
            if row["state"] == SendState.RESERVED and is_fresh(row["slot_at"], at):
                result = result_of(row)
            else:
                result = await self.ask(connection, step, case, at)
        if applied or result.rule == "fuse":
            self._database.wake(News.CONSEQUENCES)
        return result, case

    async def legs(self, request: SendRequest) -> int:
        """How many legs a cascade of this message may have: one for each of its channels."""
        async with self._database.transaction() as connection:
            enrollment = await enrollments.get(connection, request.enrollment)
        return len(self._catalogue.message(enrollment["journey"], request.message).channels) if enrollment else 1

    async def ask(self, connection: AsyncConnection, step: Step, case: Case, at: datetime) -> SendResult:
        """Ask the policy for an instant, and write its answer. The caller holds the lock."""
        row, message, facts = case.row, case.message, case.facts
        if row["state"] == SendState.RESERVED and row["channel"]:
            message = replace(message, channels=(Channel(row["channel"]),))  # a retry keeps its channel
        elif step.request.cascade:
            message = replace(message, channels=in_turn(message, facts))
        answer = ask(message, facts, case.policy, at=at, expires=case.expires, send=step.send)
        if answer.verdict is Verdict.EXPIRED and row["rule"] in (NOT_SET_UP, NO_CODE_LEFT):
            blocked = {"rule": row["rule"], "facts": {"offer": message.offer}}
            expired = Decision(rule="shelf_life", facts={"expires": case.expires, "blocked": blocked})
            answer = replace(answer, decision=expired)
        state = SendState.WITHDRAWN if answer.decision.rule == "ended" else _STATES[answer.verdict]
        await sends.put(
            connection,
            {
                "id": step.send,
                "enrollment": step.request.enrollment,
                "customer": step.request.customer,
                "message": step.request.message,
                "visit": step.request.visit,
                "leg": step.request.leg,
                "purpose": message.purpose.value,
                "kind": case.plan.kind.value,
                "priority": case.plan.priority,
                "state": state.value,
                "channel": answer.channel.value if answer.channel else None,
                "wished_at": row["wished_at"] or at,
                "expires_at": case.expires,
                "slot_at": answer.until or at,
                "rule": answer.decision.rule,
            },
        )
        if state is not SendState.RESERVED:
            await step.decide(connection, state, answer.decision, at)
        if answer.decision.rule == "fuse":
            await self._stop(connection, step, answer, at)
        return SendResult(state=state, rule=answer.decision.rule, channel=answer.channel, until=answer.until)

    @staticmethod
    async def _stop(connection: AsyncConnection, step: Step, answer: Answer, at: datetime) -> None:
        """The fuse: a journey that repeats itself is stopped."""
        enrollment, ending = step.request.enrollment, Ending(leaving=Leaving.FUSE)
        await enrollments.end(connection, enrollment=enrollment, ending=ending, at=at, decision=answer.decision)
        await enrollments.dispatch(connection, enrollment, "cancel", {"reason": Leaving.FUSE.value})


def wait_for_restart(enrollment: RowMapping, run: str) -> None:
    """Whoever asks for an ended enrollment from another run than the recorded one was reset by an operator.

    The reconciler decides within a minute whether it may walk again; until then the activity tries again.
    """
    if enrollment["ended_at"] and run and enrollment["run_id"] not in (None, run):
        raise Unavailable("an operator restarted this walk; it goes on when that is recorded")


def is_fresh(slot: datetime, at: datetime) -> bool:
    """Whether a slot is still good. By business time: at a fast pace a second may reach into the night."""
    return at - slot <= FRESH
