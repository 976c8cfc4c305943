"""What operators ask from a terminal. Each works on the database alone; Temporal need not be up."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import asyncpg
import msgspec
from alembic.script import ScriptDirectory
from sqlalchemy.exc import SQLAlchemyError

from adapters.database import counts, health
from adapters.database.connection import Database
from adapters.releases import Releases
from adapters.settings import Settings
from adapters.temporal import TASK_QUEUE, connect
from domain.ads import Platform
from domain.clock import Clock, Pace
from domain.errors import InvalidInput, Misconfigured, Unavailable
from domain.journey_settings import told_starts
from domain.journeys import Leaving, Outcome
from domain.sweep import Swept
from domain.touchpoints import Touchpoint
from services.audit import COMMAND_LINE
from services.doctor import Doctor, database_down
from services.findings import Diagnosis, Finding
from services.timeline import Entry, Timeline
from services.watching import Watching
from services.workers import without_workers
from tropa.embedded.temporal import PORT, address_of
from tropa.migrate import configuration
from tropa.up import database_url
from tropa.wiring import House, build

LONGEST_NAME = 200  # as in the API
PATIENCE = 10.0  # seconds for a Temporal that somebody listens for


@dataclass(frozen=True, kw_only=True)
class JourneyRow:
    """A journey in one line."""

    name: str
    starts_on: Sequence[str]
    goal: str
    messages: int
    walking: int
    converted: int
    lapsed: int
    exited: int
    left: int


@dataclass(frozen=True, kw_only=True)
class Told:
    """A customer's newest entries, oldest first, with whether there are earlier ones. `zone` is the customer's."""

    entries: Sequence[Entry]
    zone: str
    earlier: bool

    def local(self, at: datetime) -> str:
        """An instant where the customer is."""
        return at.astimezone(ZoneInfo(self.zone)).strftime("%Y-%m-%d %H:%M")


@contextlib.asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[House]:
    """The house on the database that runs here, at its own pace. Raises Misconfigured, and Unavailable when it is down.

    What was done in the block is committed, and the pumps are told, when this ends.
    """
    url = database_url(settings)
    try:
        house = await build(settings.model_copy(update={"database_url": url}), pace=await _pace(url, settings))
        try:
            yield house
        finally:
            await house.database.close()
    except (OSError, SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        why = type(error.__cause__ or error).__name__
        raise Unavailable(f"The database cannot be asked ({why}). Run `tropa doctor`.") from None


async def journeys(house: House) -> list[JourneyRow]:
    """Every journey, what starts it here, and how its walks stand."""
    async with house.database.transaction() as connection:
        settings, counted = await house.catalogue.settings(connection), await counts.enrollments(connection)
    said = [declaration.name for declaration, _ in house.catalogue.messages()]
    rows = []
    for journey in house.catalogue.journeys():
        states, plan = counted.get(journey.name, {}), journey.plan
        rows.append(
            JourneyRow(
                name=journey.name,
                starts_on=told_starts(plan, settings.get(journey.name, {})),
                goal=str(plan.goal or ""),
                messages=said.count(journey.name),
                walking=states.get("open", 0),
                converted=states.get(Outcome.CONVERTED, 0),
                lapsed=states.get(Outcome.LAPSED, 0),
                exited=states.get(Outcome.EXITED, 0),
                left=sum(states.get(each, 0) for each in Leaving),
            )
        )
    return rows


async def touchpoint_map(house: House) -> list[Touchpoint]:
    """All rows of the touchpoint map, journey by journey, as this installation has set them."""
    async with house.database.transaction() as connection:
        settings = await house.catalogue.settings(connection)
    return [
        row
        for journey in house.catalogue.journeys()
        for row in house.catalogue.touchpoints(journey.name, settings.get(journey.name, {}))
    ]


async def timeline(house: House, customer_id: str, *, locale: str, limit: int) -> Told:
    """A customer's newest `limit` entries. Raises NotFound."""
    _check_words("customer", customer_id)
    async with house.database.transaction() as connection:
        page = await Timeline(house.settings.timezone).read(
            connection,
            customer_id,
            locale=locale,
            cursor=None,
            limit=limit,
            titled=lambda journey, message: house.catalogue.title(journey, message, locale),
        )
    return Told(entries=page.entries[::-1], zone=page.zone, earlier=page.cursor is not None)


async def enroll(house: House, journey: str, customer_id: str, *, about: str, options: dict[str, object]) -> str:
    """Enter a customer; a worker starts the walk. Answers the enrollment's id.

    Raises NotFound, InvalidInput, or EnrollmentRefused with the reason.
    """
    _check_words("customer", customer_id)
    _check_words("about", about)
    async with house.database.transaction() as connection:
        row = await house.enrolling.enroll(
            connection, journey, customer_id, about=about, options=options, actor=COMMAND_LINE
        )
    house.database.wake()
    return str(row["id"])


async def sweep(settings: Settings, *, say: Callable[[str], None]) -> Swept:
    """The daily sweep, now. `say` hears how far it is. Raises Unavailable when the database is down."""
    async with opened(settings) as house:
        return await house.sweeping.sweep(say)


async def audience(house: House, segment: str, platform: Platform, file: Path) -> int:
    """Write an audience for ads into a file. Answers how many customers are in it. Raises NotFound, InvalidInput."""
    _check_words("segment", segment)
    async with house.database.transaction() as connection:
        await house.ad_audiences.begin(connection, segment, platform, actor=COMMAND_LINE)
    try:
        return await house.ad_audiences.write(segment, platform, file)
    except OSError as error:
        raise InvalidInput([f"{file}: cannot be written ({error.strerror})"]) from None


def parsed_options(given: Sequence[str]) -> dict[str, object]:
    """Options written as name=value, each value JSON where it is, and text where not. Raises InvalidInput."""
    options: dict[str, object] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not name:
            raise InvalidInput([f"option {each!r}: write it as name=value"])
        if name in options:
            raise InvalidInput([f"option {name}: is given twice"])
        try:
            options[name] = msgspec.json.decode(value)
        except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
            options[name] = value
    return options


async def diagnose(settings: Settings, *, clock: Clock | None = None) -> Diagnosis:
    """What is wrong with the installation that runs here. `clock` replaces its business time, for tests."""
    try:
        url = database_url(settings)
    except Misconfigured as error:
        return Diagnosis(findings=[database_down(str(error))])
    address = settings.temporal_address or address_of(settings.home)
    head = ScriptDirectory.from_config(configuration("")).get_current_head() or ""
    database = Database(url, pool_size=1)
    try:
        watching = Watching(database, head, (lambda: _listens(address)) if address else None)
        production = settings.environment == "production"
        workers = partial(_workers, address or "", settings.temporal_namespace)
        return await Doctor(database, watching, workers=workers, production=production, clock=clock).look()
    finally:
        await database.close()


async def _workers(address: str, namespace: str) -> list[Finding]:
    """Who walks without a worker. Raises Unavailable."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await without_workers(Releases(await connect(address, namespace=namespace), TASK_QUEUE))
    except TimeoutError:
        raise Unavailable(f"Temporal at {address} does not answer in time.") from None


async def _listens(address: str) -> bool:
    """Whether somebody takes connections there. Raises what a connection raises; the caller has the patience."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        host, port = address, str(PORT)
    _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    writer.close()
    return True


async def _pace(url: str, settings: Settings) -> Pace:
    """The database's own; a command sets none, so that whoever starts the installation first still may."""
    database = Database(url, pool_size=1)
    try:
        async with database.transaction() as connection:
            now = await health.only_look(connection)
            return await health.pace(connection) or Pace(anchor=now, pace=settings.pace)
    finally:
        await database.close()


def _check_words(name: str, value: str) -> None:
    if len(value) > LONGEST_NAME or (value and not value.isprintable()):
        raise InvalidInput([f"{name}: must be at most {LONGEST_NAME} characters that can be printed"])
