"""Visits: what browsers tell of their visitors, and who a visitor turns out to be (S7, S13)."""

from collections.abc import Collection, Iterable, Mapping
from uuid import uuid4

from adapters.database import customers
from adapters.database.connection import Database
from adapters.database.events import told_once
from adapters.links import Links
from domain.clock import Clock
from domain.errors import InvalidInput, Misconfigured, NotFound
from domain.events import Value
from domain.journeys import Declaration
from domain.messages import Message, Purpose
from domain.visits import LOOKED, SITE, read_properties, visitor_id
from services.audit import Actor
from services.intake import Intake, Taken
from services.merging import Merging

BROWSER = Actor(id="site", name="a visitor's browser")


class Visits:
    """Takes in what strangers say: events of visitors, under the `names` that are heard here, and nothing else."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        links: Links,
        intake: Intake,
        merging: Merging,
        names: Collection[str],
    ) -> None:
        self._database, self._clock, self._links = database, clock, links
        self._intake, self._merging, self._names = intake, merging, names

    async def take(self, visitor: str, name: str, properties: Mapping[str, Value]) -> Taken:
        """Store one event of a visitor, who may be a customer by now; it happened now. Raises InvalidInput."""
        whose, said = visitor_id(visitor), read_properties(properties)
        if name not in self._names:
            known = ", ".join(sorted(self._names))
            raise InvalidInput([f"name: visitors tell of {known}; TROPA_SITE_EVENTS adds to them"])
        event = told_once(
            f"visit:{uuid4()}", customer_id=whose, name=name, at=self._clock.now(), source=SITE, properties=said
        )
        return await self._intake.take_in([event])

    async def identify(self, visitor: str, token: str) -> None:
        """The visitor is the customer for whom the token was made. Done before, it changes nothing.

        Raises NotFound for a token that is not ours or no longer good, Conflict for a visitor who is somebody else.
        """
        whose, ours = visitor_id(visitor), self._links.read_visitor(token, self._clock.now())
        async with self._database.transaction() as connection:
            row = await customers.find(connection, ours)
            if row is None or row["erased_at"]:
                raise NotFound("link", token[:12])
            await self._merging.identify(connection, row["customer_id"], whose, actor=BROWSER)
        self._database.wake()


def heard_of_visitors(messages: Iterable[tuple[Declaration, Message]], more: Collection[str]) -> frozenset[str]:
    """The names of events that visitors may tell. `messages` is all that journeys say.

    Raises Misconfigured where one may start a journey that sends what nobody can refuse: strangers must not.
    """
    names = LOOKED | set(more)
    for declaration, message in messages:
        started = sorted(names & set(declaration.plan.beginnings))
        if started and message.purpose is Purpose.TRANSACTIONAL:
            raise Misconfigured(
                f"Refusing to start: visitors of your sites may tell {started[0]}, which may start {declaration.name},"
                f" and its message {message.name} is transactional. Start it on an event of your own systems."
            )
    return names
