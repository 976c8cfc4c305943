"""Double opt-in: whoever has the mailbox says that what was asked with its address was theirs, on a page of their own.

Anybody can write anybody's address into a form. What is confirmed is what the page showed; it becomes theirs by the
press: the consent, with the wording that they read, the visits before, and what the form promised (S13, S47, S91).
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import customers, events, opt_ins
from adapters.database.connection import Database, lock_customer
from adapters.database.events import NewEvent, told_once
from adapters.links import START_LASTS, Links
from domain.clock import Clock
from domain.customers import Consent, ConsentStatus, in_force
from domain.errors import Conflict, NotFound
from domain.events import OPT_IN_CONFIRMED
from domain.forms import Form, Magnet
from domain.messages import Channel
from domain.opt_ins import OPT_IN, Wish, strictest
from domain.visits import DOWNLOADED, is_visitor
from services.customers import Customers
from services.merging import Merging
from services.preferences import Choice, Preferences
from services.visits import BROWSER

PAGE = "/y/"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Who was asked (our id), what still waits for their answer, the forms whose gifts they have, and whether they said
    yes or no to letters.
    """

    customer: str
    locale: str | None
    waiting: Sequence[Wish]
    given: Sequence[Form]
    letters: bool | None


class Confirming:
    """Reads the links of confirmation letters and does what their page asks. `declared` are the forms answered here.

    `locale` is the company's, for whoever has none of their own.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        links: Links,
        known: Customers,
        preferences: Preferences,
        merging: Merging,
        declared: Mapping[str, Form],
        *,
        locale: str,
    ) -> None:
        self._database, self._clock, self._links = database, clock, links
        self._customers, self._preferences, self._merging = known, preferences, merging
        self._declared, self._locale = declared, locale

    async def read(self, token: str) -> Asked:
        """What waits behind a link. Changes nothing. Raises NotFound."""
        async with self._database.transaction() as connection:
            return await self._asked(connection, await self._whose(connection, token))

    async def confirm(self, token: str, keys: Collection[str], wording: str) -> Asked:
        """The yes to wishes, those that were shown, by their keys; `wording` is what they read. Raises NotFound.

        What was asked since, has changed since, or was answered already, is left alone.
        """
        asked = await self.read(token)
        await self._join_visits(asked.customer, [wish for wish in asked.waiting if wish.key in keys])
        async with self._database.transaction() as connection:
            row = await self._whose(connection, token, locked=True)
            asked = await self._asked(connection, row)
            if shown := [wish for wish in asked.waiting if wish.key in keys]:
                await self._count(connection, row, shown, wording)
                asked = await self._asked(connection, row)
        self._database.wake()
        return asked

    async def _join_visits(self, customer: str, wishes: Sequence[Wish]) -> None:
        """The visits before. Each in a transaction of its own: it takes two customers' locks, in their keys' order."""
        for visitor in sorted({wish.visitor for wish in wishes if wish.visitor and is_visitor(wish.visitor)}):
            with suppress(Conflict):  # this browser is somebody else's by now, who stays who they are
                async with self._database.transaction() as connection:
                    customer_id = (await customers.by_id(connection, customer))["customer_id"]
                    await self._merging.identify(connection, customer_id, visitor, actor=BROWSER)

    async def _count(self, connection: AsyncConnection, row: RowMapping, wishes: Sequence[Wish], wording: str) -> None:
        now, letters = self._clock.now(), [wish for wish in wishes if not wish.gift]
        if letters:
            proof = "; ".join([*(wish.told for wish in letters), f"confirmed on {PAGE}"])
            frequency = strictest(wish.frequency for wish in letters if wish.frequency)
            settings = {"frequency": frequency} if frequency else {}
            choice = Choice(channels={Channel.EMAIL: True}, settings=settings)
            await self._preferences.choose(connection, row["id"], choice, source=OPT_IN, wording=wording, proof=proof)
            word = Consent(status=ConsentStatus.GRANTED, at=now, source=OPT_IN, wording=wording, proof=proof)
            for topic in sorted({wish.topic for wish in letters} & set(self._preferences.topics)):
                await self._customers.hear(connection, row, f"{Channel.EMAIL.value}/{topic}", word)
        told = [self._told(row, now, OPT_IN_CONFIRMED, str(uuid4()), {"letters": bool(letters)})]
        for wish in wishes:
            if form := self._declared.get(wish.form):
                told.append(self._of_form(row, now, wish, form))
        await events.insert(connection, told)

    def _of_form(self, row: RowMapping, now: datetime, wish: Wish, form: Form) -> NewEvent:
        language = (row["locale"] or self._locale)[:2]
        said = {"form": form.name, "title": form.title[language]}
        if not wish.gift or form.magnet is None:
            return self._told(row, now, form.event, wish.id, said, about=form.name)
        return self._told(row, now, DOWNLOADED, wish.id, said | self._gift(form.magnet, row, language), about=form.name)

    def _gift(self, magnet: Magnet, row: RowMapping, language: str) -> dict[str, str]:
        """What a letter says of it: `link` leads there, for a file by the customer's own page."""
        link = magnet.link or self._links.confirm(row["id"], row["email"], self._clock.now())
        said = {"magnet": magnet.name, "kind": magnet.kind, "title": magnet.title[language], "link": link}
        return said | ({"topic": magnet.topic[language]} if magnet.topic else {})

    async def _whose(self, connection: AsyncConnection, token: str, *, locked: bool = False) -> RowMapping:
        link = self._links.read_confirm(token, self._clock.now())
        ours = await lock_customer(connection, link.customer) if locked else link.customer
        row = await customers.find(connection, ours)
        if row is None or row["erased_at"] or not self._links.is_for(link, row["email"]):
            raise NotFound("link", token[:12])
        return row

    async def _asked(self, connection: AsyncConnection, row: RowMapping) -> Asked:
        word = in_force(await customers.consents_of(connection, row["id"]), Channel.EMAIL)
        since = self._clock.now() - START_LASTS
        found = await opt_ins.waiting(connection, row["id"], since=since, word_at=word.at if word else None)
        given = await opt_ins.given(connection, row["id"], since=since)
        return Asked(
            customer=row["id"],
            locale=row["locale"],
            waiting=[wish for wish in found if not wish.form or self._answers(wish)],
            given=[self._declared[name] for name in given if name in self._declared],
            letters=None if word is None else word.status is ConsentStatus.GRANTED,
        )

    def _answers(self, wish: Wish) -> bool:
        """Whether the form is answered here, and still gives what it promised."""
        form = self._declared.get(wish.form)
        return form is not None and (not wish.gift or form.magnet is not None)

    @staticmethod
    def _told(
        row: RowMapping, at: datetime, name: str, key: str, properties: Mapping[str, object], *, about: str = ""
    ) -> NewEvent:
        return told_once(
            f"{name}:{key}",
            customer_id=row["customer_id"],
            name=name,
            at=at,
            source=OPT_IN,
            about=about,
            properties=properties,
        )
