"""Doing a command once: its answer is kept in the transaction of its effect, under the caller's own key."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import keys
from domain.errors import InvalidInput


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a command answered, as JSON text. `replayed` when it was done before."""

    status: int
    body: str
    replayed: bool = False


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request as idempotency sees it: whose, under which key (none: do it), and what it asked for."""

    caller: str
    key: str | None
    what: bytes


async def once(
    connection: AsyncConnection, asked: Asked, effect: Callable[[AsyncConnection], Awaitable[Answer]]
) -> Answer:
    """Do it, or answer as it was answered. Only what succeeded is kept: a refusal may be asked again.

    Raises InvalidInput when the key was used for something else.
    """
    if asked.key is None:
        return await effect(connection)
    digest = hashlib.sha256(asked.what).digest()
    if await keys.take(connection, asked.caller, asked.key, digest):
        answer = await effect(connection)
        await keys.keep(connection, asked.caller, asked.key, answer.status, answer.body)
        return answer
    row = await keys.kept(connection, asked.caller, asked.key)
    if row["digest"] != digest:
        raise InvalidInput(["Idempotency-Key: this key was used for another request; take a new one"])
    return Answer(status=row["status"], body=row["body"], replayed=True)
