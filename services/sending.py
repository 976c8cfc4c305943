"""Sending: reserve, render, claim, call, record (design 5). Once, allowed, explained."""

import logging
import time
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID, uuid4

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.sending import SendRequest, TryLater
from adapters.database import customers, enrollments, sends
from adapters.database.connection import Database, lock_customer
from adapters.templates import RenderFailed
from domain.clock import Clock, Pace
from domain.decisions import Decision
from domain.deliveries import Letter, Lost, Receipt, Trace
from domain.errors import InvalidInput, Unavailable
from domain.journeys import Ending, Leaving
from domain.messages import Channel, Message
from domain.policy import Answer, ContactPolicy, Verdict, ask, may_call
from domain.sends import SendResult, SendState, send_id
from services.catalogue import Catalogue
from services.letters import Letters
from services.lost_answers import LostAnswers
from services.project import Projector
from services.send_facts import FactReader
from services.verdicts import opt_out

FRESH = timedelta(seconds=60)  # real time: a slot older than this is asked for again
AT_ONCE = 2.0  # real seconds between the claim's commit and the call
TURNS = 3  # how often one attempt asks again when it was too slow

log = logging.getLogger(__name__)

_STATES = {
    Verdict.GO: SendState.RESERVED,
    Verdict.NOT_BEFORE: SendState.DEFERRED,
    Verdict.HELD: SendState.HELD,
    Verdict.REFUSED: SendState.REFUSED,
    Verdict.EXPIRED: SendState.EXPIRED,
}


class Connection(Protocol):
    """A way to one provider, connected and authenticated."""

    async def deliver(self, letter: Letter) -> Receipt:
        """Hand a message over. Never raises for what a provider may say."""
        ...


class Gateway(Protocol):
    """A provider."""

    @property
    def name(self) -> str:
        """Its name, as people know it."""
        ...

    def connection(self) -> AbstractAsyncContextManager[Connection]:
        """Connect. Raises Unavailable."""
        ...

    @property
    def can_look_up(self) -> bool:
        """Whether it can be asked afterwards."""
        ...

    async def look_up(self, lost: Lost) -> Trace:
        """What the provider knows of a letter whose answer was lost. Raises Unavailable."""
        ...


class Sending:
    """Sends messages, once each."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        pace: Pace,
        catalogue: Catalogue,
        projector: Projector,
        facts: FactReader,
        letters: Letters,
        gateways: Mapping[Channel, Gateway],
        policy: ContactPolicy,
    ) -> None:
        self._database, self._clock, self._pace = database, clock, pace
        self._catalogue, self._projector = catalogue, projector
        self._facts, self._letters, self._gateways, self._policy = facts, letters, gateways, policy
        self._lost = LostAnswers(database, clock, gateways)

    async def send(self, request: SendRequest, *, started: datetime) -> SendResult:
        """Send one message if it may go. `started` is the activity's server-stamped real instant.

        Raises TryLater or Unavailable when the provider certainly did not take it and a retry makes sense.
        """
        send = send_id(request.enrollment, request.message, request.visit, request.leg)
        at = self._pace.business(started)
        for _ in range(TURNS):
            answered = await self._reserve(send, request, at)
            if answered is None:
                return await self._stands(send, request.customer)
            if answered.state is not SendState.RESERVED or answered.channel is None:
                return answered
            try:
                letter = await self._letters.write(send, request, answered.channel)
            except (RenderFailed, InvalidInput) as error:
                return await self._failed(send, request, str(error))
            # Connecting and authenticating come before the claim: the call that follows it is the first word to send.
            async with self._gateways[answered.channel].connection() as connection:
                called = await self._claim_and_call(send, request, letter, answered.channel, connection)
            if called is not None and called.state is SendState.CLAIMED:  # another attempt was quicker
                return await self._stands(send, request.customer)
            if called is not None:
                return called
            at = self._clock.now()  # this process was slow: ask again, for now
        raise Unavailable("this process is too slow to call a provider in time")

    # reserve ---------------------------------------------------------------------------------------------------------

    async def _reserve(self, send: UUID, request: SendRequest, at: datetime) -> SendResult | None:
        """Ask the policy under the customer's lock. None for a claim whose result nobody recorded."""
        async with self._database.transaction() as connection:
            await lock_customer(connection, request.customer)
            row = await sends.get(connection, send)
            if row and row["state"] == SendState.CLAIMED:
                return None
            if row and SendState(row["state"]) not in (SendState.DEFERRED, SendState.HELD, SendState.RESERVED):
                return _result(row)
            customer = await customers.by_id(connection, request.customer)
            # So that the check has seen everything that was accepted before it.
            applied = await self._projector.apply_pending(connection, request.customer, customer["customer_id"])
            enrollment = await enrollments.get(connection, request.enrollment)
            if enrollment is None:
                return SendResult(state=SendState.WITHDRAWN, rule="ended")
            if row and row["state"] == SendState.RESERVED and self._fresh(row["slot_at"], at):
                return _result(row)
            message = self._catalogue.message(enrollment["journey"], request.message)
            result = await self._ask(connection, send, request, message, row, enrollment, at)
        if applied:
            self._database.wake()
        return result

    def _fresh(self, slot: datetime, at: datetime) -> bool:
        return self._pace.lasting(at - slot) <= FRESH

    async def _ask(
        self,
        connection: AsyncConnection,
        send: UUID,
        request: SendRequest,
        message: Message,
        row: RowMapping | None,
        enrollment: RowMapping,
        at: datetime,
    ) -> SendResult:
        facts = await self._facts.read(connection, send, message, enrollment, policy=self._policy, at=at)
        if row and row["state"] == SendState.RESERVED and row["channel"]:
            message = replace(message, channels=(Channel(row["channel"]),))  # a retry keeps its channel
        expires = row["expires_at"] if row else at + message.shelf_life
        answer = ask(message, facts, self._policy, at=at, expires=expires, send=send)
        state = SendState.WITHDRAWN if answer.decision.rule == "ended" else _STATES[answer.verdict]
        plan = self._catalogue.journey(enrollment["journey"]).plan
        await sends.put(
            connection,
            {
                "id": send,
                "enrollment": request.enrollment,
                "customer": request.customer,
                "message": request.message,
                "visit": request.visit,
                "leg": request.leg,
                "purpose": message.purpose.value,
                "priority": plan.priority,
                "state": state.value,
                "channel": answer.channel.value if answer.channel else None,
                "wished_at": row["wished_at"] if row else at,
                "expires_at": expires,
                "slot_at": answer.until or at,
                "rule": answer.decision.rule,
            },
        )
        if state is not SendState.RESERVED:
            await self._decide(connection, send, request, state, answer.decision, at)
        if answer.decision.rule == "fuse":
            await self._stop(connection, request.enrollment, answer, at)
        return SendResult(state=state, rule=answer.decision.rule, channel=answer.channel, until=answer.until)

    async def _stop(self, connection: AsyncConnection, enrollment: str, answer: Answer, at: datetime) -> None:
        """The fuse: a journey that repeats itself is stopped."""
        await enrollments.end(
            connection, enrollment=enrollment, ending=Ending(leaving=Leaving.FUSE), at=at, decision=answer.decision
        )
        await enrollments.dispatch(connection, enrollment, "cancel", {"reason": Leaving.FUSE.value})
        self._database.wake()

    # claim, call, record ---------------------------------------------------------------------------------------------

    async def _claim_and_call(
        self, send: UUID, request: SendRequest, letter: Letter, channel: Channel, connection: Connection
    ) -> SendResult | None:
        """Claim, call at once, record. None when it was too slow, for its slot or for its claim, and must ask again."""
        gateway, fence = self._gateways[channel], uuid4()
        claimed = await self._claim(send, request, letter, channel, gateway.name, fence)
        if not isinstance(claimed, float):
            return claimed
        if time.monotonic() - claimed > AT_ONCE:  # this process was frozen in between
            await self._unclaim(send, request, gateway.name, fence)
            return None
        receipt = await connection.deliver(letter)
        return await self._record(send, request, channel, gateway.name, fence, receipt)

    async def _claim(
        self, send: UUID, request: SendRequest, letter: Letter, channel: Channel, gateway: str, fence: UUID
    ) -> float | SendResult | None:
        """Take the send for one call.

        Answers the moment (monotonic) just before the commit, or what has come to stand against the call, or None when
        the slot grew old on the way.
        """
        now = self._clock.now()
        async with self._database.transaction() as connection:
            await lock_customer(connection, request.customer)
            enrollment = await enrollments.get(connection, request.enrollment)
            row = await sends.get(connection, send)
            if enrollment is None or row is None or row["state"] != SendState.RESERVED:
                return _result(row) if row else SendResult(state=SendState.WITHDRAWN)
            message = self._catalogue.message(enrollment["journey"], request.message)
            facts = await self._facts.read(connection, send, message, enrollment, policy=self._policy, at=now)
            if decision := may_call(facts, message, channel, self._policy):
                return await self._turned_back(connection, send, request, row, decision, now)
            if not self._fresh(row["slot_at"], now):
                return None
            await sends.claim(
                connection,
                send,
                fence=fence,
                at=now,
                gateway=gateway,
                recipient=letter.to,
                rendered={"subject": letter.subject, "html": letter.html, "text": letter.text},
            )
            # Before the commit, not after it: a process may be frozen before it learns of its own commit.
            return time.monotonic()

    async def _turned_back(
        self,
        connection: AsyncConnection,
        send: UUID,
        request: SendRequest,
        row: RowMapping,
        decision: Decision,
        now: datetime,
    ) -> SendResult:
        states = {"ended": SendState.WITHDRAWN, "paused": SendState.HELD}
        state = states.get(decision.rule, SendState.REFUSED)
        await sends.set_state(connection, send, state, decision.rule)
        await self._decide(connection, send, request, state, decision, now)
        until = row["expires_at"] if state is SendState.HELD else None
        return SendResult(state=state, rule=decision.rule, channel=Channel(row["channel"]), until=until)

    async def _unclaim(self, send: UUID, request: SendRequest, gateway: str, fence: UUID) -> None:
        """Give a claim back that was certainly not used."""
        async with self._database.transaction() as connection:
            await lock_customer(connection, request.customer)
            row = await sends.get(connection, send)
            late = row is not None and row["state"] == SendState.UNKNOWN
            decision = Decision(rule="not_taken", facts={"gateway": gateway}) if late else Decision(rule="allowed")
            state = SendState.FAILED if late else SendState.RESERVED
            given_back = await sends.record(
                connection, send, fence=fence, state=state, rule=decision.rule, provider_id=None
            )
            if late and given_back:
                await self._decide(connection, send, request, state, decision, self._clock.now())

    async def _record(
        self,
        send: UUID,
        request: SendRequest,
        channel: Channel,
        gateway: str,
        fence: UUID,
        receipt: Receipt,
    ) -> SendResult:
        now = self._clock.now()
        async with self._database.transaction() as connection:
            await lock_customer(connection, request.customer)
            row = await sends.get(connection, send)
            # Settled as unknown meanwhile: the journey was told so and has gone on, so nobody would try again.
            late = row is not None and row["state"] == SendState.UNKNOWN
            state, decision = _recorded(receipt, gateway, channel, late=late)
            kept = await sends.record(
                connection,
                send,
                fence=fence,
                state=state,
                rule=decision.rule,
                provider_id=receipt.provider_id,
            )
            if kept:
                await self._decide(connection, send, request, state, decision, now)
            if receipt.permanent_for_address:
                await self._facts.suppress(connection, request.customer, channel, now)
            if receipt.opted_out:
                await opt_out(connection, request.customer, channel, send=send, gateway=gateway, at=now)
        if kept and state is SendState.RESERVED:
            raise TryLater(gateway, receipt.code or "no code", receipt.retry_after)
        if not kept:  # somebody else has this send by now
            return await self._stands(send, request.customer)
        return SendResult(state=state, rule=decision.rule, channel=channel)

    # afterwards ------------------------------------------------------------------------------------------------------

    @property
    def askable(self) -> list[str]:
        """The gateways that can be asked afterwards."""
        return [gateway.name for gateway in self._gateways.values() if gateway.can_look_up]

    async def settle(self, send: UUID, customer: str) -> None:
        """Find out what became of a send whose answer was lost; never call again (F11, F12)."""
        await self._lost.settle(send, customer)

    async def _stands(self, send: UUID, customer: str) -> SendResult:
        """What the ledger says of a send, once a claim whose caller never came back is settled."""
        await self.settle(send, customer)
        async with self._database.transaction() as connection:
            row = await sends.get(connection, send)
        return _result(row) if row else SendResult(state=SendState.WITHDRAWN)

    async def _failed(self, send: UUID, request: SendRequest, problem: str) -> SendResult:
        decision = Decision(rule="render_failed", facts={"problem": problem})
        log.error("render failed", extra={"send": str(send), "template": request.message})
        async with self._database.transaction() as connection:
            await lock_customer(connection, request.customer)
            row = await sends.get(connection, send)
            if row and row["state"] == SendState.RESERVED:  # not withdrawn, nor sent by another attempt
                await sends.set_state(connection, send, SendState.FAILED, decision.rule)
                await self._decide(connection, send, request, SendState.FAILED, decision, self._clock.now())
        return await self._stands(send, request.customer)

    async def _decide(
        self,
        connection: AsyncConnection,
        send: UUID,
        request: SendRequest,
        state: SendState,
        decision: Decision,
        at: datetime,
    ) -> None:
        await enrollments.decide(
            connection,
            customer=request.customer,
            enrollment=request.enrollment,
            send=send,
            at=at,
            state=state.value,
            decision=decision,
        )


def _recorded(receipt: Receipt, gateway: str, channel: Channel, *, late: bool) -> tuple[SendState, Decision]:
    said: dict[str, Any] = {"gateway": gateway, "channel": channel.value, "code": receipt.code or receipt.detail}
    match receipt.outcome:
        case "accepted":
            return SendState.ACCEPTED, Decision(rule="accepted", facts=said)
        case "refused":
            return SendState.FAILED, Decision(rule="provider_refused", facts=said)
        case "retry" if late:
            return SendState.FAILED, Decision(rule="not_taken", facts=said)
        case "retry":
            return SendState.RESERVED, Decision(rule="provider_busy", facts=said)
        case "unknown":
            return SendState.UNKNOWN, Decision(rule="outcome_unknown", facts=said)


def _result(row: RowMapping) -> SendResult:
    """What the ledger says of a send, as a journey learns it."""
    state = SendState(row["state"])
    until = {SendState.DEFERRED: row["slot_at"], SendState.HELD: row["expires_at"]}.get(state)
    channel = Channel(row["channel"]) if row["channel"] else None
    return SendResult(state=state, rule=row["rule"], channel=channel, until=until)
