"""Dispatch: tell Temporal what is queued for it. At least once; repeating it does no harm (design 4.5)."""

import asyncio
import itertools
import logging
from collections.abc import Iterable, Mapping
from typing import Any, Protocol
from uuid import uuid4

from sqlalchemy import RowMapping

from adapters.database import dispatches
from adapters.database.connection import Database
from adapters.surrogates import Surrogates
from domain.clock import Pace
from domain.errors import TropaError
from domain.journeys import Enrollment
from domain.options import describe
from services.catalogue import Catalogue

AT_ONCE = 16
log = logging.getLogger(__name__)


class Walks(Protocol):
    """Who runs the walks. See `adapters.temporal.Walks`. Raises Unavailable when nobody could be told."""

    async def start(
        self, journey: str, enrollment: Enrollment, *, cause: str, priority: int, stage: str | None = None
    ) -> str | None:
        """Start an enrollment's workflow, once. Answers the run's id, as far as it is known."""
        ...

    async def signal(self, enrollment: str, name: str, payload: Mapping[str, Any] | None) -> str:
        """Signal a walk. Answers what became of it."""
        ...

    async def cancel(self, enrollment: str, reason: str) -> str:
        """Cancel a walk. Answers as `signal`."""
        ...


class Dispatcher:
    """Drains the outbox into Temporal, each enrollment's rows in order."""

    def __init__(
        self, database: Database, walks: Walks, catalogue: Catalogue, surrogates: Surrogates, pace: Pace
    ) -> None:
        self._database, self._walks, self._catalogue = database, walks, catalogue
        self._surrogates, self._pace = surrogates, pace

    async def dispatch_some(self, limit: int = 64) -> int:
        """Lease some enrollments and tell Temporal their rows. Answers how many rows were done."""
        token = uuid4()
        async with self._database.autocommit() as connection:
            leased = await dispatches.lease(connection, token, limit)
            # In the next statement, which sees what another dispatcher did before it gave the lease back.
            rows = await dispatches.due(connection, leased, token) if leased else []
        if not leased:
            return 0
        gate = asyncio.Semaphore(AT_ONCE)
        grouped = itertools.groupby(sorted(rows, key=lambda r: (r["enrollment"], r["id"])), lambda r: r["enrollment"])
        told = await asyncio.gather(*(self._tell_in_order(gate, list(group)) for _, group in grouped))
        results = [result for done, _, _ in told for result in done]
        runs = [run for _, run, _ in told if run]
        failed = [enrollment for _, _, enrollment in told if enrollment]
        async with self._database.autocommit() as connection:
            await dispatches.done(connection, token, results, runs, failed)
            if failed:
                await dispatches.put_off(connection, token)
        return len(results)

    async def _tell_in_order(
        self, gate: asyncio.Semaphore, rows: Iterable[RowMapping]
    ) -> tuple[list[tuple[int, str]], tuple[str, str] | None, str | None]:
        """What was done, the run that was started, and the enrollment if Temporal could not be told all."""
        done: list[tuple[int, str]] = []
        run: tuple[str, str] | None = None
        async with gate:
            for row in rows:
                try:
                    result, run_id = await self._tell(row)
                except TropaError as error:
                    log.warning(
                        "could not tell Temporal; trying again",
                        extra={"enrollment": row["enrollment"], "error": str(error)},
                    )
                    return done, run, row["enrollment"]
                except Exception:  # one walk that cannot be told must not hold back the others
                    log.exception("telling Temporal failed; trying again", extra={"enrollment": row["enrollment"]})
                    return done, run, row["enrollment"]
                done.append((row["id"], result))
                if run_id:
                    run = (row["enrollment"], run_id)
        return done, run, None

    async def _tell(self, row: RowMapping) -> tuple[str, str | None]:
        match row["kind"]:
            case "start":
                return await self._start(row)
            case "cancel":
                return await self._walks.cancel(row["enrollment"], row["payload"].get("reason", "")), None
            case kind:
                return await self._walks.signal(row["enrollment"], kind, row["payload"] or None), None

    async def _start(self, row: RowMapping) -> tuple[str, str | None]:
        if row["ended_at"]:
            return "ended first", None
        plan = self._catalogue.journey(row["journey"]).plan
        enrollment = Enrollment(
            id=row["enrollment"],
            customer=row["customer"],
            about=self._surrogates.of(row["about"]) if row["about"] else "",
            options={
                # In the order in which they are declared, for those who read it in the Web UI.
                option.name: row["options"][option.name]
                for option in describe(plan.options)
                if option.name in row["options"]
            },
            started_at=row["started_at"],
            anchor=self._pace.anchor,
            pace=self._pace.pace,
            cause=row["cause"],
        )
        run = await self._walks.start(
            row["journey"], enrollment, cause=row["cause"], priority=plan.priority, stage=row["stage"]
        )
        return "started", run
