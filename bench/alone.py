"""What a benchmark needs that runs on a database alone: a server for it, and a place for its figures."""

import argparse
import asyncio
import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.figures import Figure, GateFailed, table
from bench.processor import Processor
from tropa.embedded.postgres import EmbeddedPostgres
from tropa.migrate import migrate

RESULTS = Path(".bench")

Measuring = Callable[[str, Processor, int], Coroutine[Any, Any, Sequence[Figure]]]


def say(line: str) -> None:
    """Progress."""
    print(line, file=sys.stderr, flush=True)


@contextlib.contextmanager
def database() -> Iterator[tuple[str, Processor]]:
    """The address of an empty database with Tropa's tables, in a temporary folder, and its server's processor."""
    with tempfile.TemporaryDirectory(prefix="tropa-bench-") as folder:
        Path(folder).chmod(0o711)  # as root the server runs as another user
        server = EmbeddedPostgres(Path(folder))
        server.ensure()
        try:
            migrate(server.url())
            yield server.url(), Processor(Path(folder))
        finally:
            server.stop()


def measured(name: str, about: str | None, arguments: list[str], measure: Measuring) -> Sequence[Figure]:
    """Measure, of as many invented customers as the arguments say, and keep the figures. None when a gate failed."""
    parser = argparse.ArgumentParser(prog=f"python -m bench.{name}", description=about)
    parser.add_argument("--customers", type=int, default=100_000)
    customers = parser.parse_args(arguments).customers
    try:
        with database() as (url, processor):
            figures = asyncio.run(measure(url, processor, customers))
    except GateFailed as error:
        say(f"bench failed: {error}")
        return ()
    keep(name, figures)
    return figures


def keep(name: str, figures: Sequence[Figure]) -> None:
    """Print the table; write everything as JSON to `.bench/`."""
    print(table(figures))
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{name}-{datetime.now(UTC):%Y-%m-%dT%H-%M-%S}.json"
    machine = {"cpus": os.cpu_count(), "load": os.getloadavg()}
    found = {"machine": machine, "figures": [{**asdict(each), "met": each.met} for each in figures]}
    file.write_text(json.dumps(found, indent=2, default=str) + "\n")
    say(f"all figures are in {file}")
