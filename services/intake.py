"""Intake: requests that come at the same time share a commit, and what the database refuses costs one event alone."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import asyncpg
from sqlalchemy.exc import DBAPIError

from adapters.database.events import NewEvent
from domain.errors import Unavailable
from domain.events import RESTRICTIONS
from services.ingest import Accepted, Ingest

FLUSHERS = 2  # commits under way at once, in one process
A_LOT = 200  # events that wait; from here on a second commit is worth its own cost, below it fewer share each
MOST_TOGETHER = 2000  # events in one commit
ROW_ERRORS = (DBAPIError, asyncpg.PostgresError)
MOST_WAITING = 20_000  # events; whoever comes then is sent away, rather than kept waiting until they give up


@dataclass(kw_only=True)
class Taken:
    """What became of a batch. The lists hold positions."""

    accepted: int = 0
    duplicates: int = 0
    conflicts: list[int] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class _Request:
    batch: Sequence[NewEvent]
    answer: asyncio.Future[Taken]


class Intake:
    """Takes in the requests of one process. Belongs to one event loop."""

    def __init__(self, ingest: Ingest) -> None:
        self._ingest = ingest
        self._waiting: deque[_Request] = deque()
        self._events_waiting = 0
        self._flushers: set[asyncio.Task[None]] = set()

    async def take_in(self, batch: Sequence[NewEvent]) -> Taken:
        """Accept a batch. When this returns it is committed. Raises Unavailable when too many are waiting."""
        if not batch:
            return Taken()
        if any(event.name in RESTRICTIONS for event in batch):
            return await self._alone(batch)  # it waits for its customers' locks, and nobody should wait with it
        if self._events_waiting + len(batch) > MOST_WAITING:
            raise Unavailable("Too many events wait to be stored, and none of these was. Try again shortly.")
        request = _Request(batch, asyncio.get_running_loop().create_future())
        self._waiting.append(request)
        self._events_waiting += len(batch)
        if len(self._flushers) < (FLUSHERS if self._events_waiting >= A_LOT else 1):
            self._flushers.add(asyncio.create_task(self._flush()))
        return await request.answer

    async def _flush(self) -> None:
        while self._waiting:
            requests = self._next()
            try:
                answers = await self._together([request.batch for request in requests])
            except Exception as error:  # theirs, who wait for it
                answers = [error] * len(requests)
            for request, answer in zip(requests, answers, strict=True):
                if request.answer.done():
                    continue  # its caller has gone
                if isinstance(answer, Exception):
                    request.answer.set_exception(answer)
                else:
                    request.answer.set_result(answer)
        # At once, not when the task is seen to be done: whoever comes in between would wait for nobody.
        self._flushers.discard(cast(asyncio.Task[None], asyncio.current_task()))

    def _next(self) -> list[_Request]:
        """The longest waiting, as many as one commit takes."""
        requests = [self._waiting.popleft()]
        events = len(requests[0].batch)
        while self._waiting and events + len(self._waiting[0].batch) <= MOST_TOGETHER:
            requests.append(self._waiting.popleft())
            events += len(requests[-1].batch)
        self._events_waiting -= events
        return requests

    async def _together(self, batches: Sequence[Sequence[NewEvent]]) -> Sequence[Taken | Exception]:
        """One commit for all; or, when the database refuses a row, one for each, so that none fails for another's."""
        try:
            return [_taken(each) for each in await self._ingest.accept_each(batches)]
        except ROW_ERRORS as error:
            if not _blames_a_row(error):
                raise
        return [await self._by_itself(batch) for batch in batches]

    async def _by_itself(self, batch: Sequence[NewEvent]) -> Taken | Exception:
        try:
            return await self._alone(batch)
        except Exception as error:  # told to whom it belongs
            return error

    async def _alone(self, batch: Sequence[NewEvent]) -> Taken:
        """Accept a batch in its own commit; or, when the database refuses a row of it, each event in its own."""
        try:
            return _taken(await self._ingest.accept(batch))
        except ROW_ERRORS as error:
            if not _blames_a_row(error):
                raise
        taken = Taken()
        for position, event in enumerate(batch):
            try:
                one = await self._ingest.accept([event])
            except ROW_ERRORS as error:
                if not _blames_a_row(error):
                    raise
                taken.refused.append(position)
                continue
            taken.accepted += one.accepted
            taken.duplicates += one.duplicates
            taken.conflicts += [position] * len(one.conflicts)
        return taken


def _taken(whole: Accepted) -> Taken:
    return Taken(accepted=whole.accepted, duplicates=whole.duplicates, conflicts=whole.conflicts)


def _blames_a_row(error: Exception) -> bool:
    """SQLSTATE classes 22 (data) and 23 (integrity); anything else is about the server."""
    return str(getattr(getattr(error, "orig", error), "sqlstate", None) or "")[:2] in ("22", "23")
