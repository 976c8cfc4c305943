"""`make bench`: real processes, embedded servers with their own settings, in a temporary folder on free ports.

`python -m bench ingest` measures one part. Progress goes to stderr, a table to stdout, everything as JSON to `.bench/`.
Exit code 1 when a gate failed: an event lost or counted twice, a message not sent exactly once. A missed figure is no
failure: machines differ.
"""

import argparse
import asyncio
import json
import os
import platform
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from adapters.settings import Settings
from bench import bulk, ingest, letters
from bench.alone import RESULTS, say
from bench.figures import Figure, GateFailed, table
from tropa import keys
from tropa.embedded.files import EmbeddedError
from tropa.embedded.ports import free_port
from tropa.embedded.postgres import EmbeddedPostgres
from tropa.embedded.supervisor import Supervisor
from tropa.leaving import leave
from tropa.migrate import migrate
from tropa.running import HTTP_LOOP
from tropa.stack import start

PARTS = ("letters", "ingest", "bulk")


def measure(home: Path, parts: Sequence[str]) -> list[Figure]:
    """These parts, in order. Raises GateFailed and EmbeddedError."""
    settings = Settings(home=home, port=free_port(), temporal_port=free_port(), temporal_ui_port=free_port())
    program, mail, noop, port = [sys.executable, "-m"], free_port(), free_port(), free_port()
    noop_base, base = f"http://127.0.0.1:{noop}", f"http://127.0.0.1:{port}"
    supervisor = Supervisor(home, say=say)
    with supervisor:
        say("starting PostgreSQL, Temporal, worker and API ...")
        walking = {"TROPA_SMTP_URL": f"smtp://127.0.0.1:{mail}", "TROPA_JOURNEYS": "WelcomeChain"}
        here = start(supervisor, settings, say=say, env=walking)
        supervisor.start("floor worker", [*program, "bench.floors", "worker", here.temporal])
        supervisor.start("floor api", [*program, "bench.floors", "api", str(noop)], ready=f"{noop_base}/docs")
        # Events that are only taken in have a database without a worker: projecting them would take its share.
        server = EmbeddedPostgres(home)
        server.create_database("ingest")
        database = server.url("ingest")
        migrate(database)
        env = {"TROPA_DATABASE_URL": database, "TROPA_TEMPORAL_ADDRESS": here.temporal, "TROPA_PORT": str(port)}
        supervisor.start("ingest api", [*program, "tropa", "api"], env, ready=f"{base}/health/ready")
        key = asyncio.run(keys.own(here.database, home))
        other = asyncio.run(keys.create(database, "bench", ["events:write"]))

        server.create_database("bulk")
        crowd = server.url("bulk")
        migrate(crowd)
        supervisor.start("bulk worker", [*program, "bench.bulk", crowd, here.temporal])

        async def run() -> list[Figure]:
            found: list[Figure] = []
            if "letters" in parts:
                async with letters.mailbox(mail) as mailbox:
                    found += await letters.measure(here.api, key, here.temporal, _bare(here.database), mailbox, say)
            if "ingest" in parts:
                found += await ingest.measure(base, other, noop_base, _bare(database), say)
            if "bulk" in parts:
                found += await bulk.measure(crowd, here.temporal, say)
            return found

        signal.signal(signal.SIGINT, signal.default_int_handler)  # Ctrl-C ends the measuring, too
        with asyncio.Runner(loop_factory=HTTP_LOOP) as runner:
            return runner.run(run())
    raise KeyboardInterrupt  # the supervisor was asked to stop, and ended its block quietly


def main() -> int:
    """Run it; answers the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="How fast Tropa is, against bare floors.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all by default")
    parts = parser.parse_args().parts or PARTS
    if unknown := sorted(set(parts) - set(PARTS)):
        parser.error(f"no part is called {unknown[0]!r}; there are {', '.join(PARTS)}")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tropa-bench-") as folder:
        Path(folder).chmod(0o711)  # as root the server runs as another user
        try:
            figures = measure(Path(folder) / "home", parts)
        except (GateFailed, EmbeddedError) as error:
            say(f"bench failed: {error}")
            return 1
        except KeyboardInterrupt:
            return 130
    print(table(figures))
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%S}.json"
    result = {
        "seconds": round(time.monotonic() - began, 1),
        "machine": {"cpus": os.cpu_count(), "load": os.getloadavg(), "python": platform.python_version()},
        "figures": [{**asdict(each), "met": each.met} for each in figures],
    }
    file.write_text(json.dumps(result, indent=2) + "\n")
    say(f"{result['seconds']} s; all figures are in {file}")
    return 0


def _bare(url: str) -> str:
    return url.replace("+asyncpg", "")


if __name__ == "__main__":
    leave(main())
