"""SQL for customers, their consents and suppressed addresses."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import webhooks
from adapters.database.statements import text
from domain.announcements import OPTED_OUT
from domain.customers import Consent, ConsentStatus


async def identify(connection: AsyncConnection, customer_ids: Sequence[str], at: datetime) -> dict[str, str]:
    """Our ids for the company's, minting those that are new. Keys are in order, so that two batches cannot deadlock."""
    wanted = sorted(set(customer_ids))
    found = await ours(connection, wanted)
    if missing := [each for each in wanted if each not in found]:
        await connection.execute(
            text("""
                INSERT INTO customers (customer_id, first_seen_at)
                SELECT customer_id, :at FROM unnest(cast(:ids AS text[])) AS given (customer_id) ORDER BY customer_id
                ON CONFLICT (customer_id) DO NOTHING
            """),
            {"ids": missing, "at": at},
        )
        # Whoever was merged away while the insert waited for their old row has an alias by now.
        await connection.execute(
            text("""
                DELETE FROM customers c USING customer_aliases a
                WHERE c.customer_id = a.customer_id AND a.customer_id = ANY(:ids)
            """),
            {"ids": missing},
        )
        found |= await ours(connection, missing)
    return found


async def ours(connection: AsyncConnection, customer_ids: Sequence[str]) -> dict[str, str]:
    """Our ids for those of the company's that we know: a merged profile's is the one that it went into."""
    rows = await connection.execute(
        text("""
            SELECT customer_id, id FROM customers WHERE customer_id = ANY(:ids)
            UNION ALL SELECT customer_id, customer FROM customer_aliases WHERE customer_id = ANY(:ids)
        """),
        {"ids": list(customer_ids)},
    )
    return {row.customer_id: row.id for row in rows}


_BY_ID = text("""
    SELECT * FROM customers WHERE id = coalesce((SELECT customer FROM customer_aliases WHERE id = :id), :id)
""")


async def by_company_id(connection: AsyncConnection, customer_id: str) -> RowMapping | None:
    """A customer's row by the company's id."""
    found = await ours(connection, [customer_id])
    return await find(connection, found[customer_id]) if found else None


async def by_id(connection: AsyncConnection, customer: str) -> RowMapping:
    """A customer's row by our id. A profile that was merged away is the one that it went into."""
    rows = await connection.execute(_BY_ID, {"id": customer})
    return rows.mappings().one()


async def find(connection: AsyncConnection, customer: str) -> RowMapping | None:
    """As `by_id`, if there is one."""
    rows = await connection.execute(_BY_ID, {"id": customer})
    return rows.mappings().one_or_none()


async def of_ids(connection: AsyncConnection, customers: Sequence[str]) -> dict[str, RowMapping]:
    """Rows by our ids, of those who are there under exactly these. The caller holds their locks, or only looks."""
    rows = await connection.execute(text("SELECT * FROM customers WHERE id = ANY(:ids)"), {"ids": list(customers)})
    return {row["id"]: row for row in rows.mappings()}


async def consents_of(connection: AsyncConnection, customer: str) -> dict[str, Consent]:
    """What a customer said, by scope."""
    return (await consents_of_all(connection, [customer]))[customer]


async def consents_of_all(connection: AsyncConnection, customers: Sequence[str]) -> dict[str, dict[str, Consent]]:
    """What each customer said, by scope."""
    rows = await connection.execute(
        text("""
            SELECT customer, channel, topic, status, at, source, wording, proof FROM consents
            WHERE customer = ANY(:customers)
        """),
        {"customers": list(customers)},
    )
    found: dict[str, dict[str, Consent]] = {customer: {} for customer in customers}
    for row in rows:
        scope = f"{row.channel}/{row.topic}" if row.topic else row.channel
        found[row.customer][scope] = Consent(
            status=ConsentStatus(row.status), at=row.at, source=row.source, wording=row.wording, proof=row.proof
        )
    return found


# What a customer said, by scope, as the text of its JSON.
CONSENTS = """
    SELECT json_object_agg(channel || CASE topic WHEN '' THEN '' ELSE '/' || topic END, json_build_object(
        'status', status, 'at', at, 'source', source, 'wording', wording, 'proof', proof))::text
    FROM consents WHERE customer = {customer}
"""


def read_consents(consents: str | None) -> dict[str, Consent]:
    """What `CONSENTS` tells."""
    return msgspec.json.decode(consents, type=dict[str, Consent]) if consents else {}


async def put_consent(connection: AsyncConnection, customer: str, scope: str, consent: Consent) -> bool:
    """Record a word about a scope (see `Consent`), unless a later one is on record. Answers whether it now counts.

    A no to a channel that counts is told to those who listen.
    """
    channel, _, topic = scope.partition("/")
    rows = await connection.execute(
        text("""
            INSERT INTO consents (customer, channel, topic, status, at, source, wording, proof)
            VALUES (:customer, :channel, :topic, :status, :at, :source, :wording, :proof)
            ON CONFLICT (customer, channel, topic) DO UPDATE
                SET status = excluded.status, at = excluded.at, source = excluded.source,
                    wording = excluded.wording, proof = excluded.proof
                WHERE consents.at < excluded.at OR (consents.at = excluded.at AND excluded.status = 'denied')
            RETURNING 1
        """),
        {
            "customer": customer,
            "channel": channel,
            "topic": topic,
            "status": consent.status.value,
            "at": consent.at,
            "source": consent.source,
            "wording": consent.wording,
            "proof": consent.proof,
        },
    )
    counts = rows.first() is not None
    if counts and not topic and consent.status is ConsentStatus.DENIED:
        await webhooks.queue(connection, OPTED_OUT, customer=customer, at=consent.at, channel=channel)
    return counts


async def suppress(connection: AsyncConnection, channel: str, address_key: UUID, reason: str, at: datetime) -> None:
    """Never write to this address again, whoever it belongs to."""
    await connection.execute(
        text("""
            INSERT INTO suppressions (channel, address_key, reason, at) VALUES (:channel, :key, :reason, :at)
            ON CONFLICT DO NOTHING
        """),
        {"channel": channel, "key": address_key, "reason": reason, "at": at},
    )


# An erasure gives way to a yes that the customer gave after it: that is somebody who came back. A yes to one topic
# alone is none to the channel.
_STANDS = """(s.reason <> 'erased' OR NOT EXISTS (
        SELECT 1 FROM consents c WHERE c.customer = {customer} AND c.channel IN (s.channel, 'all')
          AND c.topic = '' AND c.status = 'granted' AND c.at > s.at))"""
SUPPRESSED = f"""
    SELECT s.channel, s.reason FROM suppressions s
    WHERE s.channel = ANY(:channels) AND s.address_key = ANY(:keys) AND {_STANDS.format(customer=":customer")}
"""  # noqa: S608  our own words
"""A key belongs to one channel."""


async def suppressed(connection: AsyncConnection, customer: str, keys: Mapping[str, UUID]) -> dict[str, str]:
    """Which of these addresses (by channel) are suppressed, and why."""
    values = {"customer": customer, "channels": list(keys), "keys": list(keys.values())}
    return {row.channel: row.reason for row in await connection.execute(text(SUPPRESSED), values)}


async def suppressed_of_all(
    connection: AsyncConnection, keys: Sequence[tuple[str, str, UUID]]
) -> dict[str, dict[str, str]]:
    """As `suppressed`, of many customers: `keys` are customer, channel and the address's key."""
    rows = await connection.execute(
        text(f"""
            SELECT given.customer, s.channel, s.reason FROM suppressions s
            JOIN unnest(cast(:customers AS text[]), cast(:channels AS text[]), cast(:keys AS uuid[]))
                AS given (customer, channel, key) ON s.channel = given.channel AND s.address_key = given.key
            WHERE {_STANDS.format(customer="given.customer")}
        """),  # noqa: S608  our own words
        {
            "customers": [customer for customer, _, _ in keys],
            "channels": [channel for _, channel, _ in keys],
            "keys": [key for _, _, key in keys],
        },
    )
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        found.setdefault(row.customer, {})[row.channel] = row.reason
    return found


async def update_profile(connection: AsyncConnection, customer: str, profile: Mapping[str, Any]) -> None:
    """Set profile columns; the names are the caller's own words, checked at the edge."""
    columns = ", ".join(f"{name} = :{name}" for name in profile)
    await connection.execute(text(f"UPDATE customers SET {columns} WHERE id = :id"), {**profile, "id": customer})  # noqa: S608


async def by_email(connection: AsyncConnection, email: str) -> Sequence[RowMapping]:
    """Everybody who has this address, in whatever case it is written; the first we met first."""
    rows = await connection.execute(
        text(
            "SELECT id, customer_id FROM customers WHERE lower(email) = lower(:email) AND erased_at IS NULL ORDER BY id"
        ),
        {"email": email},
    )
    return rows.mappings().all()


async def by_phone(connection: AsyncConnection, phone: str) -> Sequence[RowMapping]:
    """Everybody who has this number."""
    rows = await connection.execute(
        text("SELECT id, customer_id FROM customers WHERE phone = :phone AND erased_at IS NULL ORDER BY id"),
        {"phone": phone},
    )
    return rows.mappings().all()


async def forget_until(connection: AsyncConnection, customer: str, at: datetime) -> None:
    """Whoever came back after an erasure knows nothing of what happened until then."""
    await connection.execute(
        text("UPDATE customers SET forgotten_until = :at WHERE id = :customer AND forgotten_until IS NULL"),
        {"customer": customer, "at": at},
    )
