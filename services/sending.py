"""Sending: reserve, render, claim, call, record (design 5). Once, allowed, explained."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from activities.sending import SendRequest
from adapters.database import sends
from adapters.database.connection import Database
from adapters.templates import RenderFailed
from domain.clock import Clock, Pace
from domain.decisions import Decision
from domain.errors import InvalidInput, Unavailable
from domain.messages import Channel
from domain.sends import SendResult, SendState
from services.calling import Calling
from services.catalogue import Catalogue
from services.gateways import Gateway
from services.letters import Letters
from services.project import Projector
from services.reserving import Reserving
from services.send_facts import FactReader
from services.shop import Shop, Withheld
from services.steps import Step

TURNS = 3  # how often one attempt asks again when its process was too slow to call

log = logging.getLogger(__name__)


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
        shop: Shop,
    ) -> None:
        self._database, self._clock, self._pace = database, clock, pace
        self._letters, self._gateways, self._shop = letters, gateways, shop
        self._reserving = Reserving(database, catalogue, projector, facts)
        self._calling = Calling(database, clock, self._reserving, facts, gateways)

    async def send(self, request: SendRequest, *, started: datetime, run: str = "") -> SendResult:
        """Send one message if it may go. `started` is the activity's server-stamped real instant, `run` its run.

        Raises TryLater or Unavailable when the provider certainly did not take it and a retry makes sense.
        """
        result = await self._send(request, started, run)
        return replace(result, legs=await self._reserving.legs(request)) if request.cascade else result

    async def _send(self, request: SendRequest, started: datetime, run: str) -> SendResult:
        step, at = Step.of(request), self._pace.business(started)
        for _ in range(TURNS):
            asked, case = await self._reserving.reserve(step, at, run=run)
            if asked.state is SendState.CLAIMED:
                return await self.settle(step.send)  # its caller never came back
            if asked.state is not SendState.RESERVED or asked.channel is None or case is None:
                return asked
            try:
                shop = await self._shop.say(step, case)
                letter = self._letters.write(step.send, asked.channel, case, shop)
            except (RenderFailed, InvalidInput) as error:
                log.error("render failed", extra={"send": str(step.send), "template": step.request.message})
                failed = Decision(rule="render_failed", facts={"problem": str(error)})
                return await self._set_aside(step, SendState.FAILED, failed)
            except Withheld as error:
                return await self._set_aside(step, error.state, error.decision)
            # Connecting and authenticating come before the claim: the call that follows it is the first word to send.
            async with self._gateways[asked.channel].connection() as connection:
                called = await self._calling.call(step, letter, asked.channel, connection)
            if called is not None and called.state is SendState.CLAIMED:  # another attempt was quicker
                return await self.settle(step.send)
            if called is not None:
                return called
            at = self._clock.now()
        raise Unavailable("this process is too slow to call a provider in time")

    @property
    def askable(self) -> list[str]:
        """The gateways that can be asked afterwards."""
        return [gateway.name for gateway in self._gateways.values() if gateway.can_look_up]

    async def settle(self, send: UUID) -> SendResult:
        """What the ledger says of a send, once an answer that was lost is asked for."""
        return await self._calling.settle(send)

    async def _set_aside(self, step: Step, state: SendState, decision: Decision) -> SendResult:
        """A letter that could not be written leaves its reserved send as it says."""
        async with self._database.transaction() as connection:
            step = await step.locked(connection)
            row = await sends.get(connection, step.send)
            if row and row["state"] == SendState.RESERVED:  # not withdrawn, nor sent by another attempt
                await sends.set_state(connection, step.send, state, decision.rule)
                await step.decide(connection, state, decision, self._clock.now())
        return await self.settle(step.send)
