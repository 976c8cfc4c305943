"""docs/change-a-live-journey.md is played from top to bottom: its commands are typed, and say what the page says."""

import inspect
import itertools
import json
import re
import textwrap
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.worker import Worker

from adapters.releases import Releases
from adapters.temporal import TASK_QUEUE
from tests.end_to_end.live import Live, walking
from tests.support.altered_journey import AlteredWelcomeChain
from tests.support.changed_journey import CarefulTrial
from tests.support.typing_commands import Tropa
from tropa.embedded.temporal import EmbeddedTemporal
from tropa.replaying.walks import running
from tropa.worker import build_worker
from workflows.toolkit import Journey

PAGE = (Path(__file__).parent.parent.parent / "docs" / "change-a-live-journey.md").read_text(encoding="utf-8")


def transcripts() -> Iterator[list[tuple[str, str]]]:
    """Each block's commands, with what they print."""
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL):
        yield [(each.partition("\n")[0], each.partition("\n")[2]) for each in re.split(r"^\$ ", block, flags=re.M)[1:]]


def says(told: str, written: str) -> bool:
    """Whether that was printed; … on a line of its own stands for any lines."""
    lines = (".*?" if line.strip() == "…" else re.escape(line + "\n") for line in written.strip().splitlines())
    return re.fullmatch("".join(lines), told.strip() + "\n", re.DOTALL) is not None


class Operator:
    """Types what the page says, beside an old worker on which Anna walks."""

    def __init__(self, live: Live, tropa: Tropa, workers: AsyncExitStack) -> None:
        self.live, self._tropa, self._stack, self._code = live, tropa, workers, 0
        self._workers: dict[str, Worker] = {}
        self.releases = Releases(live.client, TASK_QUEUE)

    async def starts(self, release: str, *also: type[Journey]) -> None:
        """A worker, and wait until Temporal knows it."""
        worker = build_worker(self.live.house, self.live.client, task_queue=TASK_QUEUE, release=release, also=also)
        self._workers[release] = await self._stack.enter_async_context(worker)

        async def asks() -> bool:
            return any(each.workers for each in await self.releases.all() if each.name == release)

        await self.live.until(asks)

    async def types(self, command: str, written: str) -> None:
        """What is printed must be what is written."""
        if worker := re.fullmatch(r"TROPA_RELEASE=(\w+) tropa worker &", command):
            await self.starts(worker[1])
        elif command == "echo $?":
            assert written.strip() == str(self._code)
        elif stopping := re.fullmatch(r"(.*) && kill \$WORKER_(\w+)", command):
            await self.types(stopping[1], written)
            assert self._code == 0
            await self._workers[stopping[2].lower()].shutdown()
        else:
            if staying := re.search(r"(\d+) walks? stays?|nobody stays", written):
                await self.live.until(lambda: self.are_held(int(staying[1] or 0)))
            self._code, told, complained = await self._tropa(*command.split()[1:])
            assert says(told, written), f"$ {command}\n{told}{complained}"

    async def are_held(self, number: int) -> bool:
        """As far as Temporal counts them, which takes a moment."""
        return [each.held for each in await self.releases.all() if not each.current] == [number]


async def waits(live: Live) -> bool:
    """Whether Anna's walk waits, as far as Temporal lists it, which takes a moment."""
    walks = await running(live.client, task_queue=TASK_QUEUE)
    if not walks:
        return False
    history = await live.client.get_workflow_handle(walks[0].id).fetch_history()
    return any(event.HasField("timer_started_event_attributes") for event in history.events)


@pytest.fixture
async def live(database_url: str, client: Client) -> AsyncIterator[Live]:
    """On the queue of the commands; its workers are started by the test."""
    async with walking(database_url, client, workers=0, task_queue=TASK_QUEUE) as bench:
        yield bench


async def test_its_commands_do_what_it_says(
    live: Live, temporal: EmbeddedTemporal, tropa: Tropa, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TROPA_TEMPORAL_ADDRESS", temporal.address)
    *transcript, last = transcripts()
    async with AsyncExitStack() as workers:
        operator = Operator(live, tropa, workers)
        await operator.starts("one", AlteredWelcomeChain)
        await operator.releases.make_current("one")
        await live.does("order_placed")
        await live.until(lambda: waits(live))

        for command, written in itertools.chain(*transcript):
            await operator.types(command, written)
        await live.does("activated")
        for command, written in last:
            await operator.types(command, written)
        told = json.loads((await tropa("doctor", "--json"))[1])

    assert (await live.enrollment())["outcome"] == "converted"
    assert told["temporal"] == "ok"
    assert not [each for each in told["findings"] if "worker" in each["name"]]


async def test_a_release_that_there_is_not_is_told(
    live: Live, temporal: EmbeddedTemporal, tropa: Tropa, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TROPA_TEMPORAL_ADDRESS", temporal.address)

    code, _, complained = await tropa("releases", "nine")

    assert code == 2 and "nine" in complained


def test_its_code_is_that_of_the_walks_that_follow() -> None:
    """test_releases.py walks it."""
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)

    assert code in textwrap.dedent(inspect.getsource(CarefulTrial.run)).replace("\n    ", "\n")
