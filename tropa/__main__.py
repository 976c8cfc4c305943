"""The command line."""

import asyncio
from typing import Annotated, Literal

import typer

from adapters.settings import Settings
from domain.errors import TropaError
from domain.touchpoints import Touchpoint
from tropa import logs
from tropa.code_commands import code
from tropa.data_commands import data, products

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Customer journeys.")
keys = typer.Typer(no_args_is_help=True, help="API keys, and the key for browser notifications.")
app.add_typer(keys, name="keys")
app.add_typer(code)
app.add_typer(data)
app.add_typer(products, name="products")


@app.command()
def up() -> None:
    """Start everything on this machine: PostgreSQL, Temporal with its Web UI, worker, API. Ctrl-C stops it."""
    from tropa.up import up as run_up

    _leave(run_up(Settings.read(), say=typer.echo))


@app.command()
def demo() -> None:
    """Watch 200 invented customers walk their journeys, a day in five seconds. DEMO_SECONDS=60 stops by itself."""
    from tropa.demo import demo as run_demo

    _leave(run_demo(Settings.read(), say=typer.echo))


@app.command()
def worker() -> None:
    """Serve walks and pump events, against TROPA_DATABASE_URL and TROPA_TEMPORAL_ADDRESS."""
    from tropa import running

    logs.set_up()
    settings = Settings.read()
    running.run(lambda: running.worker(settings))


@app.command()
def api() -> None:
    """Serve the API and the pages, against TROPA_DATABASE_URL and TROPA_TEMPORAL_ADDRESS."""
    from tropa import running

    logs.set_up()
    settings = Settings.read()
    running.run(lambda: running.api(settings), loop=running.HTTP_LOOP)


@app.command()
def migrate() -> None:
    """Bring TROPA_DATABASE_URL to this release's schema."""
    from tropa.migrate import migrate as run_migrate

    run_migrate(_database_url())
    typer.echo("The database is up to date.")


@app.command("journeys")
def show_journeys(
    touchpoints: Annotated[bool, typer.Option("--map", help="The touchpoint map: a row for each message")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --map: for programs")] = False,
) -> None:
    """What journeys there are, what starts them, and how many walk them now or have ended."""
    from tropa import commands, printing

    async def read_map() -> list[Touchpoint]:
        async with commands.opened(Settings.read()) as house:
            return await commands.touchpoint_map(house)

    if touchpoints:
        rows = asyncio.run(read_map())
        typer.echo(printing.touchpoints_json(rows)) if as_json else printing.touchpoints(rows)
        return
    if as_json:
        raise typer.BadParameter("--json goes with --map")

    async def read() -> list[commands.JourneyRow]:
        async with commands.opened(Settings.read()) as house:
            return await commands.journeys(house)

    printing.journeys(asyncio.run(read()))


@app.command("timeline")
def show_timeline(
    customer: Annotated[str, typer.Argument(help="The company's own id of the customer")],
    locale: Annotated[Literal["en", "ru"] | None, typer.Option(help="Language; the installation's by default")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many of the newest entries")] = 50,
) -> None:
    """Why did they get this, why not that: what happened and what was decided, oldest first, in their own time."""
    from tropa import commands, printing

    async def read() -> commands.Told:
        async with commands.opened(settings := Settings.read()) as house:
            return await commands.timeline(house, customer, locale=locale or settings.locale, limit=limit)

    printing.timeline(asyncio.run(read()))


@app.command("enroll")
def enroll_by_hand(
    journey: str,
    customer: Annotated[str, typer.Argument(help="The company's own id of the customer")],
    about: Annotated[str, typer.Option(help="Which cart, order or deal, where the journey is about one")] = "",
    option: Annotated[list[str] | None, typer.Option(help="name=value, for this walk alone; may be repeated")] = None,
) -> None:
    """Enter a customer into a journey and print the enrollment's id; a worker starts the walk."""
    from tropa import commands

    async def enter() -> str:
        options = commands.parsed_options(option or [])
        async with commands.opened(Settings.read()) as house:
            return await commands.enroll(house, journey, customer, about=about, options=options)

    typer.echo(asyncio.run(enter()))


@app.command("sweep")
def sweep_now() -> None:
    """Sweep now rather than tonight: who fell silent, birthdays, RFM. Prints what was found; may be repeated."""
    from tropa import commands, printing

    printing.swept(asyncio.run(commands.sweep(Settings.read(), say=lambda words: typer.echo(words, err=True))))


@app.command("doctor")
def look_around(
    domain: Annotated[str, typer.Argument(help="With --domain: which; that of TROPA_MAIL_FROM by default")] = "",
    of_domain: Annotated[bool, typer.Option("--domain", help="Look at the mail domain's DNS instead")] = False,
    selector: Annotated[str, typer.Option(help="With --domain: the relay's DKIM key, if it signs")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="For programs")] = False,
) -> None:
    """What is stuck, overdue, unknown or held, and the next step. Exit code: 0 well, 1 look at it, 2 broken."""
    from tropa import commands, printing

    if of_domain:
        from tropa.domain_check import diagnose_domain

        found = asyncio.run(diagnose_domain(Settings.read(), domain, selector=selector))
    elif domain or selector:
        raise typer.BadParameter("a domain or a selector is looked at with --domain")
    else:
        found = asyncio.run(commands.diagnose(Settings.read()))
    if as_json:
        typer.echo(printing.diagnosis_json(found))
    else:
        printing.diagnosis(found)
    raise typer.Exit(found.exit_code)


@app.command("telegram")
def listen_to_telegram() -> None:
    """Tell Telegram where this installation listens: once, and after each change of token or TROPA_PUBLIC_URL."""
    from tropa.telegram import listen

    typer.echo(f"Telegram reports to {asyncio.run(listen(Settings.read()))}")


@keys.command("create")
def create_key(
    name: str,
    scope: Annotated[list[str], typer.Option(help="Repeat for several; see docs/operate.md")],
) -> None:
    """Create an API key and print it, this once."""
    from tropa.keys import create

    typer.echo(asyncio.run(create(_database_url(), name, scope)))


@keys.command("vapid")
def create_vapid_key() -> None:
    """Print a new private key for browser notifications. With another one, every browser must subscribe again."""
    from adapters.vapid import new_private_key

    typer.echo(f"TROPA_VAPID_PRIVATE_KEY={new_private_key()}")


@keys.command("revoke")
def revoke_key(key_id: str) -> None:
    """Revoke an API key by the id in its name: tropa_ID_…"""
    from tropa.keys import revoke

    asyncio.run(revoke(_database_url(), key_id))
    typer.echo(f"Revoked {key_id}; it stops working within 5 seconds.")


def _database_url() -> str:
    """The database of the settings, or of the embedded server that `tropa up` runs here."""
    from tropa.up import database_url

    return database_url(Settings.read())


def _leave(code: int) -> None:
    from tropa.leaving import leave

    leave(code)


def command_line() -> None:
    """Run the command line; what Tropa raises on purpose is told in its own words. Raises SystemExit."""
    try:
        app()
    except TropaError as error:
        typer.echo(str(error), err=True)
        raise SystemExit(1) from None


def main() -> None:
    """The program: run the command line and leave with its code, which an interpreter on its way out may change."""
    try:
        command_line()
    except SystemExit as left:
        _leave(left.code if isinstance(left.code, int) else int(left.code is not None))


if __name__ == "__main__":
    main()
