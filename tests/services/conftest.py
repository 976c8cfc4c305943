"""A bench on this test's own database."""

from collections.abc import AsyncIterator

import pytest

from adapters.database.connection import Database
from adapters.templates import MessageLibrary
from tests.services.bench import Bench, write_messages
from tests.support.factories import SettableClock


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> MessageLibrary:
    """The messages of the tests' own journey."""
    return write_messages(tmp_path_factory.mktemp("templates") / "messages")


@pytest.fixture
async def bench(database_url: str, clock: SettableClock, library: MessageLibrary) -> AsyncIterator[Bench]:
    """Everything on this test's database and clock, with providers that do as they are told."""
    database = Database(database_url)
    yield Bench(database=database, clock=clock, library=library)
    await database.close()
