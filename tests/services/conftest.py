"""A bench on an empty database."""

from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest

from adapters.database.connection import Database
from adapters.database.tables import metadata
from adapters.templates import MessageLibrary
from tests.services.bench import Bench, write_messages
from tests.support.factories import SettableClock
from tropa.embedded.postgres import EmbeddedPostgres


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> MessageLibrary:
    """The messages of the tests' own journey."""
    return write_messages(tmp_path_factory.mktemp("templates") / "messages")


@pytest.fixture(scope="session")
def shared_url(postgres: EmbeddedPostgres, template: str) -> Iterator[str]:
    """One database for all these tests: emptying it is much quicker than making another."""
    name = f"shared_{uuid4().hex[:8]}"
    postgres.create_database(name, template)
    yield postgres.url(name)
    postgres.drop_database(name)


@pytest.fixture
async def bench(shared_url: str, clock: SettableClock, library: MessageLibrary) -> AsyncIterator[Bench]:
    """Everything on this test's clock, with providers that do as they are told."""
    database = Database(shared_url)
    async with database.transaction() as connection:
        await connection.exec_driver_sql("SET LOCAL session_replication_role = replica")  # past the audit log's trigger
        await connection.exec_driver_sql(f"TRUNCATE {', '.join(metadata.tables)} RESTART IDENTITY CASCADE")
    yield Bench(database=database, clock=clock, library=library)
    await database.close()


@pytest.fixture
async def own_bench(database_url: str, clock: SettableClock, library: MessageLibrary) -> AsyncIterator[Bench]:
    """As `bench`, on a database of this test's own, for those that change it."""
    database = Database(database_url)
    yield Bench(database=database, clock=clock, library=library)
    await database.close()
