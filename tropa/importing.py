"""`tropa import`: a file's rows on their way into the database, with a bar that says how far."""

import io
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from adapters.csv_writing import written
from adapters.database import imports
from api.reading_imports import read_file
from domain.errors import InvalidInput
from domain.imports import Kind
from services.audit import COMMAND_LINE
from services.customers import Customers
from services.importing import Counts, Importing
from services.importing_customers import ImportedCustomers
from services.intake import Intake
from tropa.wiring import House

CHUNK = 256 * 1024

Problems = Sequence[tuple[int, str, str]]


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What became of a file: counts, and rows that were wrong (line, field, words)."""

    counts: Counts
    problems: Problems


def importing(house: House, intake: Intake) -> Importing:
    """The way in, for the command line and the API alike."""
    people = ImportedCustomers(
        house.database, house.clock, house.surrogates, Customers(house.clock, house.restrictions)
    )
    return Importing(house.database, house.clock, intake, people)


async def run(house: House, kind: Kind, file: Path) -> Imported:
    """Import a file. Raises InvalidInput for one that cannot be read or has other columns."""
    try:
        raw = file.open("rb")
    except OSError as error:
        raise InvalidInput([f"{file}: cannot be opened ({error.strerror})"]) from None
    size = raw.seek(0, io.SEEK_END)
    raw.seek(0)
    with raw, _bar() as bar:
        task, last = bar.add_task(kind.value, total=size, rows=0, wrong=0), Counts()

        async def chunks() -> AsyncIterator[bytes]:
            while chunk := raw.read(CHUNK):
                yield chunk
                bar.advance(task, len(chunk))

        def watch(counts: Counts) -> None:
            nonlocal last
            last = counts
            bar.update(task, rows=counts.rows, wrong=counts.wrong)

        rows = await read_file(kind, chunks(), now=house.clock.now(), zone=house.settings.timezone)
        done = await importing(house, Intake(house.ingest)).run(kind, rows, actor=COMMAND_LINE, watch=watch)
    async with house.database.transaction() as connection:
        wrong = [(row["line"], row["field"], row["problem"]) async for row in imports.problems(connection, done)]
    return Imported(counts=last, problems=wrong)


def write_problems(problems: Problems, file: Path) -> None:
    """The rows that were wrong as CSV."""
    file.write_bytes(written([("line", "field", "problem"), *problems]))


def _bar() -> Progress:
    said = TextColumn("{task.fields[rows]:,} rows, {task.fields[wrong]:,} wrong")
    columns = (TextColumn("{task.description}"), BarColumn(), said, TimeRemainingColumn())
    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
