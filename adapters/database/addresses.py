"""SQL for addresses that the profile does not hold: chats, browsers, and who wrote to us when."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection


async def of_customer(connection: AsyncConnection, customer: str) -> Sequence[RowMapping]:
    """All of a customer's, by channel, the newest first."""
    rows = await connection.execute(
        text("""
            SELECT channel, address, keys, last_inbound_at FROM addresses WHERE customer = :customer
            ORDER BY channel, added_at DESC, address
        """),
        {"customer": customer},
    )
    return rows.mappings().all()


async def heard(connection: AsyncConnection, customer: str, channel: str, address: str, at: datetime) -> None:
    """A customer wrote to us from an address."""
    await connection.execute(
        text("""
            INSERT INTO addresses (customer, channel, address, added_at, last_inbound_at)
            VALUES (:customer, :channel, :address, :at, :at)
            ON CONFLICT (customer, channel, address) DO UPDATE
                SET last_inbound_at = greatest(addresses.last_inbound_at, excluded.last_inbound_at)
        """),
        {"customer": customer, "channel": channel, "address": address, "at": at},
    )
