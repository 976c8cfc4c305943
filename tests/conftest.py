"""Infrastructure: a real PostgreSQL with a migrated database for each test, and time that passes at once."""

import contextlib
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.testing import WorkflowEnvironment

from adapters.temporal import DATA_CONVERTER
from domain.clock import Pace
from tests.support.factories import SettableClock, compiled, settings_for
from tests.support.playback import Playback
from tests.support.typing_commands import tropa as tropa  # a fixture
from tropa.embedded.postgres import EmbeddedPostgres
from tropa.migrate import migrate
from tropa.wiring import House, build

FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """One server for the run; durability is tested in `embedded/`, with its own."""
    with tempfile.TemporaryDirectory(prefix="tropa-tests-") as folder:
        Path(folder).chmod(0o711)  # as root the server runs as another user
        server = EmbeddedPostgres(Path(folder), settings=FAST)
        server.ensure()
        yield server
        server.stop()


@pytest.fixture(scope="session")
def template(postgres: EmbeddedPostgres) -> Iterator[str]:
    """A database built by the migrations, to copy from."""
    name = f"template_{uuid4().hex[:8]}"
    postgres.create_database(name)
    migrate(postgres.url(name))
    yield name
    postgres.drop_database(name)


@pytest.fixture
def database_url(postgres: EmbeddedPostgres, template: str) -> Iterator[str]:
    """A database of this test's own."""
    with _a_database(postgres, template) as url:
        yield url


@pytest.fixture
def two_databases(postgres: EmbeddedPostgres, template: str) -> Iterator[tuple[str, str]]:
    """Two of them, to compare."""
    with _a_database(postgres, template) as one, _a_database(postgres, template) as other:
        yield one, other


@contextlib.contextmanager
def _a_database(postgres: EmbeddedPostgres, template: str) -> Iterator[str]:
    name = f"test_{uuid4().hex[:12]}"
    postgres.create_database(name, template)
    yield postgres.url(name)
    postgres.drop_database(name)


@pytest.fixture
def clock() -> SettableClock:
    """Business time, held by the test."""
    return SettableClock(datetime(2026, 3, 2, 10, tzinfo=UTC))


@pytest.fixture
async def house(database_url: str, clock: SettableClock) -> AsyncIterator[House]:
    """Everything, on this test's database and clock, with the sandbox outbox as gateway."""
    pace = Pace(anchor=clock.now())
    built = await build(settings_for(database_url), clock=clock, pace=pace, library=compiled())
    yield built
    await built.database.close()


@pytest.fixture(scope="session")
async def time_skipping() -> AsyncIterator[WorkflowEnvironment]:
    """Temporal's test server: a week passes in milliseconds."""
    program = str(Path(sys.executable).parent / "temporal-test-server")
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=program, data_converter=DATA_CONVERTER
    ) as environment:
        yield environment


@pytest.fixture
async def play(database_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Playback]:
    """A journey's test bench: real classes, real activities, real templates, virtual time.

    Of the journeys that start by themselves, those that the test's module names in JOURNEYS; all, if it names none.
    """
    async with Playback.on(None, database_url, journeys=getattr(request.module, "JOURNEYS", "")) as bench:
        yield bench
