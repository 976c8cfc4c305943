"""Merging: two profiles turn out to be one person; a visitor turns out to be a customer (F44, decision record 5)."""

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import customers, enrollments, events, merging
from adapters.database.connection import lock_customers
from domain.clock import Clock
from domain.customers import EVERY_CHANNEL, Consent, ConsentStatus, opt_out_acts
from domain.decisions import Decision
from domain.errors import Conflict, NotFound
from domain.joining import joined
from domain.journeys import Ending, Leaving
from services import audit, identities
from services.addresses import addresses_of
from services.audit import Actor
from services.customers import ERASED
from services.erasing import Erasing
from services.restrict import Restrictions

ONE = "These are one and the same customer."
NO_VISITOR = (
    "This visitor is a customer by now, known by an address or by another id. If they are one person, merge them."
)


class Merging:
    """Merges profiles in the caller's transaction, under both customers' locks."""

    def __init__(self, clock: Clock, restrictions: Restrictions, erasing: Erasing) -> None:
        self._clock, self._restrictions, self._erasing = clock, restrictions, erasing

    async def merge(self, connection: AsyncConnection, customer_id: str, other: str, *, actor: Actor) -> None:
        """Take another profile into a customer's. Done before, it changes nothing.

        Raises NotFound, and Conflict for one and the same id or somebody who was erased.
        """
        if customer_id == other:
            raise Conflict(ONE)
        known = await customers.ours(connection, [customer_id, other])
        for each in (customer_id, other):
            if each not in known:
                raise Conflict(ERASED) if await self._erasing.erased(connection, each) else NotFound("customer", each)
        into, merged = await self._locked(connection, known[customer_id], known[other])
        if into["id"] != merged["id"]:
            await self._join(connection, merged, into, "merged", actor)

    async def identify(self, connection: AsyncConnection, customer_id: str, visitor: str, *, actor: Actor) -> None:
        """A visitor without a name is this customer: what they did becomes the customer's, also what comes later.

        Either may be new. Raises Conflict for a visitor who is somebody else by now, and for who was erased.
        """
        if customer_id == visitor:
            raise Conflict(ONE)
        surrogates, now = self._restrictions.surrogates, self._clock.now()
        known = await identities.identify(connection, surrogates, [customer_id, visitor], now)
        if len(known) < 2:
            raise Conflict(ERASED)
        into, merged = await self._locked(connection, known[customer_id], known[visitor])
        if into["id"] == merged["id"]:
            return
        if merged["customer_id"] != visitor or await addresses_of(connection, merged):
            raise Conflict(NO_VISITOR)
        await self._join(connection, merged, into, "identified", actor)

    @staticmethod
    async def _locked(connection: AsyncConnection, *known: str) -> list[RowMapping]:
        now = await lock_customers(connection, known)
        rows = [await customers.find(connection, each) for each in now]
        found = [row for row in rows if row and not row["erased_at"]]
        if len(found) < len(rows):  # or a visitor who was forgotten at this very moment: services/sweep.py
            raise Conflict(ERASED)
        return found

    async def _join(
        self, connection: AsyncConnection, merged: RowMapping, into: RowMapping, how: str, actor: Actor
    ) -> None:
        now = self._clock.now()
        for walk in await merging.doubled_walks(connection, into["id"], merged["id"]):
            ending, decision = Ending(leaving=Leaving.MERGED), Decision(rule="left_merged")
            await enrollments.end(connection, enrollment=walk, ending=ending, at=now, decision=decision)
            await enrollments.dispatch(connection, walk, "cancel", {"reason": Leaving.MERGED.value})
        await merging.ask_again(connection, [into["id"], merged["id"]])
        mine = await customers.consents_of(connection, into["id"])
        together = joined(mine, await customers.consents_of(connection, merged["id"]))
        await merging.move(connection, merged, into, now)
        for scope, word in together.items():
            if word != mine.get(scope):
                await customers.put_consent(connection, into["id"], scope, word)
        if _refuses_everything(together):
            await self._restrictions.leave_all(connection, into["id"])
        await events.append(
            connection,
            customer_id=into["customer_id"],
            name=how,
            at=now,
            event_id=f"{how}:{merged['id']}",
            properties={},
        )
        after = {"merged": merged["id"]}
        await audit.write(connection, actor, f"customer.{how}", kind="customer", subject=into["id"], after=after)


def _refuses_everything(consents: dict[str, Consent]) -> bool:
    everything = consents.get(EVERY_CHANNEL)
    if everything is None or everything.status is not ConsentStatus.DENIED:
        return False
    return opt_out_acts(consents, EVERY_CHANNEL, everything.at)
