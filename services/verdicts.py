"""Verdicts: what a provider says of an address, put in force in the transaction that learns of it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import customers, events
from adapters.surrogates import Surrogates
from domain.customers import Consent, ConsentStatus
from domain.events import OPTED_OUT
from domain.messages import Channel


async def opt_out(
    connection: AsyncConnection, customer: str, channel: Channel, *, send: UUID, gateway: str, at: datetime
) -> None:
    """The provider knows of a no that never reached us (F19, F49). The caller holds the lock. Once for each send."""
    event_id = f"{gateway}:opted_out:{send}"
    if await events.digests(connection, [event_id]):
        return
    row = await customers.by_id(connection, customer)
    refusal = Consent(status=ConsentStatus.DENIED, at=at, source=gateway)
    await customers.put_consent(connection, customer, channel.value, refusal)
    await events.append(
        connection,
        customer_id=row["customer_id"],
        name=OPTED_OUT,
        at=at,
        event_id=event_id,
        properties={"channel": channel.value},
    )


async def suppress(
    connection: AsyncConnection, surrogates: Surrogates, channel: Channel, address: str, at: datetime
) -> None:
    """The provider calls the address dead: never write to it again."""
    key = surrogates.address(channel.value, address)
    await customers.suppress(connection, channel.value, key, "the provider called it dead", at)
