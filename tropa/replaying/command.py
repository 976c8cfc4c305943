"""`tropa replay`: who of those who walk now would break, were this code deployed. It reads, and changes nothing."""

import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from temporalio.client import Client, WorkflowHistory

from adapters.settings import Settings
from adapters.temporal import TASK_QUEUE, connect
from domain.errors import Misconfigured, NotFound
from tropa.embedded.temporal import address_of
from tropa.replaying.findings import Findings
from tropa.replaying.judging import Judge, has_ended, journey_of
from tropa.replaying.walks import Running, by_lot, counted, fetched, in_folder, read, running

Step = Callable[[], None]


async def replay_running(
    client: Client, *, journey: str = "", sample: int | None = None, task_queue: str = TASK_QUEUE, judge: Judge
) -> Findings:
    """Look at what runs now; with `sample`, at so many of each journey at most. Raises Unavailable."""
    walks = await running(client, task_queue=task_queue, journey=journey)
    chosen = walks if sample is None else by_lot(walks, sample)
    return await look(client, chosen, judge, found=counted(walks))


async def look(client: Client, walks: list[Running], judge: Judge, *, found: Counter[str] | None = None) -> Findings:
    """Look at these walks, of those that there are. Raises Unavailable."""
    ended = 0
    with _bar(len(walks)) as step:

        async def histories() -> AsyncIterator[WorkflowHistory]:
            nonlocal ended
            async for history in fetched(client, walks):
                step()
                if history is None or has_ended(history):
                    ended += 1
                else:
                    yield history

        return await _judged(judge, histories(), lambda: ended, found or counted(walks))


async def replay_folder(folder: Path, *, journey: str = "", judge: Judge) -> Findings:
    """Look at the histories of a folder, closed ones too. Raises InvalidInput."""
    files = in_folder(folder)
    found: Counter[str] = Counter()
    with _bar(len(files)) as step:

        async def histories() -> AsyncIterator[WorkflowHistory]:
            for history in _read(files, journey):
                found[journey_of(history)] += 1
                yield history
                step()

        return await _judged(judge, histories(), lambda: 0, found)


async def replay(settings: Settings, *, journey: str, histories: Path | None, sample: int | None) -> Findings:
    """Look where these settings say. Raises Misconfigured, Unavailable, InvalidInput and NotFound."""
    logging.getLogger("temporalio").setLevel(logging.CRITICAL)  # what breaks is told by the findings
    judge = Judge()
    if histories:
        found = await replay_folder(histories, journey=journey, judge=judge)
    else:
        found = await replay_running(await connected(settings), journey=journey, sample=sample, judge=judge)
    if journey and not found.found and journey not in judge.known:  # a slip of the pen is no good news
        raise NotFound("journey", f"{journey} (there are: {', '.join(sorted(judge.known))})")
    return found


async def connected(settings: Settings) -> Client:
    """Temporal, where these settings or `tropa up` have it. Raises Misconfigured and Unavailable."""
    address = settings.temporal_address or address_of(settings.home)
    if not address:
        raise Misconfigured("Nothing here says where Temporal is: set TROPA_TEMPORAL_ADDRESS, or give --histories.")
    return await connect(address, namespace=settings.temporal_namespace)


async def _judged(
    judge: Judge, histories: AsyncIterator[WorkflowHistory], ended: Callable[[], int], found: Counter[str]
) -> Findings:
    replayed: Counter[str] = Counter()
    breaks = []
    async for each in judge.judge(histories):
        replayed[each.journey] += 1
        if each.broken:
            breaks.append(each.broken)
    return Findings(found=found, replayed=replayed, ended=ended(), breaks=breaks)


def _read(files: Iterable[Path], journey: str) -> Iterator[WorkflowHistory]:
    return (history for history in map(read, files) if journey in ("", journey_of(history)))


@contextmanager
def _bar(total: int) -> Iterator[Step]:
    columns = (TextColumn("Replaying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=total)
        yield lambda: bar.advance(task)
