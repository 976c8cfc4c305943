"""Looking at walks: at what runs now, or at a folder, with a bar that says how far it is."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from temporalio.client import Client, WorkflowHistory

from tropa.replaying.findings import Findings
from tropa.replaying.judging import Judge, has_ended, journey_of
from tropa.replaying.walks import Running, by_lot, counted, fetched, in_folder, read, running

Step = Callable[[], None]


async def replay_running(
    client: Client, *, journey: str = "", sample: int | None = None, task_queue: str, judge: Judge
) -> Findings:
    """Look at what runs now; with `sample`, at so many of each journey at most. Raises Unavailable."""
    walks = await running(client, task_queue=task_queue, journey=journey)
    chosen = walks if sample is None else by_lot(walks, sample)
    return await look(client, chosen, judge, found=counted(walks))


async def look(
    client: Client,
    walks: list[Running],
    judge: Judge,
    *,
    found: Counter[str] | None = None,
    but: Findings | None = None,
) -> Findings:
    """Look at these walks, of those that there are; `but` not at whoever stands where an earlier look saw them replay.

    Raises Unavailable.
    """
    ended = 0
    seen = {each.run: each.events for each in but.judged if not each.broken} if but else {}
    with _bar(len(walks)) as step:

        async def histories() -> AsyncIterator[WorkflowHistory]:
            nonlocal ended
            async for history in fetched(client, walks):
                step()
                if history is None or has_ended(history):
                    ended += 1
                elif seen.get(history.run_id) != len(history.events):
                    yield history

        judged = [each async for each in judge.judge(histories())]
    return Findings(found=found or counted(walks), judged=judged, ended=ended)


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

        return Findings(found=found, judged=[each async for each in judge.judge(histories())])


def _read(files: Iterable[Path], journey: str) -> Iterator[WorkflowHistory]:
    return (history for history in map(read, files) if journey in ("", journey_of(history)))


@contextmanager
def _bar(total: int) -> Iterator[Step]:
    columns = (TextColumn("Replaying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=total)
        yield lambda: bar.advance(task)
