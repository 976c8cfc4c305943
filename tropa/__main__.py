"""The command line."""

import asyncio
from typing import Annotated

import typer

from adapters.settings import Settings
from domain.errors import TropaError
from tropa import logs

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Customer journeys.")
keys = typer.Typer(no_args_is_help=True, help="API keys.")
app.add_typer(keys, name="keys")


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
    running.run(lambda: running.api(settings))


@app.command()
def migrate() -> None:
    """Bring TROPA_DATABASE_URL to this release's schema."""
    from tropa.migrate import migrate as run_migrate

    run_migrate(_database_url())
    typer.echo("The database is up to date.")


@keys.command("create")
def create_key(
    name: str,
    scope: Annotated[list[str], typer.Option(help="Repeat for several; see docs/operate.md")],
) -> None:
    """Create an API key and print it, this once."""
    from tropa.keys import create

    typer.echo(asyncio.run(create(_database_url(), name, scope)))


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


def main() -> None:
    """Run the command line; what Tropa raises on purpose is told in its own words."""
    try:
        app()
    except TropaError as error:
        typer.echo(str(error), err=True)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
