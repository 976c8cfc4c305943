"""A product file from the terminal, with a bar that shows how far it has come."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from adapters.settings import Settings
from services.products import Imported
from tropa import commands

CHUNK = 256 * 1024
SHOWN = 20  # problems


async def take_in(settings: Settings, file: Path, size: int) -> int:
    """Keep the good rows of a file of so many bytes and print what became of it.

    Answers the exit code: 1 when a row was not taken.
    """
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn(), console=console
    )
    async with commands.opened(settings) as house:
        with bar:
            task = bar.add_task(file.name, total=size)

            def seen(so_far: Imported) -> None:
                bar.update(task, description=f"{file.name}: {so_far.stored + so_far.unchanged} products")

            taken = await house.products.take_csv(
                _chunks(file, lambda count: bar.advance(task, count)),
                seen=seen,
            )
    _tell(Console(), taken)
    return 1 if taken.rejected else 0


async def _chunks(file: Path, read: Callable[[int], None]) -> AsyncIterator[bytes]:
    with file.open("rb") as opened:
        while chunk := opened.read(CHUNK):
            yield chunk
            read(len(chunk))


def _tell(console: Console, taken: Imported) -> None:
    console.print(f"{taken.stored} products are new or changed, {taken.unchanged} were known as they are.")
    for line, problem in taken.problems[:SHOWN]:
        console.print(f"line {line}: {problem}", style="yellow", markup=False, highlight=False, soft_wrap=True)
    if taken.rejected > SHOWN:
        console.print(f"… and {taken.rejected - SHOWN} more rows.", style="yellow")
    if taken.rejected:
        console.print(f"{taken.rejected} rows were not taken. Mend them and run it again.", style="yellow")
