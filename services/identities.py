"""Whose events these are: the company's ids and ours. Who was erased does not come back by old news."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import customers, erasures, events, unapplied
from adapters.surrogates import Surrogates
from domain.events import IMPORT, OURS


async def identify(
    connection: AsyncConnection, surrogates: Surrogates, customer_ids: Sequence[str], at: datetime
) -> dict[str, str]:
    """Our ids for the company's, minting those that are new. Those that were erased are left out."""
    found = await customers.ours(connection, customer_ids)
    missing = sorted(set(customer_ids) - set(found))
    if not missing:
        return found
    keys = {surrogates.customer(each): each for each in missing}
    erased = {keys[key] for key in await erasures.latest(connection, list(keys))}
    return found | await customers.identify(connection, [each for each in missing if each not in erased], at)


async def come_back(connection: AsyncConnection, surrogates: Surrogates, customer_id: str, at: datetime) -> str | None:
    """Whether somebody erased comes back, by what waits under the company's id: answers our new id, or None.

    Only a live event that happened and was received after the erasure, and that is no repeat of an erased one and none
    of ours, makes a new customer, who knows nothing of the old one. All else is dropped (decision record 4).
    """
    key = surrogates.customer(customer_id)
    erasure = (await erasures.latest(connection, [key])).get(key)
    if erasure is None:  # an older release's, or taken back by hand
        return (await customers.identify(connection, [customer_id], at))[customer_id]
    waiting = await unapplied.waiting(connection, customer_id)
    names = {surrogates.event(row["event_id"]): row["id"] for row in waiting}
    repeats = {names[name] for name in await events.digests(connection, list(names))}
    old = {row["id"] for row in waiting if min(row["occurred_at"], row["received_at"]) <= erasure["at"]} | repeats
    live = any(row["id"] not in old and row["source"] not in (IMPORT, OURS) for row in waiting)
    await unapplied.drop(connection, [row["id"] for row in waiting if row["id"] in old or not live])
    if not live:
        return None
    ours = (await customers.identify(connection, [customer_id], at))[customer_id]
    await customers.forget_until(connection, ours, erasure["at"])
    return ours
