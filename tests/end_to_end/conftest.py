"""Temporal's real server, for what needs search, cancelling and resetting."""

import contextlib
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from temporalio.client import Client

from adapters.temporal import connect
from domain.clock import Pace
from tests.end_to_end.live import Live
from tests.support.factories import SettableClock, compiled, settings_for
from tropa.embedded.ports import free_port
from tropa.embedded.temporal import EmbeddedTemporal
from tropa.wiring import build
from tropa.worker import build_worker, pumping


@pytest.fixture(scope="session")
def temporal() -> Iterator[EmbeddedTemporal]:
    """One server in memory for the run."""
    with tempfile.TemporaryDirectory(prefix="tropa-") as folder:
        server = EmbeddedTemporal(Path(folder), free_port(), free_port(), in_memory=True)
        server.start()
        yield server
        server.stop()


@pytest.fixture(scope="session")
async def client(temporal: EmbeddedTemporal) -> Client:
    """A client of it."""
    return await connect(temporal.address)


@pytest.fixture
async def live(database_url: str, client: Client) -> AsyncIterator[Live]:
    """Worker and pumps at work, in real time."""
    now = datetime.now(UTC)
    house = await build(settings_for(database_url), clock=SettableClock(now), pace=Pace(anchor=now), library=compiled())
    queue = f"live-{database_url[-8:]}"
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(build_worker(house, client, task_queue=queue))
        await stack.enter_async_context(pumping(house, client, task_queue=queue, reconcile_every=None))
        bench = Live(house, client)
        await bench.is_known()
        yield bench
        await bench.close()
    await house.database.close()
