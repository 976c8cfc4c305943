"""Restrictions: what a customer forbids us takes effect in the transaction that accepts it (design 4.4)."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import customers, enrollments, sends
from adapters.database.events import NewEvent
from adapters.surrogates import Surrogates
from domain.clock import Clock, utc
from domain.customers import EVERY_CHANNEL, SNOOZE, Consent, ConsentStatus, Frequency, opt_out_acts
from domain.decisions import Decision
from domain.events import COMPLAINED, FREQUENCY_CHOSEN, HARD_BOUNCED, SNOOZED, UNPROVEN
from domain.journeys import Ending, Leaving
from domain.messages import Channel
from services.addresses import addresses_of


class Restrictions:
    """Applies opt-outs, complaints and hard bounces. The caller holds the customer's lock.

    `serving` are the journeys that go on after an opt-out of everything: see `domain.journeys.Plan.serves`.
    """

    def __init__(self, clock: Clock, surrogates: Surrogates, *, serving: Collection[str] = ()) -> None:
        self._clock, self.surrogates, self._serving = clock, surrogates, frozenset(serving)

    async def apply(self, connection: AsyncConnection, customer: str, event: NewEvent) -> None:
        """Put one restriction in force."""
        if event.name in (SNOOZED, FREQUENCY_CHOSEN):
            if choice := _choice(event):
                await customers.update_profile(connection, customer, choice)
                await enrollments.release(connection, customer)  # less may stand in the way, and asking is harmless
            return
        channel = _channel(event)
        if event.name in (COMPLAINED, HARD_BOUNCED):
            scope: str = channel or Channel.EMAIL
            reason = "a complaint" if event.name == COMPLAINED else "it bounced for good"
            for address in await self._addresses(connection, customer, Channel(scope), event):
                key = self.surrogates.address(scope, address)
                await customers.suppress(connection, scope, key, reason, self._clock.now())
            if event.name == HARD_BOUNCED:
                return
        else:
            scope = channel or EVERY_CHANNEL
        refusal = Consent(status=ConsentStatus.DENIED, at=event.occurred_at, source=event.source)
        await self.refuse(connection, customer, scope, refusal)

    async def refuse(self, connection: AsyncConnection, customer: str, scope: str, refusal: Consent) -> None:
        """Record a no. About everything, it also ends the walks, unless a later yes stands against it."""
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
        """End the open walks of a customer and tell Temporal. Who opted out is still served, by what they asked for."""
        unproven = await enrollments.open_walks(connection, customer, begun_by=UNPROVEN)
        for walk, walking in (await enrollments.open_walks(connection, customer)).items():
            if leaving is Leaving.OPTED_OUT and walking.journey in self._serving and walk not in unproven:
                continue
            await enrollments.end(
                connection,
                enrollment=walk,
                ending=Ending(leaving=leaving),
                at=self._clock.now(),
                decision=Decision(rule=rule),
            )
            await enrollments.dispatch(connection, walk, "cancel", {"reason": leaving.value})

    @staticmethod
    async def _addresses(
        connection: AsyncConnection, customer: str, channel: Channel, event: NewEvent
    ) -> Sequence[str]:
        """The address it happened to: where the send went that the event names, the one that it names itself, or else
        the customer's own, who may have another one by now."""
        with suppress(ValueError):
            send = await sends.get(connection, UUID(_said(event, "send")))
            if send and send["customer"] == customer and send["channel"] == channel and send["recipient"]:
                return [str(send["recipient"])]
        if named := _said(event, "address"):
            return [named]
        known = await addresses_of(connection, await customers.by_id(connection, customer))
        return [each.address for each in known.get(channel, ())]


def _choice(event: NewEvent) -> dict[str, object]:
    """What a customer chose; null takes a choice back. A frequency that there is not changes nothing; a snooze without
    an end that can be read is the longest that is offered (S97). An end that names no zone is UTC."""
    if event.name == FREQUENCY_CHOSEN:
        if _told(event, "frequency") is None:
            return {"frequency": None}
        with suppress(ValueError):
            return {"frequency": Frequency(_said(event, "frequency"))}
        return {}
    if _told(event, "until") is None:
        return {"snoozed_until": None}
    try:
        return {"snoozed_until": utc(datetime.fromisoformat(_said(event, "until")))}
    except ValueError:
        return {"snoozed_until": event.occurred_at + SNOOZE}


def _channel(event: NewEvent) -> Channel | None:
    """Which channel a restriction names. One that we do not know is none, so that a no counts for everything."""
    try:
        return Channel(_said(event, "channel"))
    except ValueError:
        return None


def _said(event: NewEvent, name: str) -> str:
    """A property that is a text; empty for any other."""
    value = _told(event, name)
    return value if isinstance(value, str) else ""


def _told(event: NewEvent, name: str) -> object:
    """A property as it is, which may be null; empty where there is none, or none that can be read."""
    try:
        return msgspec.json.decode(event.properties)[name]
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""
