"""Claim, call, record: one call of a provider for one send, and what became of it."""

import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.sending import TryLater
from adapters.database import addresses, enrollments, sends
from adapters.database.connection import Database
from domain.clock import Clock
from domain.decisions import Decision
from domain.deliveries import Letter, Receipt
from domain.messages import Channel, Purpose
from domain.policy import may_call, must_wait
from domain.sends import SendResult, SendState
from services.gateways import Connection, Gateway
from services.lost_answers import LostAnswers
from services.reserving import Reserving, is_fresh
from services.send_facts import FactReader
from services.steps import Step, result_of
from services.verdicts import opt_out

AT_ONCE = 2.0  # real seconds between the claim's commit and the call


class Calling:
    """Calls providers, at most once for each claim."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        reserving: Reserving,
        facts: FactReader,
        gateways: Mapping[Channel, Gateway],
    ) -> None:
        self._database, self._clock = database, clock
        self._reserving, self._facts, self._gateways = reserving, facts, gateways
        self._lost = LostAnswers(database, clock, gateways)

    async def call(self, step: Step, letter: Letter, channel: Channel, connection: Connection) -> SendResult | None:
        """Claim, call at once, record. None when the call would come too late after its claim: ask again.

        Raises TryLater when the provider certainly did not take it and may later.
        """
        gateway, fence = self._gateways[channel].name, uuid4()
        claimed = await self._claim(step, letter, channel, gateway, fence)
        if not isinstance(claimed, float):
            return claimed
        if time.monotonic() - claimed > AT_ONCE:  # this process was frozen in between
            await self._unclaim(step, gateway, fence)
            return None
        receipt = await connection.deliver(letter)
        return await self._record(step, letter, channel, gateway, fence, receipt)

    async def settle(self, send: UUID) -> SendResult:
        """What the ledger says of a send, once an answer that was lost is asked for; never call again (F11, F12)."""
        await self._lost.settle(send)
        async with self._database.transaction() as connection:
            return result_of(await sends.get(connection, send))

    async def _claim(
        self, step: Step, letter: Letter, channel: Channel, gateway: str, fence: UUID
    ) -> float | SendResult:
        """Take the send for one call.

        Answers the moment (monotonic) just before the commit, or what has come to stand against the call.
        """
        now = self._clock.now()
        async with self._database.transaction() as connection:
            step = await step.locked(connection)
            row = await self._facts.around(connection, step)
            if row is None or row["state"] != SendState.RESERVED:
                return result_of(row)
            case = await self._facts.read(connection, step, row, at=now)
            if decision := may_call(case.facts, case.message, channel, case.policy):
                return await self._turned_back(connection, step, row, decision)
            if not is_fresh(row["slot_at"], now) or must_wait(case.facts, case.message, case.policy, at=now):
                asked = await self._reserving.ask(connection, step, case, now)
                if asked.state is not SendState.RESERVED:
                    return asked
            await sends.claim(
                connection,
                step.send,
                fence=fence,
                at=now,
                gateway=gateway,
                recipient=letter.to,
                rendered=_kept(letter),
                links=letter.links,
            )
            # Before the commit, not after it: a process may be frozen before it learns of its own commit.
            return time.monotonic()

    async def _turned_back(
        self, connection: AsyncConnection, step: Step, row: RowMapping, decision: Decision
    ) -> SendResult:
        states = {"ended": SendState.WITHDRAWN, "paused": SendState.HELD}
        state = states.get(decision.rule, SendState.REFUSED)
        await sends.set_state(connection, step.send, state, decision.rule)
        await step.decide(connection, state, decision, self._clock.now())
        until = row["expires_at"] if state is SendState.HELD else None
        return SendResult(state=state, rule=decision.rule, channel=Channel(row["channel"]), until=until)

    async def _unclaim(self, step: Step, gateway: str, fence: UUID) -> None:
        """Give a claim back that was certainly not used."""
        async with self._database.transaction() as connection:
            step = await step.locked(connection)
            nobody = _nobody_waits(await self._facts.around(connection, step))
            state, decision = SendState.RESERVED, Decision(rule="allowed")
            if nobody:
                state, decision = nobody, Decision(rule="not_taken", facts={"gateway": gateway})
            given_back = await sends.record(
                connection, step.send, fence=fence, state=state, rule=decision.rule, provider_id=None
            )
            if nobody and given_back:
                await step.decide(connection, state, decision, self._clock.now())

    async def _record(
        self, step: Step, letter: Letter, channel: Channel, gateway: str, fence: UUID, receipt: Receipt
    ) -> SendResult:
        now = self._clock.now()
        async with self._database.transaction() as connection:
            step = await step.locked(connection)
            row = await self._facts.around(connection, step)
            state, decision = _recorded(receipt, gateway, channel, _nobody_waits(row))
            kept = await sends.record(
                connection,
                step.send,
                fence=fence,
                state=state,
                rule=decision.rule,
                provider_id=receipt.provider_id,
            )
            if kept:
                await step.decide(connection, state, decision, now)
            if kept and state is SendState.ACCEPTED and row and row["purpose"] == Purpose.VALUE:
                # An offer that it was owed to may go now.
                await enrollments.release(connection, step.request.customer, rule="value_owed")
            if receipt.permanent_for_address:
                await self._facts.suppress(connection, channel, letter.to, now)
            if receipt.gone:
                await addresses.forget(connection, step.request.customer, channel.value, receipt.gone)
            if receipt.opted_out:
                await opt_out(connection, step.request.customer, channel, send=step.send, gateway=gateway, at=now)
        if not kept:  # somebody else has this send by now
            return await self.settle(step.send)
        if state is SendState.RESERVED:
            raise TryLater(gateway, receipt.code or "no code", receipt.retry_after)
        return SendResult(state=state, rule=decision.rule, channel=channel)


def _nobody_waits(row: RowMapping | None) -> SendState | None:
    """How a send ends that the provider did not take and that nobody would try again.

    Settled as unknown meanwhile, the journey was told so and has gone on; or the enrollment ended during the call.
    """
    if row is None:
        return None
    if row["state"] == SendState.UNKNOWN:
        return SendState.FAILED
    return SendState.WITHDRAWN if row["ended_at"] else None


def _kept(letter: Letter) -> dict[str, Any]:
    """What the ledger keeps of a letter's words."""
    content = {"content": letter.content.sid} if letter.content else {}
    leads = {"url": letter.url} if letter.url else {}
    return {"subject": letter.subject, "html": letter.html, "text": letter.text, **content, **leads}


def _recorded(receipt: Receipt, gateway: str, channel: Channel, nobody: SendState | None) -> tuple[SendState, Decision]:
    said: dict[str, Any] = {"gateway": gateway, "channel": channel.value, "code": receipt.code or receipt.detail}
    match receipt.outcome:
        case "accepted":
            return SendState.ACCEPTED, Decision(rule="accepted", facts=said)
        case "refused":
            return SendState.FAILED, Decision(rule="provider_refused", facts=said)
        case "retry" if nobody:
            return nobody, Decision(rule="not_taken", facts=said)
        case "retry":
            return SendState.RESERVED, Decision(rule="provider_busy", facts=said)
        case "unknown":
            return SendState.UNKNOWN, Decision(rule="outcome_unknown", facts=said)
