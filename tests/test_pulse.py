"""Liveness tests progress: what hangs is not live; what is busy, idle, or faces a database that is down, is."""

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator
from types import SimpleNamespace

import httpx
import pytest
from temporalio.client import Client

import tropa.pulse
from adapters.releases import Releases
from tropa.embedded.ports import answers, free_port
from tropa.pulse import PATIENCE, Pulse, telling
from tropa.turn import Turn
from tropa.wiring import House
from tropa.worker import Work, pump, pumping


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock of the pulse, in the test's hands."""
    now = [1000.0]
    monkeypatch.setattr(tropa.pulse, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


@contextlib.asynccontextmanager
async def pumped(pulse: Pulse, work: Work) -> AsyncIterator[asyncio.Event]:
    """A pump at work. Setting what this gives wakes it."""
    wake, stopping = asyncio.Event(), asyncio.Event()
    running = asyncio.create_task(pump("trial", work, wake, stopping, pulse))
    await asyncio.sleep(0.01)
    yield wake
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_pump_that_hangs_is_stuck_once_its_patience_is_over(seconds: list[float]) -> None:
    async def hang() -> int:
        await asyncio.Event().wait()
        return 0

    pulse = Pulse()
    async with pumped(pulse, hang):
        seconds[0] += PATIENCE
        early = pulse.stuck()
        seconds[0] += 2

        assert (early, pulse.stuck()) == ([], ["trial"])


async def test_a_pump_that_is_always_busy_is_live(seconds: list[float]) -> None:
    async def busy() -> int:
        seconds[0] += PATIENCE / 2
        await asyncio.sleep(0)
        return 100

    pulse = Pulse()
    async with pumped(pulse, busy):
        for _ in range(20):
            await asyncio.sleep(0)
            assert pulse.stuck() == []
    assert seconds[0] > 1000 + 2 * PATIENCE


async def test_a_pump_that_fails_again_and_again_is_live(seconds: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    """The database is down: a restart would not help, and would only lose what this worker still has in hand."""
    failed = asyncio.Event()

    async def down() -> int:
        failed.set()
        raise ConnectionRefusedError

    monkeypatch.setattr("tropa.worker.POLL", 0.01)
    pulse = Pulse()
    async with pumped(pulse, down):
        for _ in range(3):
            seconds[0] += PATIENCE - 1
            failed.clear()
            await asyncio.wait_for(failed.wait(), 10)
            assert pulse.stuck() == []


async def test_an_idle_pump_is_live_for_as_long_as_it_looks_again(seconds: list[float]) -> None:
    looked = asyncio.Event()

    async def idle() -> int:
        looked.set()
        return 0

    pulse = Pulse()
    async with pumped(pulse, idle) as wake:
        for _ in range(3):
            seconds[0] += PATIENCE - 1
            looked.clear()
            wake.set()
            await asyncio.wait_for(looked.wait(), 10)
            assert pulse.stuck() == []


async def test_a_pump_rests_while_it_is_not_its_turn_and_is_live(monkeypatch: pytest.MonkeyPatch) -> None:
    worked, turn = asyncio.Event(), Turn(Releases(await Client.connect("127.0.0.1:1", lazy=True), "any"), "one")
    turn.ours = False

    async def work() -> int:
        worked.set()
        return 0

    monkeypatch.setattr("tropa.worker.POLL", 0.01)
    pulse = Pulse()
    running = asyncio.create_task(pump("trial", work, asyncio.Event(), asyncio.Event(), pulse, turn=turn))
    await asyncio.sleep(0.1)
    assert (worked.is_set(), pulse.stuck()) == (False, [])

    turn.ours = True
    await asyncio.wait_for(worked.wait(), 10)
    running.cancel()


async def test_a_pump_that_is_told_to_stop_finishes_its_piece_and_begins_no_other() -> None:
    begun, go_on, wake, stopping = asyncio.Event(), asyncio.Event(), asyncio.Event(), asyncio.Event()
    done: list[bool] = []

    async def piece() -> int:
        begun.set()
        await go_on.wait()
        done.append(True)
        return 100

    running = asyncio.create_task(pump("trial", piece, wake, stopping, Pulse()))
    await begun.wait()
    stopping.set()
    wake.set()
    go_on.set()
    await asyncio.wait_for(running, 10)

    assert done == [True]


async def test_pumps_that_have_nothing_to_do_stop_at_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tropa.worker.POLL", 60.0)
    nobody = await Client.connect("127.0.0.1:1", lazy=True)  # there is nothing to tell Temporal
    async with pumping(house, nobody, reconcile_every=None):
        await asyncio.sleep(0.3)  # all have looked, and wait
        before = time.monotonic()

    assert time.monotonic() - before < 5


async def test_the_page_says_live_or_what_is_stuck(seconds: list[float]) -> None:
    pulse, port = Pulse(), free_port()
    pulse.beat("project")
    pulse.beat("dispatch", patience=10 * PATIENCE)
    async with telling(pulse, "127.0.0.1", port), httpx.AsyncClient() as client:
        well = await client.get(f"http://127.0.0.1:{port}/live")
        seconds[0] += PATIENCE + 1
        ill = await client.get(f"http://127.0.0.1:{port}/live")

    assert (well.status_code, well.text) == (200, "live")
    assert (ill.status_code, ill.text) == (503, "stuck: project")


def test_an_event_loop_that_is_stuck_answers_nobody() -> None:
    port, stuck, over = free_port(), threading.Event(), threading.Event()

    async def worker() -> None:
        async with telling(Pulse(), "127.0.0.1", port):
            while not stuck.is_set():
                await asyncio.sleep(0.01)
            over.wait(10)  # not a point at which others could run

    thread = threading.Thread(target=lambda: asyncio.run(worker()))
    thread.start()
    while not answers(port):
        time.sleep(0.01)
    live = httpx.get(f"http://127.0.0.1:{port}/live", timeout=10)
    stuck.set()
    time.sleep(0.1)

    with pytest.raises(httpx.TimeoutException):
        httpx.get(f"http://127.0.0.1:{port}/live", timeout=0.3)
    over.set()
    thread.join()
    assert live.status_code == 200
