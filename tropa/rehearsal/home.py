"""Where a rehearsal lives: a scratch database, in the embedded server that runs here or in one of its own."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from adapters.channels.sandbox import SandboxGateway
from adapters.crm.none import NoCrm
from adapters.database.connection import Database
from adapters.settings import Settings
from adapters.templates import MessageLibrary
from domain.clock import Pace
from domain.errors import Unavailable
from domain.messages import Channel
from tropa.embedded.files import EmbeddedError
from tropa.embedded.postgres import EmbeddedPostgres
from tropa.migrate import migrate
from tropa.rehearsal.ground import Ground, HeldClock
from tropa.wiring import build

THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "32MB"}

Say = Callable[[str], None]


@contextlib.contextmanager
def scratch_database(settings: Settings, *, say: Say) -> Iterator[str]:
    """The address of a migrated database of the rehearsal's own. `say` hears what takes seconds. Raises Unavailable."""
    try:
        with _server(settings, say) as server:
            name = f"rehearsal_{uuid4().hex[:12]}"
            say("Building the tables ...")
            server.create_database(name)
            try:
                migrate(server.url(name))
                yield server.url(name)
            finally:
                server.drop_database(name)
    except EmbeddedError as error:
        raise Unavailable(f"A rehearsal needs a database for itself, and PostgreSQL does not start: {error}") from None


@contextlib.contextmanager
def _server(settings: Settings, say: Say) -> Iterator[EmbeddedPostgres]:
    running = EmbeddedPostgres(settings.home)
    if running.answers():
        yield running
        return
    say("Starting a PostgreSQL for this rehearsal ...")
    with tempfile.TemporaryDirectory(prefix="tropa-rehearsal-") as folder:
        Path(folder).chmod(0o711)  # as root the server runs as another user
        server = EmbeddedPostgres(Path(folder), settings=THROWAWAY)
        server.ensure()
        try:
            yield server
        finally:
            server.stop()


@contextlib.asynccontextmanager
async def ground(
    settings: Settings,
    url: str,
    start: datetime,
    starting: str,
    *,
    language: str = "en",
    library: MessageLibrary | None = None,
) -> AsyncIterator[Ground]:
    """The ground on a scratch database. Its house reaches nobody: every channel is the sandbox, and there is no CRM.

    `starting` are the journeys that events start, with commas between; `language` is that of the staff; `library`
    are the messages, if they were read already.
    """
    own = settings.model_copy(
        update={
            "database_url": url,
            "environment": "development",
            "pace": 1.0,
            "journeys": starting,
            "locale": language[:2],
        }
    )
    clock, outbox = HeldClock(start), Database(url, pool_size=2)
    house = await build(
        own,
        clock=clock,
        pace=Pace(anchor=start),
        gateways={channel: SandboxGateway(channel, outbox, clock) for channel in Channel},
        crm=NoCrm(),
        library=library,
    )
    try:
        yield Ground(house, clock)
    finally:
        await asyncio.gather(house.close(), outbox.close())
