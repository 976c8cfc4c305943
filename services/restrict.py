"""Restrictions: what a customer forbids us takes effect in the transaction that accepts it (design 4.4)."""

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import customers, enrollments
from adapters.database.events import NewEvent
from adapters.surrogates import Surrogates
from domain.clock import Clock
from domain.customers import EVERY_CHANNEL, Consent, ConsentStatus, opt_out_acts
from domain.decisions import Decision
from domain.events import COMPLAINED, HARD_BOUNCED
from domain.journeys import Ending, Leaving
from domain.messages import Channel


class Restrictions:
    """Applies opt-outs, complaints and hard bounces. The caller holds the customer's lock."""

    def __init__(self, clock: Clock, surrogates: Surrogates) -> None:
        self._clock, self.surrogates = clock, surrogates

    async def apply(self, connection: AsyncConnection, customer: str, event: NewEvent) -> None:
        """Put one restriction in force."""
        channel = _channel(event)
        if event.name in (COMPLAINED, HARD_BOUNCED):
            scope: str = channel or Channel.EMAIL
            reason = "a complaint" if event.name == COMPLAINED else "it bounced for good"
            await self._suppress(connection, customer, scope, reason)
            if event.name == HARD_BOUNCED:
                return
        else:
            scope = channel or EVERY_CHANNEL
        refusal = Consent(status=ConsentStatus.DENIED, at=event.occurred_at, source=event.source)
        await self.refuse(connection, customer, scope, refusal)

    async def refuse(self, connection: AsyncConnection, customer: str, scope: str, refusal: Consent) -> None:
        """Record a no. About everything, it also ends every walk, unless a later yes stands against it."""
        consents = await customers.consents_of(connection, customer)
        await customers.put_consent(connection, customer, scope, refusal)
        now = self._clock.now()
        if not opt_out_acts(consents, scope, refusal.at):
            stale = Decision(rule="stale_opt_out", facts={"at": refusal.at})
            await enrollments.decide(connection, customer=customer, at=now, state="stale", decision=stale)
            return
        if scope == EVERY_CHANNEL:
            await self.leave_all(connection, customer)

    async def leave_all(
        self,
        connection: AsyncConnection,
        customer: str,
        leaving: Leaving = Leaving.OPTED_OUT,
        rule: str = "left_opted_out",
    ) -> None:
        """End every open walk of a customer and tell Temporal."""
        for walk in await enrollments.open_walks(connection, customer):
            await enrollments.end(
                connection,
                enrollment=walk,
                ending=Ending(leaving=leaving),
                at=self._clock.now(),
                decision=Decision(rule=rule),
            )
            await enrollments.dispatch(connection, walk, "cancel", {"reason": leaving.value})

    async def _suppress(self, connection: AsyncConnection, customer: str, channel: str, reason: str) -> None:
        row = await customers.by_id(connection, customer)
        address = row["email"] if channel == Channel.EMAIL.value else row["phone"]
        if address:
            key = self.surrogates.address(channel, address)
            await customers.suppress(connection, channel, key, reason, self._clock.now())


def _channel(event: NewEvent) -> Channel | None:
    """Which channel a restriction names. One that we do not know is none, so that a no counts for everything."""
    try:
        return Channel(msgspec.json.decode(event.properties)["channel"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
