"""What to replay: the walks that Temporal runs now, or histories that lie in a folder."""

import asyncio
import hashlib
import heapq
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from temporalio.client import Client, WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode

from domain.errors import InvalidInput, Unavailable
from tropa.replaying.judging import journey_of

AT_ONCE = 8  # histories that are fetched while one is replayed
PAGE = 500


@dataclass(frozen=True, kw_only=True)
class Running:
    """A walk that Temporal runs."""

    id: str
    run: str
    journey: str


async def running(client: Client, *, task_queue: str, journey: str = "") -> list[Running]:
    """All of them, or those of a journey. Raises Unavailable."""
    query = f"ExecutionStatus = 'Running' AND TaskQueue = '{task_queue}'"
    query += f" AND WorkflowType = '{journey}'" if journey else ""
    try:
        return [
            Running(id=each.id, run=each.run_id, journey=each.workflow_type)
            async for each in client.list_workflows(query, page_size=PAGE)
        ]
    except RPCError as error:
        raise Unavailable(f"Temporal does not tell what runs ({error.status.name}).") from error


def by_lot(walks: Iterable[Running], sample: int) -> list[Running]:
    """At most so many of each journey: the same ones whenever the same walk, and of every age."""
    of: dict[str, list[Running]] = {}
    for walk in walks:
        of.setdefault(walk.journey, []).append(walk)

    def lot(walk: Running) -> str:
        return hashlib.sha256(walk.run.encode()).hexdigest()

    return [walk for each in of.values() for walk in heapq.nsmallest(sample, each, key=lot)]


async def fetched(client: Client, walks: Iterable[Running]) -> AsyncIterator[WorkflowHistory | None]:
    """Their histories in order, several at a time, each page by page; None where there is none any more.

    Raises Unavailable.
    """

    async def fetch(walk: Running) -> WorkflowHistory | None:
        try:
            return await client.get_workflow_handle(walk.id, run_id=walk.run).fetch_history()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise Unavailable(f"Temporal does not give the history of {walk.id} ({error.status.name}).") from error

    under_way: deque[asyncio.Task[WorkflowHistory | None]] = deque()
    try:
        for walk in walks:
            under_way.append(asyncio.create_task(fetch(walk)))
            if len(under_way) == AT_ONCE:
                yield await under_way.popleft()
        while under_way:
            yield await under_way.popleft()
    finally:
        for task in under_way:
            task.cancel()


def in_folder(folder: Path) -> Sequence[Path]:
    """The histories in a folder and its folders, as Temporal's own tools write them. Raises InvalidInput."""
    files = sorted(folder.rglob("*.json")) if folder.is_dir() else []
    if not files:
        raise InvalidInput([f"histories: there is no .json file in {folder}"])
    return files


def read(file: Path) -> WorkflowHistory:
    """A history of a file, called by it. Raises InvalidInput."""
    try:
        history = WorkflowHistory.from_json(str(file), file.read_text(encoding="utf-8"))
        if journey_of(history):
            return history
    except Exception as error:  # whatever protobuf, JSON and the SDK raise
        raise InvalidInput([f"{file}: is no history of a workflow ({type(error).__name__})"]) from None
    raise InvalidInput([f"{file}: is no history of a workflow (it has no beginning)"])


def counted(walks: Iterable[Running]) -> Counter[str]:
    """How many of each journey."""
    return Counter(walk.journey for walk in walks)
