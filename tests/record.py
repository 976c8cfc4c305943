"""`make history JOURNEY=WelcomeChain`: record each story of a journey into `tests/histories/`, to be replayed for ever.

Recorded files are never edited, and deleted only when no such walk can be alive any more.
"""

import asyncio
import sys
import tempfile
from datetime import date
from pathlib import Path

from temporalio.testing import WorkflowEnvironment

from adapters.temporal import DATA_CONVERTER
from tests.support.playback import Playback
from tests.workflows.stories import STORIES
from tropa.embedded.postgres import EmbeddedPostgres
from tropa.leaving import leave
from tropa.migrate import migrate

HISTORIES = Path(__file__).parent / "histories"


async def record(journey: str, server: EmbeddedPostgres, template: str) -> None:
    """Play each story on a database of its own and save the walk's history."""
    program = str(Path(sys.executable).parent / "temporal-test-server")
    environment = await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=program, data_converter=DATA_CONVERTER
    )
    async with environment:
        for name, story in STORIES[journey].items():
            server.create_database(name, template)
            async with Playback.on(environment, server.url(name), journeys=journey) as play:
                await story(play)
                history = await play.history(journey)
                await play.close()
            file = HISTORIES / journey / f"{date.today():%Y-%m-%d}-{name}.json"  # noqa: DTZ011  a file's name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(history.to_json() + "\n")
            print(f"{len(history.events):>4} events  {file.relative_to(HISTORIES.parent.parent)}")


def main(arguments: list[str]) -> int:
    """Record the journey named; answers the exit code."""
    if arguments[:1] not in [[name] for name in STORIES]:
        print(f"Which journey? make history JOURNEY={next(iter(STORIES))}. With stories: {', '.join(STORIES)}")
        return 1
    with tempfile.TemporaryDirectory(prefix="tropa-") as folder:
        Path(folder).chmod(0o711)
        server = EmbeddedPostgres(Path(folder), settings={"fsync": "off"})
        server.ensure()
        try:
            server.create_database("template")
            migrate(server.url("template"))
            asyncio.run(record(arguments[0], server, "template"))
        finally:
            server.stop()
    return 0


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
