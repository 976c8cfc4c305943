"""`tropa up`: the whole product on one machine, and what to open."""

import asyncio
from collections.abc import Callable

from adapters.settings import Settings
from domain.errors import Misconfigured
from services.keys import console_link
from tropa import keys
from tropa.embedded.files import EmbeddedError
from tropa.embedded.postgres import EmbeddedPostgres
from tropa.embedded.supervisor import Supervisor
from tropa.stack import Addresses, start

EVENT = '{"events":[{"event_id":"first-1","customer_id":"anna","name":"order_placed"}]}'
PROFILE = (
    '{"email":"anna@example.com","timezone":"Europe/Berlin","attributes":{"first_name":"Anna"},'
    '"consents":{"email":{"status":"granted","source":"readme"}}}'
)


def up(settings: Settings, *, say: Callable[[str], None]) -> int:
    """Start all, say what to open, and stay until a signal. Answers the exit code."""
    try:
        with Supervisor(settings.home, say=say) as supervisor:
            say("Starting Tropa ...")
            addresses = start(supervisor, settings, say=say)
            key = asyncio.run(keys.own(addresses.database, settings.home))
            welcome(settings, addresses, key, say=say)
            supervisor.wait()
            say("Stopping ...")
    except EmbeddedError as error:
        say(str(error))
        return 1
    return 0


def welcome(settings: Settings, addresses: Addresses, key: str, *, say: Callable[[str], None]) -> None:
    """What to open and what to try."""
    secrets = [secret.get_secret_value() for secret in settings.secrets]
    say(f"""
Tropa is up. Open

  Console       {console_link(secrets, addresses.api)}
  API           {addresses.api}/docs
  Temporal      {addresses.temporal_ui or addresses.temporal}
  Worker        {addresses.metrics}

Try, with the key kept in {settings.home}/api-key

  export TROPA_KEY={key}
  curl -X PUT {addresses.api}/v1/customers/anna -H "Authorization: Bearer $TROPA_KEY" \\
    -H 'Content-Type: application/json' -d '{PROFILE}'
  curl {addresses.api}/v1/events -H "Authorization: Bearer $TROPA_KEY" \\
    -H 'Content-Type: application/json' -d '{EVENT}'

Logs are in {settings.home}/logs. Ctrl-C stops what this started.
""")


def database_url(settings: Settings) -> str:
    """The database to work on from another terminal. Raises Misconfigured when nothing runs here."""
    if settings.database_url:
        return settings.database_url
    server = EmbeddedPostgres(settings.home)
    if not server.answers():
        raise Misconfigured("No database: set TROPA_DATABASE_URL, or run `tropa up` in another terminal first.")
    return server.url()
