"""Announcing: other systems are told by webhooks what happened, at least once, and never inside our own network."""

import asyncio
import logging
import time
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlsplit

import msgspec
from sqlalchemy import RowMapping

from adapters.database import webhooks
from adapters.database.connection import Database
from adapters.outward import NoAnswer, NotReached, Outward
from adapters.standard_webhooks import new_secret, signed
from domain.announcements import ANNOUNCED, TEST
from domain.errors import InvalidInput, NotFound
from services import audit
from services.audit import Actor

GONE = 410
AT_ONCE = 20
# After each attempt that was not taken; after the last one it is given up.
WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=10),
)

log = logging.getLogger(__name__)


class Announcing:
    """Keeps endpoints, and tells them what they listen for."""

    def __init__(self, database: Database, outward: Outward) -> None:
        self._database, self._outward = database, outward

    async def add(self, url: str, events: Sequence[str], *, by: Actor) -> tuple[RowMapping, str]:
        """A new endpoint, and its secret for this once. Raises InvalidInput."""
        problems = [f"events: there is no {name}" for name in events if name not in ANNOUNCED]
        if problems or not events:
            known = ", ".join(ANNOUNCED)
            raise InvalidInput([*(problems or ["events: name at least one"]), f"events: the names are {known}"])
        self._outward.check(url)
        secret = new_secret()
        async with self._database.transaction() as connection:
            row = await webhooks.insert(connection, url, secret, sorted(set(events)))
            said = {"host": urlsplit(url).hostname, "events": row["events"]}  # the rest of an address may be a secret
            await audit.write(connection, by, "webhook.created", kind="webhook", subject=row["id"], after=said)
        return row, secret

    async def listed(self) -> Sequence[RowMapping]:
        """Every endpoint, as it stands."""
        async with self._database.transaction() as connection:
            return await webhooks.listed(connection)

    async def remove(self, endpoint: str, *, by: Actor) -> None:
        """Tell it nothing more, and forget it. Raises NotFound."""
        async with self._database.transaction() as connection:
            if not await webhooks.delete(connection, endpoint):
                raise NotFound("webhook", endpoint)
            await audit.write(connection, by, "webhook.removed", kind="webhook", subject=endpoint)

    async def test(self, endpoint: str) -> None:
        """Tell it something of no meaning. Raises NotFound."""
        async with self._database.transaction() as connection:
            if not await webhooks.queue_test(connection, endpoint, TEST):
                raise NotFound("webhook", endpoint)
        self._database.wake()

    async def announce_some(self, limit: int = AT_ONCE) -> int:
        """One attempt for each delivery that is due. Answers how many there were."""
        async with self._database.autocommit() as connection:
            due = await webhooks.lease(connection, limit)
        await asyncio.gather(*(self._tell(row) for row in due))
        return len(due)

    async def _tell(self, row: RowMapping) -> None:
        body = msgspec.json.encode(row["payload"])
        headers = signed(row["secret"], f"msg_{row['id'].hex}", int(time.time()), body)
        status = 0
        try:
            answer = await self._outward.post(row["url"], body, headers)
            status, good, result = answer.status, answer.good, str(answer.status)
        except InvalidInput:
            good, result = False, "its address does not lead to the public network"
        except NotReached:
            good, result = False, "it was not reached"
        except NoAnswer:
            good, result = False, "it did not answer"
        async with self._database.transaction() as connection:
            if good:
                await webhooks.told(connection, row["id"], row["endpoint"], result)
                return
            again = WAITS[row["attempts"] - 1] if row["attempts"] <= len(WAITS) else None
            await webhooks.not_told(connection, row["id"], row["endpoint"], result, again)
            if status == GONE:
                await webhooks.disable(connection, row["endpoint"], "it answered 410: gone")
        log.warning("a webhook was not taken", extra={"status": status, "count": row["attempts"]})
