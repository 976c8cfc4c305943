"""Temporal's real server, and ground for a storm that is over in a minute."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.kills.ground import Ground, prepared
from tropa.embedded.ports import free_port
from tropa.embedded.postgres import EmbeddedPostgres
from tropa.embedded.temporal import EmbeddedTemporal


@pytest.fixture(scope="module")
def temporal() -> Iterator[EmbeddedTemporal]:
    """One server in memory."""
    with tempfile.TemporaryDirectory(prefix="tropa-") as folder:
        server = EmbeddedTemporal(Path(folder), free_port(), free_port(), in_memory=True)
        server.start()
        yield server
        server.stop()


@pytest.fixture(scope="module")
async def ground(
    postgres: EmbeddedPostgres, template: str, temporal: EmbeddedTemporal, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Ground]:
    """Where workers wait three seconds for what production waits a minute for."""
    name, folder = f"kills_{uuid4().hex[:8]}", tmp_path_factory.mktemp("kills")
    postgres.create_database(name, template)
    async with prepared(
        postgres.url(name), temporal.address, folder / "messages", folder / "workers.log", pace=300, hurry=3
    ) as ground:
        yield ground
    postgres.drop_database(name)
