"""Forms: an entry is kept as what it is, somebody's word; it counts once the address is proven (S13, S47, S91).

Anybody can write anybody's address into a form. So an entry may add an event to the profile that has the address, and
wait there; it reads nothing, changes nothing, allows nothing and joins nobody. Whoever then presses the button behind
the link in the letter has the mailbox, and by that press the entry becomes theirs: the consent, with the wording that
they ticked, the visits before, and what the form promised.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from uuid import uuid4

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import customers, events, forms
from adapters.database.connection import Database
from adapters.database.events import NewEvent, told_once
from adapters.links import Links
from adapters.surrogates import Surrogates
from domain.clock import Clock
from domain.customers import Frequency
from domain.errors import Conflict, InvalidInput, NotFound
from domain.forms import FORM, Entry, Form, Magnet
from domain.messages import Channel
from domain.visits import DOWNLOADED, FORM_CONFIRMED, FORM_SUBMITTED, visitor_id
from services import identities
from services.customers import Change, Customers
from services.merging import Merging
from services.preferences import Choice, Preferences
from services.visits import BROWSER


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


@dataclass(frozen=True, kw_only=True)
class Opened:
    """An entry behind a link, its form, and the language of whoever it belongs to."""

    entry: Entry
    form: Form
    locale: str | None


class Forms:
    """Takes entries in, and lets their owners confirm them. `declared` are the forms answered here, by name.

    `locale` is the company's, for whoever has none of their own.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        links: Links,
        surrogates: Surrogates,
        known: Customers,
        preferences: Preferences,
        merging: Merging,
        declared: Mapping[str, Form],
        *,
        locale: str,
    ) -> None:
        self._database, self._clock, self._links, self._surrogates = database, clock, links, surrogates
        self._customers, self._preferences, self._merging = known, preferences, merging
        self._declared, self._locale = declared, locale

    def form(self, name: str) -> Form:
        """One form. Raises NotFound for one that is not answered here."""
        if name not in self._declared:
            raise NotFound("form", name[:64])
        return self._declared[name]

    async def submit(self, form: Form, sent: Submission) -> None:
        """Keep an entry until its owner confirms it. Says nothing of whether the address is known."""
        now = self._clock.now()
        said = {
            "form": form.name,
            "title": form.title[sent.language],
            "confirm": sent.agreed or form.magnet is not None,
            **({"magnet": form.magnet.name} if form.magnet else {}),
            **({"site": sent.site} if sent.site else {}),
            **sent.answers,
        }
        async with self._database.transaction() as connection:
            customer_id = await self._whose(connection, sent.email)
            event = self._told(f"form:{uuid4()}", customer_id, FORM_SUBMITTED, form.name, said)
            await events.insert(connection, [event])
            row = await self._row(connection, customer_id)
            await self._introduce(connection, row, sent)
            entry = Entry(
                customer=row["id"],
                form=form.name,
                at=now,
                event_id=event.event_id,
                agreed=sent.agreed,
                wording=form.wording[sent.language] if sent.agreed else "",
                frequency=sent.frequency if sent.agreed else None,
                visitor=_visitor(sent.visitor),
            )
            await forms.keep(connection, entry)
        self._database.wake()

    async def read(self, token: str) -> Opened:
        """What is behind a link. Changes nothing. Raises NotFound."""
        async with self._database.transaction() as connection:
            row, entry = await self._entry(connection, token)
        return Opened(entry=entry, form=self.form(entry.form), locale=row["locale"])

    async def confirm(self, token: str, shown: str) -> Opened:
        """The owner of the address says that it was they. Done before, it changes nothing. Raises NotFound.

        `shown` is the `event_id` of the entry that they read. Another came since, perhaps from a stranger, with a tick
        that they never saw: nothing is confirmed, and the answer is what waits now.
        """
        opened = await self.read(token)
        if opened.entry.confirmed_at is None and opened.entry.event_id == shown:
            await self._join(opened.entry)
            async with self._database.transaction() as connection:
                row, _ = await self._entry(connection, token)
                row = await self._customers.locked(connection, row["id"])
                row, entry = await self._entry(connection, token)  # again: it may have been confirmed meanwhile
                if entry == opened.entry:
                    await self._count(connection, row, opened.form, entry)
            self._database.wake()
        return await self.read(token)

    async def _join(self, entry: Entry) -> None:
        """The visits before. In a transaction of its own: it takes two customers' locks, in the order of their keys."""
        if entry.visitor is None:
            return
        with suppress(Conflict):  # this browser is somebody else's by now, who stays who they are
            async with self._database.transaction() as connection:
                customer_id = (await customers.by_id(connection, entry.customer))["customer_id"]
                await self._merging.identify(connection, customer_id, entry.visitor, actor=BROWSER)

    async def _count(self, connection: AsyncConnection, row: RowMapping, form: Form, entry: Entry) -> None:
        if entry.agreed:
            choice = Choice(
                channels={Channel.EMAIL: True}, settings={"frequency": entry.frequency} if entry.frequency else {}
            )
            await self._preferences.choose(
                connection,
                row["id"],
                choice,
                source=f"form {form.name}",
                wording=entry.wording,
                proof=f"event {entry.event_id}, confirmed from the mailbox",
            )
        language = (row["locale"] or self._locale)[:2]
        said = {"form": form.name, "title": form.title[language]}
        told = {FORM_CONFIRMED: said}
        if entry.agreed:
            told[form.event] = said
        if form.magnet:
            told[DOWNLOADED] = said | self._gift(form.magnet, row, form, language)
        await events.insert(
            connection,
            [
                self._told(f"{name}:{entry.event_id}", row["customer_id"], name, form.name, properties)
                for name, properties in told.items()
            ],
        )
        await forms.confirm(connection, row["id"], form.name, self._clock.now())

    def _gift(self, magnet: Magnet, row: RowMapping, form: Form, language: str) -> dict[str, str]:
        """What a letter says of it: `link` leads there, for a file by the customer's own page."""
        said = {"magnet": magnet.name, "kind": magnet.kind, "title": magnet.title[language]}
        said["link"] = magnet.link or self._links.form(row["id"], row["email"], form.name, self._clock.now())
        return said | ({"topic": magnet.topic[language]} if magnet.topic else {})

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

    async def _entry(self, connection: AsyncConnection, token: str) -> tuple[RowMapping, Entry]:
        link, name = self._links.read_form(token, self._clock.now())
        row = await customers.find(connection, link.customer)
        if row is None or row["erased_at"] or name not in self._declared or not self._links.is_for(link, row["email"]):
            raise NotFound("link", token[:12])
        if (entry := await forms.get(connection, row["id"], name)) is None:
            raise NotFound("link", token[:12])
        return row, entry

    def _told(
        self, event_id: str, customer_id: str, name: str, form: str, properties: Mapping[str, object]
    ) -> NewEvent:
        return told_once(
            event_id,
            customer_id=customer_id,
            name=name,
            at=self._clock.now(),
            source=FORM,
            about=form,
            properties=properties,
        )


def _visitor(given: str) -> str | None:
    """A visitor's customer_id; None where the page's script knew none."""
    with suppress(InvalidInput):
        return visitor_id(given)
    return None
