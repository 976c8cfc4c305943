"""SQL for addresses that the profile does not hold: chats, browsers, and who wrote to us when."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database.statements import text

ALL_OF_CUSTOMER = """
    SELECT channel, address, keys, added_at, last_inbound_at FROM addresses WHERE customer = :customer
    ORDER BY channel, added_at DESC, address
"""


async def of_customer(connection: AsyncConnection, customer: str) -> Sequence[RowMapping]:
    """All of a customer's, by channel, the newest first."""
    return (await connection.execute(text(ALL_OF_CUSTOMER), {"customer": customer})).mappings().all()


async def channels_of_all(connection: AsyncConnection, customers: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
    """The newest address on each channel, of many customers."""
    rows = await connection.execute(
        text("""
            SELECT DISTINCT ON (customer, channel) customer, channel, address FROM addresses
            WHERE customer = ANY(:customers) ORDER BY customer, channel, added_at DESC, address
        """),
        {"customers": list(customers)},
    )
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        found.setdefault(row.customer, {})[row.channel] = row.address
    return found


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


async def owners(connection: AsyncConnection, channel: str, address: str) -> Sequence[RowMapping]:
    """Everybody who has this address."""
    rows = await connection.execute(
        text("""
            SELECT c.id, c.customer_id FROM addresses a JOIN customers c ON c.id = a.customer
            WHERE a.channel = :channel AND a.address = :address AND c.erased_at IS NULL ORDER BY c.id
        """),
        {"channel": channel, "address": address},
    )
    return rows.mappings().all()


async def replace(connection: AsyncConnection, customer: str, channel: str, address: str, at: datetime) -> None:
    """Make this a customer's only address on a channel. The caller holds the lock."""
    await connection.execute(
        text("DELETE FROM addresses WHERE customer = :customer AND channel = :channel AND address <> :address"),
        {"customer": customer, "channel": channel, "address": address},
    )
    await add(connection, customer, channel, address, {}, at)


async def add(
    connection: AsyncConnection, customer: str, channel: str, address: str, keys: Mapping[str, str], at: datetime
) -> None:
    """One more address; one that is known gets its keys anew."""
    await connection.execute(
        text("""
            INSERT INTO addresses (customer, channel, address, keys, added_at)
            VALUES (:customer, :channel, :address, cast(:keys AS jsonb), :at)
            ON CONFLICT (customer, channel, address) DO UPDATE SET keys = excluded.keys
        """),
        {
            "customer": customer,
            "channel": channel,
            "address": address,
            "keys": msgspec.json.encode(keys).decode(),
            "at": at,
        },
    )


async def take_over(
    connection: AsyncConnection,
    customer: str,
    channel: str,
    address: str,
    keys: Mapping[str, str],
    at: datetime,
    *,
    most: int,
) -> None:
    """Make an address this customer's alone, and the newest of at most so many. The caller holds their lock."""
    await connection.execute(
        text("DELETE FROM addresses WHERE channel = :channel AND address = :address"),
        {"channel": channel, "address": address},
    )
    await add(connection, customer, channel, address, keys, at)
    await connection.execute(
        text("""
            DELETE FROM addresses WHERE customer = :customer AND channel = :channel AND address IN (
                SELECT address FROM addresses WHERE customer = :customer AND channel = :channel
                ORDER BY added_at DESC, address = :address DESC OFFSET :most)
        """),
        {"customer": customer, "channel": channel, "address": address, "most": most},
    )


async def forget(connection: AsyncConnection, customer: str, channel: str, gone: Sequence[str]) -> None:
    """These are no more. The caller holds the lock."""
    await connection.execute(
        text("DELETE FROM addresses WHERE customer = :customer AND channel = :channel AND address = ANY(:gone)"),
        {"customer": customer, "channel": channel, "gone": list(gone)},
    )
