"""Verdicts: what a provider says of an address, put in force in the transaction that learns of it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import customers, events
from adapters.surrogates import Surrogates
from domain.customers import Consent, ConsentStatus
from domain.events import COMPLAINED, HARD_BOUNCED, OPTED_OUT
from domain.messages import Channel


async def opt_out(
    connection: AsyncConnection, customer: str, channel: Channel, *, send: UUID, gateway: str, at: datetime
) -> None:
    """The provider knows of a no that never reached us (F19, F49). The caller holds the lock. Once for each send."""
    if await _tell(connection, OPTED_OUT, customer, channel, send=send, gateway=gateway, at=at):
        await _refuse(connection, customer, channel, gateway, at)


async def complained(
    connection: AsyncConnection, surrogates: Surrogates, send: RowMapping, *, gateway: str, at: datetime
) -> None:
    """The reader called a send spam: a no to its channel, and a closed address. The caller holds the lock."""
    channel = Channel(send["channel"])
    if await _tell(connection, COMPLAINED, send["customer"], channel, send=send["id"], gateway=gateway, at=at):
        await _refuse(connection, send["customer"], channel, gateway, at)
        if send["recipient"]:
            await suppress(connection, surrogates, channel, send["recipient"], at, reason="a complaint")


async def bounced(
    connection: AsyncConnection, surrogates: Surrogates, send: RowMapping, *, gateway: str, at: datetime
) -> None:
    """Nobody is at the address that a send went to; the customer may have another. The caller holds the lock."""
    channel = Channel(send["channel"])
    await _tell(connection, HARD_BOUNCED, send["customer"], channel, send=send["id"], gateway=gateway, at=at)
    if send["recipient"]:
        await suppress(connection, surrogates, channel, send["recipient"], at)


async def suppress(
    connection: AsyncConnection,
    surrogates: Surrogates,
    channel: Channel,
    address: str,
    at: datetime,
    *,
    reason: str = "the provider called it dead",
) -> None:
    """Never write to this address again, whoever has it."""
    key = surrogates.address(channel.value, address)
    await customers.suppress(connection, channel.value, key, reason, at)


async def _refuse(connection: AsyncConnection, customer: str, channel: Channel, gateway: str, at: datetime) -> None:
    refusal = Consent(status=ConsentStatus.DENIED, at=at, source=gateway)
    await customers.put_consent(connection, customer, channel.value, refusal)


async def _tell(
    connection: AsyncConnection,
    name: str,
    customer: str,
    channel: Channel,
    *,
    send: UUID,
    gateway: str,
    at: datetime,
) -> bool:
    """Append the event, once for each send. Answers whether it is news."""
    event_id = f"{gateway}:{name}:{send}"
    if await events.digests(connection, [event_id]):
        return False
    row = await customers.by_id(connection, customer)
    await events.append(
        connection,
        customer_id=row["customer_id"],
        name=name,
        at=at,
        event_id=event_id,
        properties={"channel": channel.value},
    )
    return True
