"""The audit log: who changed what. Written in the transaction of the change, so neither is there without the other."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import audit


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who does something: an API key by its id and name, or a part of Tropa. `request` is the caller's own id of it."""

    id: str
    name: str
    request: str = ""


COMMAND_LINE = Actor(id="command line", name="staff, from the command line")


async def write(
    connection: AsyncConnection,
    actor: Actor,
    action: str,
    *,
    kind: str,
    subject: str,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    """Keep what was done to a subject, by our own id of it.

    `before` and `after` hold values of settings, but of a profile only the names of what changed: the log outlives
    an erasure, so nothing personal may enter it.
    """
    await audit.insert(
        connection,
        {
            "actor": actor.id,
            "actor_name": actor.name,
            "action": action,
            "subject_kind": kind,
            "subject": subject,
            "before": before,
            "after": after,
            "request": actor.request or None,
        },
    )
