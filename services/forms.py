"""Forms: an entry is kept as what it is, somebody's word; it counts once the address is proven (S13, S47, S91).

Anybody can write anybody's address into a form. So an entry adds an event to the profile that has the address, and, of
what is ticked or promised there, one that waits for a yes from the mailbox (`services.confirming`). It reads nothing,
changes nothing, allows nothing, joins nobody, and takes the place of no entry before it.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from uuid import uuid4

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import customers, events
from adapters.database.connection import Database
from adapters.database.events import NewEvent, told_once
from adapters.surrogates import Surrogates
from domain.clock import Clock
from domain.customers import Frequency
from domain.errors import Conflict, InvalidInput, NotFound
from domain.events import FORM_SUBMITTED, OPT_IN_REQUESTED
from domain.forms import FORM, Form
from domain.messages import Channel
from domain.visits import visitor_id
from services import identities
from services.customers import Change, Customers


@dataclass(frozen=True, kw_only=True)
class Submission:
    """What came by a form, checked. `site` is the page's origin, `visitor` what its browser calls itself."""

    email: str
    language: str
    answers: Mapping[str, str | float]
    agreed: bool = False
    frequency: Frequency | None = None
    visitor: str = ""
    site: str = ""


class Forms:
    """Takes in what forms send. `declared` are those answered here, by name."""

    def __init__(
        self, database: Database, clock: Clock, surrogates: Surrogates, known: Customers, declared: Mapping[str, Form]
    ) -> None:
        self._database, self._clock, self._surrogates = database, clock, surrogates
        self._customers, self._declared = known, declared

    def form(self, name: str) -> Form:
        """One form. Raises NotFound for one that is not answered here."""
        if name not in self._declared:
            raise NotFound("form", name[:64])
        return self._declared[name]

    async def submit(self, form: Form, sent: Submission) -> None:
        """Keep what was sent, and what waits for its owner's yes. Says nothing of whether the address is known."""
        said = {"form": form.name, "title": form.title[sent.language], **({"site": sent.site} if sent.site else {})}
        key = str(uuid4())
        async with self._database.transaction() as connection:
            customer_id = await self._whose(connection, sent.email)
            told = [self._told(key, customer_id, FORM_SUBMITTED, form.name, {**said, **sent.answers})]
            if waits := _waits(form, sent):
                request = {**said, "channel": Channel.EMAIL.value, "source": f"form {form.name}", **waits}
                request["proof"] = f"event {told[0].event_id}"
                told.append(self._told(key, customer_id, OPT_IN_REQUESTED, form.name, request))
            await events.insert(connection, told)
            row = await self._row(connection, customer_id)
            await self._introduce(connection, row, sent)
        self._database.wake()

    async def _whose(self, connection: AsyncConnection, email: str) -> str:
        """The customer_id of the profile that has the address; the address itself where none has."""
        if found := await customers.by_email(connection, email):
            return str(found[0]["customer_id"])
        known = await customers.ours(connection, [email, email.lower()])
        return next(iter(sorted(known)), email.lower())

    async def _row(self, connection: AsyncConnection, customer_id: str) -> RowMapping:
        """The profile, made or come back, locked."""
        now = self._clock.now()
        known = await identities.identify(connection, self._surrogates, [customer_id], now)
        ours = known.get(customer_id) or await identities.come_back(connection, self._surrogates, customer_id, now)
        if ours is None:
            raise Conflict("Somebody erased comes back by an event that happens after that.")
        return await self._customers.locked(connection, ours)

    async def _introduce(self, connection: AsyncConnection, row: RowMapping, sent: Submission) -> None:
        """A profile without an address that is called by this one gets it, so that a letter can ask. No other does."""
        if row["email"] is None and row["customer_id"].lower() == sent.email.lower():
            columns = {"email": sent.email, **({} if row["locale"] else {"locale": sent.language})}
            await self._customers.change(connection, row["customer_id"], Change(columns=columns))

    def _told(self, key: str, customer_id: str, name: str, form: str, properties: Mapping[str, object]) -> NewEvent:
        return told_once(
            f"{name}:{key}",
            customer_id=customer_id,
            name=name,
            at=self._clock.now(),
            source=FORM,
            about=form,
            properties=properties,
        )


def _waits(form: Form, sent: Submission) -> dict[str, str]:
    """What of an entry waits for a yes from the mailbox: letters with the words that were ticked, and the gift."""
    waits = {}
    if sent.agreed:
        waits["wording"] = form.wording[sent.language]
        if sent.frequency:
            waits["frequency"] = sent.frequency.value
    if form.magnet:
        waits["magnet"] = form.magnet.name
    if waits and (visitor := _visitor(sent.visitor)):
        waits["visitor"] = visitor
    return waits


def _visitor(given: str) -> str | None:
    """A visitor's customer_id; None where the page's script knew none."""
    with suppress(InvalidInput):
        return visitor_id(given)
    return None
