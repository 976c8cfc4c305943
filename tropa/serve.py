"""Fills what the API needs from the house."""

from collections.abc import Awaitable, Callable

from alembic.script import ScriptDirectory
from fastapi import FastAPI

from api.app import create_app
from api.needs import Needs
from domain.policy import ContactPolicy
from services.customers import Customers
from services.keys import Keys, Sessions
from services.opting_out import OptingOut
from services.timeline import Timeline
from services.watching import Watching
from tropa.migrate import configuration
from tropa.wiring import House


def api_app(house: House, *, temporal: Callable[[], Awaitable[bool]] | None = None) -> FastAPI:
    """The API on a house. `temporal` asks Temporal whether it is well; None reports nothing of it."""
    settings = house.settings
    head = ScriptDirectory.from_config(configuration("")).get_current_head() or ""
    secrets = [secret.get_secret_value() for secret in settings.secrets]
    return create_app(
        Needs(
            database=house.database,
            clock=house.clock,
            catalogue=house.catalogue,
            ingest=house.ingest,
            customers=Customers(house.clock, house.restrictions),
            timeline=Timeline(settings.timezone),
            enrolling=house.enrolling,
            letters=house.letters,
            opting_out=OptingOut(house.database, house.clock, house.links, house.ingest),
            keys=Keys(house.database),
            sessions=Sessions(secrets),
            watching=Watching(house.database, head, temporal),
            policy=ContactPolicy(),
            company=settings.company,
            locale=settings.locale,
            zone=settings.timezone,
            secure=settings.public_url.startswith("https://"),
        )
    )
