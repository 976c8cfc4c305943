"""Audiences for ads (S62): those of a segment who agreed, as hashes that a platform matches and nobody can read."""

import os
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.csv_writing import written
from adapters.database import customers
from adapters.database.connection import Database
from adapters.surrogates import Surrogates
from domain.ads import HEADERS, Platform, agreed, hashed_email, hashed_phone
from domain.messages import Channel
from services import audit
from services.audiences import Members
from services.audit import Actor

AT_ONCE = 10_000


class AdAudiences:
    """Writes audiences. `scope` is the consent that is asked for: see `domain.ads.agreed`.

    `daily` are the segments whose audiences are written each day, into a `folder`.
    """

    def __init__(
        self,
        database: Database,
        surrogates: Surrogates,
        members: Members,
        *,
        scope: str,
        daily: Collection[str] = (),
        folder: Path | None = None,
    ) -> None:
        self._database, self._surrogates, self._members, self._scope = database, surrogates, members, scope
        self._daily, self._folder = daily, folder

    async def begin(self, connection: AsyncConnection, segment: str, platform: Platform, *, actor: Actor) -> None:
        """Note in the audit log that somebody takes an audience. Raises NotFound for an unknown segment."""
        await self._members.members(connection, segment, after="", limit=1)
        said = {"platform": platform.value, "consent": self._scope}
        await audit.write(connection, actor, "audience.exported", kind="segment", subject=segment, after=said)

    async def pieces(self, segment: str, platform: Platform) -> AsyncIterator[bytes]:
        """The audience as CSV, a few customers at a time. Erased and suppressed ones are left out."""
        yield written([HEADERS[platform]])
        after = ""
        while True:
            async with self._database.transaction() as connection:
                page = await self._members.members(connection, segment, after=after, limit=AT_ONCE)
                rows = await self._rows(connection, [each["id"] for each in page], platform)
            if rows:
                yield written(rows)
            if len(page) < AT_ONCE:
                return
            after = page[-1]["id"]

    async def write(self, segment: str, platform: Platform, file: Path) -> int:
        """Put an audience into a file, in one step. Answers how many customers are in it."""
        part, lines = file.with_name(f".{file.name}.part"), -1
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            async for piece in self.pieces(segment, platform):
                out.write(piece)
                lines += piece.count(b"\n")
        part.replace(file)
        return lines

    async def write_all(self, tell: Callable[[str], None]) -> int:
        """As `write`, of each daily segment for each platform. Answers how many files there are."""
        if self._folder is None:
            return 0
        files = [(each, platform) for each in self._daily for platform in Platform]
        for segment, platform in files:
            name = f"{segment}.{platform.value}.csv"
            tell(name)
            await self.write(segment, platform, self._folder / name)
        return len(files)

    async def _rows(
        self, connection: AsyncConnection, ours: Sequence[str], platform: Platform
    ) -> Sequence[tuple[str, str]]:
        rows, consents = await customers.of_ids(connection, ours), await customers.consents_of_all(connection, ours)
        who = [rows[each] for each in ours if each in rows and agreed(consents[each], self._scope)]
        known = [
            (row["id"], channel, row[column])
            for row in who
            for channel, column in ((Channel.EMAIL, "email"), (Channel.SMS, "phone"))
            if row[column] and not row["erased_at"]
        ]
        keys = [(customer, channel.value, self._surrogates.address(channel, at)) for customer, channel, at in known]
        suppressed = await customers.suppressed_of_all(connection, keys)
        hashes: dict[str, dict[Channel, str]] = {}
        for customer, channel, address in known:
            if channel.value not in suppressed.get(customer, {}):
                email = channel is Channel.EMAIL
                hashed = hashed_email(address) if email else hashed_phone(address, platform)
                hashes.setdefault(customer, {})[channel] = hashed
        return [(found.get(Channel.EMAIL, ""), found.get(Channel.SMS, "")) for found in hashes.values()]
