"""Lost answers: what became of a send that was handed over and never answered. Asked, told, never sent again."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import RowMapping

from adapters.database import sends
from adapters.database.connection import Database
from domain.clock import Clock
from domain.decisions import Decision
from domain.deliveries import Lost, Trace
from domain.errors import Unavailable
from domain.messages import Channel
from domain.sends import SendState
from services.gateways import Gateway
from services.steps import Step

GIVE_UP_AFTER = timedelta(minutes=15)  # business time, until "absent" means that it never arrived (F11)
SURELY_OVER = timedelta(seconds=60)  # real time, after which no call is still on its way

log = logging.getLogger(__name__)


class LostAnswers:
    """Settles claims that were never recorded and outcomes that stayed unknown (F11 to F14)."""

    def __init__(self, database: Database, clock: Clock, gateways: Mapping[Channel, Gateway]) -> None:
        self._database, self._clock, self._gateways = database, clock, gateways

    async def settle(self, send: UUID) -> None:
        """Find out, as far as can be found out now, what became of a send. Never raises for a provider that is down."""
        async with self._database.transaction() as connection:
            row = await sends.get(connection, send)
        if row is None or row["state"] not in (SendState.CLAIMED, SendState.UNKNOWN):
            return
        step, trace = Step.in_ledger(row), await self._trace(row)
        async with self._database.transaction() as connection:
            step = await step.locked(connection)
            state, rule, found = SendState.UNKNOWN, "outcome_unknown", None
            if trace.outcome == "accepted":
                found = await sends.first_untaken(connection, row["gateway"], trace.provider_ids)
                if found or not trace.provider_ids:
                    state, rule = SendState.ACCEPTED, "resolved_by_look_up"
            if state is SendState.UNKNOWN and trace.outcome != "unknown" and self._gone(row):
                state, rule = SendState.FAILED, "never_arrived"
            if state == row["state"]:
                return
            facts = {"gateway": row["gateway"], "channel": row["channel"]}
            settled = await sends.record(
                connection, send, fence=row["fence"], state=state, rule=rule, provider_id=found
            )
            if settled:
                await step.decide(connection, state, Decision(rule=rule, facts=facts), self._clock.now())

    async def _trace(self, row: RowMapping) -> Trace:
        gateway = self._gateways[Channel(row["channel"])]
        if gateway.name != row["gateway"]:  # this installation sends by another provider now
            return Trace(outcome="unknown")
        if row["recipient"] is None:  # erased: there is nothing to ask by
            return Trace(outcome="unknown")
        rendered = row["rendered"] or {}
        lost = Lost(
            send_id=row["id"],
            to=row["recipient"],
            text=rendered.get("text", ""),
            handed_at=row["claimed_at"],
            by_content="content" in rendered,
        )
        try:
            return await gateway.look_up(lost)
        except (OSError, Unavailable) as error:
            log.warning("a lost answer cannot be asked for now", extra={"error": type(error).__name__})
            return Trace(outcome="unknown")

    def _gone(self, row: RowMapping) -> bool:
        """Whether what is not there by now never was: the call is long over, by both clocks."""
        over = datetime.now(UTC) - row["claimed_at"] >= SURELY_OVER
        return bool(over and self._clock.now() - row["called_at"] >= GIVE_UP_AFTER)
