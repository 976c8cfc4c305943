"""What people do to a bulk once it is drafted: approve, start, pause, resume, cancel, look."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import bulks
from domain.bulk import ENDED, BulkCommand, BulkState, after
from domain.clock import Clock
from domain.errors import Conflict, NotFound
from services import audit
from services.audit import Actor

FASTEST = 500.0  # customers a second


@dataclass(frozen=True, kw_only=True)
class BulkNow:
    """A bulk as it stands: its row, why how many stay out, and how fast it goes (real customers a second)."""

    row: RowMapping
    reasons: Sequence[RowMapping]
    rate: float | None

    @property
    def remaining(self) -> int:
        """Who may still enter."""
        return 0 if self.row["state"] in ENDED else int(self.row["entering"] - self.row["reached"])

    @property
    def seconds_left(self) -> float | None:
        """Real seconds until all have entered, when it is running."""
        if self.row["state"] != BulkState.RUNNING:
            return None
        return self.remaining / (self.rate or self.row["per_second"])


class Bulks:
    """Commands about bulks, each in the caller's transaction. The workflow is told by a pump after the commit."""

    def __init__(self, clock: Clock, *, approve_above: int) -> None:
        """Above so many customers a second API key must approve."""
        self._clock, self.approve_above = clock, approve_above

    async def get(self, connection: AsyncConnection, bulk: str) -> BulkNow:
        """One bulk. Raises NotFound."""
        row = await bulks.get(connection, bulk)
        if row is None:
            raise NotFound("bulk", bulk)
        return BulkNow(row=row, reasons=await bulks.reasons(connection, bulk), rate=await bulks.rate(connection, bulk))

    async def page(self, connection: AsyncConnection, *, before: str | None, limit: int) -> Sequence[RowMapping]:
        """Bulks, newest first."""
        return await bulks.page(connection, before=before, limit=limit)

    def needs_approval(self, row: RowMapping) -> bool:
        """Whether a second person has to say yes, and has not."""
        return bool(row["entering"] > self.approve_above and row["approver"] is None)

    async def approve(self, connection: AsyncConnection, bulk: str, *, actor: Actor) -> None:
        """A second key says yes. Raises NotFound; Conflict for the key that drafted it, and once it has started."""
        row = await self._locked(connection, bulk)
        if row["state"] != BulkState.DRAFTED:
            raise Conflict(f"This bulk is {row['state']}; only a draft is approved.")
        if row["actor"] == actor.id:
            raise Conflict("The API key that drafted a bulk cannot approve it: somebody else has to look at it.")
        if row["approver"] is not None:
            return
        at = self._clock.now()
        await bulks.change(connection, bulk, {"approver": actor.id, "approver_name": actor.name, "approved_at": at})
        await self._audit(connection, actor, "bulk.approved", bulk)

    async def start(
        self,
        connection: AsyncConnection,
        bulk: str,
        *,
        per_second: float | None = None,
        canary_share: float | None = None,
        actor: Actor,
    ) -> None:
        """Let them enter, so many a second; first that share alone, if one is given.

        Raises NotFound; Conflict for one that is no draft, that nobody can enter, or that a second key must approve.
        """
        row = await self._locked(connection, bulk)
        state = self._after(BulkCommand.START, row)
        if not row["entering"]:
            raise Conflict("Nobody of this bulk can enter; draft another one.")
        if self.needs_approval(row):
            raise Conflict(
                f"{row['entering']:,} customers would enter, and above {self.approve_above:,} another API key has to "
                "approve first: POST :approve."
            )
        canary = math.ceil(canary_share * row["entering"]) if canary_share else None
        changes = {
            "state": state.value,
            "per_second": per_second or row["per_second"],
            "canary": canary,
            "started_at": self._clock.now(),
        }
        await bulks.change(connection, bulk, changes, tell=True)
        await bulks.begin_stretch(connection, bulk)
        said = {"per_second": changes["per_second"], "canary": canary}
        await self._audit(connection, actor, "bulk.started", bulk, said)

    async def pause(self, connection: AsyncConnection, bulk: str, *, actor: Actor) -> None:
        """Nobody more enters once this is committed. Who walks, walks on. Raises NotFound, Conflict."""
        row = await self._locked(connection, bulk)
        state = self._after(BulkCommand.PAUSE, row)
        if state != row["state"]:
            await bulks.change(connection, bulk, {"state": state.value})
            await self._audit(connection, actor, "bulk.paused", bulk, {"reached": row["reached"]})

    async def resume(self, connection: AsyncConnection, bulk: str, *, actor: Actor) -> None:
        """Go on, after a pause or after a look at the canary. Raises NotFound, Conflict."""
        row = await self._locked(connection, bulk)
        state = self._after(BulkCommand.RESUME, row)
        if state == row["state"]:
            return
        looked = row["looked"] or row["state"] == BulkState.LOOKING
        await bulks.change(connection, bulk, {"state": state.value, "looked": looked}, tell=True)
        await bulks.begin_stretch(connection, bulk)
        await self._audit(connection, actor, "bulk.resumed", bulk, {"reached": row["reached"]})

    async def cancel(self, connection: AsyncConnection, bulk: str, *, actor: Actor) -> None:
        """Nobody more enters, for good. Who walks, walks on. Raises NotFound, Conflict when all have entered."""
        row = await self._locked(connection, bulk)
        state = self._after(BulkCommand.CANCEL, row)
        if state == row["state"]:
            return
        ended = {"state": state.value, "ended_at": self._clock.now(), "ended_by": actor.name}
        await bulks.change(connection, bulk, ended, tell=row["started_at"] is not None)
        await self._audit(connection, actor, "bulk.cancelled", bulk, {"reached": row["reached"]})

    async def note_export(self, connection: AsyncConnection, bulk: str, *, actor: Actor) -> None:
        """Keep in the audit log that somebody takes the list of customers. Raises NotFound."""
        if await bulks.get(connection, bulk) is None:
            raise NotFound("bulk", bulk)
        await self._audit(connection, actor, "bulk.exported", bulk)

    @staticmethod
    async def _locked(connection: AsyncConnection, bulk: str) -> RowMapping:
        row = await bulks.get(connection, bulk, locked=True)
        if row is None:
            raise NotFound("bulk", bulk)
        return row

    @staticmethod
    def _after(command: BulkCommand, row: RowMapping) -> BulkState:
        state = after(command, BulkState(row["state"]))
        if state is None:
            raise Conflict(f"This bulk is {row['state']}; it cannot {command.value} now.")
        return state

    @staticmethod
    async def _audit(
        connection: AsyncConnection, actor: Actor, action: str, bulk: str, said: Mapping[str, object] | None = None
    ) -> None:
        await audit.write(connection, actor, action, kind="bulk", subject=bulk, after=said)
