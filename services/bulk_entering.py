"""Letting the customers of a bulk enter: chunk after chunk, each in one transaction with its place in the bulk.

Whoever dies in the middle leaves a whole chunk or nothing of it, and the next one goes on at the place that is reached.
"""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.bulk import BulkProgress, GoingOn
from adapters.database import bulks, customers, dispatches, enrollments, pending
from adapters.database.connection import Database, lock_customers, will_pass
from domain.bulk import NOT_ENTERED, BulkState
from domain.clock import Clock
from domain.consequences import Walk
from domain.decisions import Decision
from domain.errors import NotFound
from services.catalogue import Catalogue
from services.entering import Reach, against, candidates, unreached
from services.policies import Policies
from services.project import Projector

CHUNK = 200  # customers whose locks are held together
CHUNKS_A_SECOND = 4
TOLD_AT_ONCE = 1000
SHIFT = 300.0  # seconds; then the workflow hears how far it has come
BEAT = 5.0  # seconds between heartbeats, at most
STARTS_WAITING = 200  # workflows that wait to be started: more would keep everybody's signals waiting behind them
PATIENCE = 0.05  # seconds between looks at these

log = logging.getLogger(__name__)


class BulkEntering:
    """Serves `activities.bulk`. Decides by the same rules as enrolling one, under the customers' locks."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        catalogue: Catalogue,
        projector: Projector,
        reach: Reach,
        policies: Policies,
    ) -> None:
        self._database, self._clock, self._catalogue = database, clock, catalogue
        self._projector, self._reach, self._policies = projector, reach, policies

    async def enter(self, bulk: str, going_on: GoingOn) -> BulkProgress:
        """Let customers enter until the bulk rests, until `going_on` says no, or for SHIFT seconds."""
        end, due = time.monotonic() + SHIFT, time.monotonic()
        while True:
            row, done = await self._some(bulk)
            progress = _progress(row)
            now = time.monotonic()
            if not going_on(progress) or progress.state is not BulkState.RUNNING or now > end:
                return progress
            # Behind its time it does not hurry to catch up: that would be the flood that the rate is to prevent.
            due = max(due, now - 1) + done / row["per_second"]
            if not await self._rest(due, progress, going_on):
                return progress

    async def _rest(self, due: float, progress: BulkProgress, going_on: GoingOn) -> bool:
        """Wait until it is time, and until Temporal keeps up. Answers whether to go on."""
        while (left := due - time.monotonic()) > 0:
            await asyncio.sleep(min(left, BEAT))
            if left > BEAT and not going_on(progress):
                return False
        beaten = time.monotonic()
        while await self._starts_waiting() >= STARTS_WAITING:
            await asyncio.sleep(PATIENCE)
            if time.monotonic() - beaten > BEAT:
                beaten = time.monotonic()
                if not going_on(progress):
                    return False
        return True

    async def _starts_waiting(self) -> int:
        async with self._database.transaction() as connection:
            return await dispatches.backlog(connection)

    async def _some(self, bulk: str) -> tuple[RowMapping, int]:
        """One chunk. When it fails for something in it: one by one, and who fails alone is set aside.

        Answers how the bulk stands, and how many were dealt with.
        """
        try:
            return await self._chunk(bulk)
        except Exception as error:
            if will_pass(error) or isinstance(error, NotFound):
                raise
            log.exception("a chunk of a bulk failed; one by one", extra={"bulk": bulk})
        row, one = await self._one(bulk)
        dealt = one
        while one and dealt < _pace(row):
            row, one = await self._one(bulk)
            dealt += one
        return row, dealt

    async def _one(self, bulk: str) -> tuple[RowMapping, int]:
        try:
            return await self._chunk(bulk, most=1)
        except Exception as error:
            if will_pass(error):
                raise
            log.exception("a customer cannot enter and is set aside", extra={"bulk": bulk})
            return await self._chunk(bulk, most=1, problem=type(error).__name__)

    async def _chunk(self, bulk: str, *, most: int = CHUNK, problem: str = "") -> tuple[RowMapping, int]:
        """One transaction. With a `problem` nobody is looked at: it is why they do not enter."""
        async with self._database.transaction() as connection:
            row = await bulks.get(connection, bulk, locked=True)
            if row is None:
                raise NotFound("bulk", bulk)
            if row["state"] != BulkState.RUNNING:
                return row, 0
            limit = min(most, _pace(row), _until_look(row))
            lines = await bulks.next_lines(connection, bulk, after=row["reached"], limit=limit)
            if lines:
                # The locks first, and who they are by now in the next statement: some may have been merged or erased.
                await lock_customers(connection, [line["customer"] for line in lines])
                lines = await bulks.next_lines(connection, bulk, after=row["reached"], limit=len(lines))
                failed = Decision(rule=NOT_ENTERED, facts={"journey": row["journey"], "problem": problem})
                refused = (
                    dict.fromkeys(range(len(lines)), failed) if problem else await self._refused(connection, row, lines)
                )
                await self._enter(connection, row, lines, refused)
            elif not limit and row["reached"] < row["entering"]:
                await bulks.change(connection, bulk, {"state": BulkState.LOOKING.value})
            elif not await self._tell_left_out(connection, row):
                done = {"state": BulkState.DONE.value, "ended_at": self._clock.now()}
                await bulks.change(connection, bulk, done)
            now = await bulks.get(connection, bulk)
        self._database.wake()
        assert now is not None  # noqa: S101  it is locked
        return now, len(lines)

    async def _refused(
        self, connection: AsyncConnection, bulk: RowMapping, lines: Sequence[RowMapping]
    ) -> dict[int, Decision]:
        """What stands against some of these lines, by their index."""
        declaration, now = self._catalogue.journey(bulk["journey"]), self._clock.now()
        ours = [line["customer"] for line in lines]
        await self._projector.apply_pending(connection, *await pending.whose(connection, ours))
        found = await candidates(connection, declaration.name, ours)
        messages = self._catalogue.messages_of(declaration.name)
        may_reach = await self._reach.of(connection, messages, await self._policies.in_force(connection), found)
        entered, refused = await bulks.entered_by(connection, bulk["id"], ours), dict[int, Decision]()
        for index, (customer, about) in enumerate((line["customer"], line["about"]) for line in lines):
            refusal = against(declaration, about, found[customer], now=now)
            if refusal is None and messages and not may_reach[customer]:
                refusal = unreached(declaration.name)
            if refusal is None and (customer, about) in entered:  # two profiles were merged into one
                refusal = Decision(rule="walked_before", facts={"journey": declaration.name, "how_often": "once"})
            if refusal:
                refused[index] = refusal
            else:
                entered.add((customer, about))
        return refused

    async def _enter(
        self,
        connection: AsyncConnection,
        bulk: RowMapping,
        lines: Sequence[RowMapping],
        refused: Mapping[int, Decision],
    ) -> None:
        """Write down who enters and who does not, and how far the bulk has come."""
        now = self._clock.now()
        ids = iter(await enrollments.mint(connection, len(lines) - len(refused)))
        rows = await customers.of_ids(connection, [line["customer"] for line in lines])
        walks = [
            None
            if index in refused
            else Walk(
                id=next(ids),
                journey=bulk["journey"],
                about=line["about"],
                started_at=now,
                after_event=rows[line["customer"]]["events"],
            )
            for index, line in enumerate(lines)
        ]
        pairs = list(zip((line["customer"] for line in lines), walks, strict=True))
        entering = [(customer, walk) for customer, walk in pairs if walk]
        await enrollments.insert_all(connection, entering, cause="bulk", options=bulk["options"])
        why = Decision(
            rule="enrolled", facts={"journey": bulk["journey"], "cause": bulk["actor_name"], "bulk": bulk["id"]}
        )
        entered = [(customer, walk.id, why) for customer, walk in entering]
        await enrollments.decide_all(connection, entered, at=now, state="entered")
        stayed = [(lines[index]["customer"], None, decision) for index, decision in refused.items()]
        await enrollments.decide_all(connection, stayed, at=now, state="not_entered")
        settled = [
            (line["place"], walk.id if walk else None, refused.get(index))
            for index, (line, walk) in enumerate(zip(lines, walks, strict=True))
        ]
        await bulks.settle(connection, bulk["id"], settled, at=now)
        await bulks.reach(connection, bulk["id"], place=lines[-1]["place"], refused=len(refused))

    async def _tell_left_out(self, connection: AsyncConnection, bulk: RowMapping) -> int:
        """When all have entered: say on the timelines of some who were left out from the beginning why they were."""
        lines, now = await bulks.untold(connection, bulk["id"], TOLD_AT_ONCE), self._clock.now()
        why = [(line["customer"], None, Decision(rule=line["rule"], facts=line["facts"])) for line in lines]
        await enrollments.decide_all(connection, why, at=now, state="not_entered")
        await bulks.mark_told(connection, bulk["id"], [line["place"] for line in lines], now)
        return len(lines)


def _pace(bulk: RowMapping) -> int:
    """Customers in one chunk, so that there are some chunks in a second."""
    per_second: float = bulk["per_second"]
    return max(1, min(CHUNK, round(per_second / CHUNKS_A_SECOND)))


def _until_look(bulk: RowMapping) -> int:
    """How many may enter before somebody looks; a whole chunk where nobody wants to."""
    if bulk["canary"] is None or bulk["looked"]:
        return CHUNK
    return max(0, int(bulk["canary"] - bulk["reached"]))


def _progress(bulk: RowMapping) -> BulkProgress:
    return BulkProgress(
        state=BulkState(bulk["state"]),
        entered=bulk["reached"] - bulk["refused"],
        refused=bulk["refused"],
        remaining=bulk["entering"] - bulk["reached"],
    )
