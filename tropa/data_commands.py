"""The commands that bring data in and take it out."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from adapters.settings import Settings
from domain.ads import Platform
from domain.imports import Kind

data = typer.Typer()
products = typer.Typer(no_args_is_help=True, help="The shop's product feed.")


@data.command("import")
def import_file(
    kind: Kind,
    file: Annotated[Path, typer.Argument(help="CSV: UTF-8, a header; see docs/enroll-many.md")],
    problems: Annotated[Path | None, typer.Option(help="Where to write the rows that were wrong, as CSV")] = None,
) -> None:
    """Import customers, events or orders from a CSV file. It starts nothing. Exit code: 1 when rows were wrong."""
    from tropa import commands, importing, printing

    async def run() -> importing.Imported:
        async with commands.opened(Settings.read()) as house:
            return await importing.run(house, kind, file)

    found = asyncio.run(run())
    if problems:
        importing.write_problems(found.problems, problems)
    printing.imported(found.counts, found.problems)
    raise typer.Exit(1 if found.counts.wrong else 0)


@data.command("audience")
def write_audience(
    segment: str,
    out: Annotated[Path, typer.Option(help="The file to write: CSV")],
    platform: Annotated[Platform, typer.Option("--for", help="Whose way to write headers and phones")] = Platform.META,
) -> None:
    """Write those of a segment who agreed to ads elsewhere, as hashes that a platform matches."""
    from tropa import commands

    async def write() -> int:
        async with commands.opened(Settings.read()) as house:
            return await commands.audience(house, segment, platform, out)

    typer.echo(f"{asyncio.run(write()):,} customers are in {out}.")


@data.command("erasures")
def list_erasures(
    replay: Annotated[
        Path | None, typer.Option(help="A list printed before: erase them again, after a restore")
    ] = None,
) -> None:
    """Who was erased: keyed surrogates and times, a JSON object a line. Keep it apart from backups."""
    from tropa import commands, erasures

    lines = erasures.read(replay) if replay else None

    async def run() -> list[str]:
        async with commands.opened(Settings.read()) as house:
            return await (erasures.listed(house) if lines is None else erasures.replayed(house, lines))

    for line in asyncio.run(run()):
        typer.echo(line)


@data.command("bounces")
def take_a_bounce() -> None:
    """Take one returned mail from standard input, for a mail server's pipe. Exit code: 75 when it is to try again."""
    from tropa import returned

    raise typer.Exit(asyncio.run(returned.take(sys.stdin.buffer, say=typer.echo)))


@products.command("import")
def import_products(
    file: Annotated[Path, typer.Argument(help="CSV, UTF-8; docs/shop.md has the columns", exists=True, dir_okay=False)],
) -> None:
    """Keep the products of a CSV file. Exit code 1 when some rows were not taken; the others were."""
    from tropa import feeding

    raise typer.Exit(asyncio.run(feeding.take_in(Settings.read(), file, file.stat().st_size)))
