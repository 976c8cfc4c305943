"""SQL for API keys and for the answers kept under idempotency keys. Machinery: real time."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection


async def insert(connection: AsyncConnection, key_id: str, name: str, digest: bytes, scopes: Sequence[str]) -> None:
    """A new key; of its secret only the digest is kept."""
    await connection.execute(
        text("INSERT INTO api_keys (id, name, digest, scopes) VALUES (:id, :name, :digest, :scopes)"),
        {"id": key_id, "name": name, "digest": digest, "scopes": list(scopes)},
    )


async def valid(connection: AsyncConnection, key_id: str) -> RowMapping | None:
    """A key that is neither revoked nor expired."""
    rows = await connection.execute(
        text("""
            SELECT id, name, digest, scopes FROM api_keys
            WHERE id = :id AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
        """),
        {"id": key_id},
    )
    return rows.mappings().one_or_none()


async def revoke(connection: AsyncConnection, key_id: str) -> bool:
    """End a key. False when there is none of that id."""
    rows = await connection.execute(
        text("UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE id = :id RETURNING 1"), {"id": key_id}
    )
    return rows.first() is not None


async def take(connection: AsyncConnection, api_key: str, key: str, digest: bytes) -> bool:
    """Take an idempotency key, False when it is taken. A twin at the same time waits here for the first one's end."""
    rows = await connection.execute(
        text("""
            INSERT INTO idempotency_keys (api_key, key, digest) VALUES (:api_key, :key, :digest)
            ON CONFLICT DO NOTHING RETURNING 1
        """),
        {"api_key": api_key, "key": key, "digest": digest},
    )
    return rows.first() is not None


async def keep(connection: AsyncConnection, api_key: str, key: str, status: int, body: str) -> None:
    """Keep the answer of the request that took the key, as text: jsonb would lose the order of its fields."""
    await connection.execute(
        text("""
            UPDATE idempotency_keys SET status = :status, body = cast(:body AS jsonb)
            WHERE api_key = :api_key AND key = :key
        """),
        {"api_key": api_key, "key": key, "status": status, "body": msgspec.json.encode(body).decode()},
    )


async def kept(connection: AsyncConnection, api_key: str, key: str) -> RowMapping:
    """The digest and the answer under a key."""
    rows = await connection.execute(
        text("SELECT digest, status, body FROM idempotency_keys WHERE api_key = :api_key AND key = :key"),
        {"api_key": api_key, "key": key},
    )
    return rows.mappings().one()
