"""`tropa worker` as a process: how it leaves, and whether Temporal still hears it."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from aiosmtpd.smtp import SMTP
from temporalio.client import Client

import tropa.pulse
from adapters.clock import PacedClock
from adapters.temporal import connect
from domain.clock import Pace
from tests.end_to_end.live import Live, walking
from tests.support.factories import compiled, settings_for
from tests.support.mail_server import Mailbox, mail_server
from tropa.embedded.ports import free_port
from tropa.embedded.temporal import EmbeddedTemporal
from tropa.pulse import Pulse, watch_polls
from tropa.wiring import build

Worker = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
async def live(database_url: str, client: Client) -> AsyncIterator[Live]:
    """Anna, on a house whose worker is another process."""
    pace = Pace(anchor=datetime.now(UTC))
    house = await build(settings_for(database_url), clock=PacedClock(pace), pace=pace, library=compiled())
    bench = Live(house, client)
    await bench.is_known()
    yield bench
    await bench.close()
    await house.database.close()


def a_worker(live: Live, **settings: str) -> "subprocess.Popen[bytes]":
    env = {
        **os.environ,
        "TROPA_DATABASE_URL": live.house.settings.database_url or "",
        "TROPA_TEMPORAL_ADDRESS": live.client.service_client.config.target_host,
        **settings,
    }
    return subprocess.Popen([sys.executable, "-m", "tropa", "worker"], env=env, stderr=subprocess.DEVNULL)


async def left(worker: "subprocess.Popen[bytes]", within: float) -> int:
    """Its exit code."""
    return await asyncio.to_thread(worker.wait, within)


async def test_a_worker_that_is_stopped_in_a_call_finishes_and_records_it(live: Live) -> None:
    called, stopped = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    async def slow(server: SMTP) -> str:
        loop.call_soon_threadsafe(called.set)
        while not stopped.is_set():
            await asyncio.sleep(0.05)
        await asyncio.sleep(1)
        return "250 taken"

    mailbox = Mailbox()
    mailbox.at_dot = slow
    with mail_server(mailbox) as address:
        worker = a_worker(live, TROPA_SMTP_URL=f"smtp://{address}")
        await live.does("order_placed")
        await asyncio.wait_for(called.wait(), 60)
        worker.send_signal(signal.SIGTERM)
        stopped.set()
        code = await left(worker, 60)

    assert (code, len(mailbox.letters)) == (0, 1)
    assert await live.rows("SELECT state, rule FROM sends") == [{"state": "accepted", "rule": "accepted"}]
    assert await live.rows("SELECT 1 FROM dispatch_leases") == []


async def test_an_idle_worker_says_that_it_is_live_and_leaves_when_it_is_told(live: Live) -> None:
    port = free_port()
    worker = a_worker(live, TROPA_LIVE_PORT=str(port))

    async def answered() -> bool:
        try:
            async with httpx.AsyncClient() as client:
                return (await client.get(f"http://127.0.0.1:{port}/live")).text == "live"
        except httpx.HTTPError:
            return False

    await live.until(answered, within=60)
    await live.does("order_placed")
    await live.until(live.sent, within=60)
    worker.send_signal(signal.SIGTERM)

    assert await left(worker, 30) == 0


# Whether Temporal hears it -------------------------------------------------------------------------------------------


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock of the pulse, in the test's hands."""
    seconds = [0.0]
    monkeypatch.setattr(tropa.pulse, "time", SimpleNamespace(monotonic=lambda: seconds[0]))
    return seconds


async def stuck_after(seconds: list[float], client: Client, queue: str) -> list[str]:
    """What is stuck after an hour, of which each look at Temporal was a part."""
    pulse = Pulse()
    watching = asyncio.create_task(watch_polls(pulse, client, queue, every=0.05))
    await asyncio.sleep(0.01)
    seconds[0] += 3600
    await asyncio.sleep(2)
    watching.cancel()
    return pulse.stuck()


async def test_a_worker_that_temporal_hears_is_live_and_one_that_it_does_not_hear_is_not(
    database_url: str, client: Client, later: list[float]
) -> None:
    async with walking(database_url, client) as live:
        await live.starts()

        assert await stuck_after(later, client, f"live-{database_url[-8:]}") == []
        assert await stuck_after(later, client, "a queue of nobody's") == ["poll"]


async def test_a_temporal_that_is_down_makes_no_worker_stuck(later: list[float]) -> None:
    with tempfile.TemporaryDirectory(prefix="tropa-") as folder:
        temporal = EmbeddedTemporal(Path(folder), free_port(), free_port(), in_memory=True)
        await asyncio.to_thread(temporal.start)
        client: Any = await connect(temporal.address)
        await asyncio.to_thread(temporal.stop)

        assert await stuck_after(later, client, "any") == []
