"""Temporal's real server, for what needs search, cancelling and resetting."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from temporalio.client import Client

from adapters.temporal import connect
from tests.end_to_end.live import Live, walking
from tropa.embedded.ports import free_port
from tropa.embedded.temporal import EmbeddedTemporal


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
    async with walking(database_url, client) as bench:
        yield bench
