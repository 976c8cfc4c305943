"""SQL for the profiles and consents of many customers at once."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database.statements import text
from domain.customers import Consent

CONTACT = ("email", "phone", "locale", "timezone", "preferred_channel")
"""The columns of a profile by which somebody is reached."""


async def write(connection: AsyncConnection, profiles: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    """What `CONTACT` names and the attributes, of many customers. The caller holds their locks."""
    if not profiles:
        return
    await connection.execute(
        text("""
            UPDATE customers SET email = given.email, phone = given.phone, locale = given.locale,
                timezone = given.timezone, preferred_channel = given.preferred_channel, attributes = given.attributes
            FROM unnest(cast(:ids AS text[]), cast(:email AS text[]), cast(:phone AS text[]), cast(:locale AS text[]),
                        cast(:timezone AS text[]), cast(:preferred_channel AS text[]), cast(:attributes AS jsonb[]))
                AS given (id, email, phone, locale, timezone, preferred_channel, attributes)
            WHERE customers.id = given.id
        """),
        {
            "ids": [customer for customer, _ in profiles],
            "attributes": [msgspec.json.encode(profile["attributes"]).decode() for _, profile in profiles],
            **{name: [profile[name] for _, profile in profiles] for name in CONTACT},
        },
    )


async def grant(connection: AsyncConnection, words: Sequence[tuple[str, str, Consent]]) -> None:
    """Record many a yes, by customer and scope. One that is not newer than what is on record changes nothing."""
    if not words:
        return
    scopes = [scope.partition("/") for _, scope, _ in words]
    await connection.execute(
        text("""
            INSERT INTO consents (customer, channel, topic, status, at, source, wording, proof)
            SELECT customer, channel, topic, 'granted', at, source, wording, proof
            FROM unnest(cast(:customers AS text[]), cast(:channels AS text[]), cast(:topics AS text[]),
                        cast(:ats AS timestamptz[]), cast(:sources AS text[]), cast(:wordings AS text[]),
                        cast(:proofs AS text[])) AS given (customer, channel, topic, at, source, wording, proof)
            ON CONFLICT (customer, channel, topic) DO UPDATE
                SET status = excluded.status, at = excluded.at, source = excluded.source,
                    wording = excluded.wording, proof = excluded.proof
                WHERE consents.at < excluded.at
        """),
        {
            "customers": [customer for customer, _, _ in words],
            "channels": [channel for channel, _, _ in scopes],
            "topics": [topic for _, _, topic in scopes],
            "ats": [word.at for _, _, word in words],
            "sources": [word.source for _, _, word in words],
            "wordings": [word.wording for _, _, word in words],
            "proofs": [word.proof for _, _, word in words],
        },
    )
