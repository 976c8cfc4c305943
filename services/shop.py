"""What a letter says of the shop: its lists of products and its code, looked up before the text is filled."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from types import SimpleNamespace

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import offers, products
from adapters.database.connection import Database
from adapters.database.offers import Giving
from adapters.templates import MessageLibrary
from domain.clock import Clock
from domain.dates import until
from domain.decisions import Decision
from domain.errors import TropaError
from domain.messages import Message, Purpose
from domain.money import money
from domain.offers import Code, Offer, written
from domain.orders import products_in
from domain.products import Of, Product, in_language
from domain.sends import SendState, send_id
from services.offers import NOT_SET_UP, Offers
from services.send_facts import Case
from services.steps import Step

NO_CODE = 0  # what a preview's code is made from


class Withheld(TropaError):
    """A letter that cannot be written now, or at all: the state that its send comes to, and why."""

    def __init__(self, state: SendState, decision: Decision) -> None:
        super().__init__(decision.words())
        self.state, self.decision = state, decision


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """For whom the shop is asked, in which language, and what the letter answers: an event's properties."""

    message: Message
    lang: str
    event: Mapping[str, object]
    customer: str = ""
    bought_within: timedelta = timedelta(0)


class Shop:
    """Looks up what a message declares, and nothing else. `locale` and `zone` are for those whose own are unknown."""

    def __init__(
        self, database: Database, clock: Clock, library: MessageLibrary, offers: Offers, *, locale: str, zone: str
    ) -> None:
        self._database, self._clock, self._library, self._offers = database, clock, library, offers
        self._locale, self._zone = locale, zone

    async def say(self, step: Step, case: Case) -> Mapping[str, object]:
        """`products` and `code` as the text of a send may say them, of those the ones that its message declares.

        Raises Withheld when a list is too short, or when there is no code.
        """
        message = case.message
        if not message.products and not message.offer:
            return {}
        asked = _Asked(
            message=message,
            lang=self._lang(message, case.row["locale"]),
            event=case.start,
            customer=case.row["customer"],
            bought_within=case.policy.just_bought_within,
        )
        said: dict[str, object] = {}
        async with self._database.transaction() as connection:
            if message.products:
                said["products"] = _long_enough(message, await self._lists(connection, asked))
            if message.offer:
                said["code"] = await self._code(connection, step, case, asked.lang)
        return said

    async def preview(
        self, message: Message, *, locale: str | None, event: Mapping[str, object]
    ) -> Mapping[str, object]:
        """As `say`, for those who look at the text: nobody bought anything, no list is too short, the code is none."""
        asked = _Asked(message=message, lang=self._lang(message, locale), event=event)
        said: dict[str, object] = {}
        async with self._database.transaction() as connection:
            if message.products:
                said["products"] = SimpleNamespace(**await self._lists(connection, asked))
            if message.offer:
                said["code"] = self._sample(message, await offers.get(connection, message.offer), asked.lang)
        return said

    def _lang(self, message: Message, locale: str | None) -> str:
        return self._library.language(message.journey, message.name, locale or self._locale)

    async def _lists(self, connection: AsyncConnection, asked: _Asked) -> dict[str, list[Product]]:
        declared, named, category = asked.message.products, products_in(asked.event), asked.event.get("category")
        found = await products.of_lists(
            connection,
            declared,
            named=named,
            categories=[category] if isinstance(category, str) and category else [],
            customer=asked.customer,
            since=self._clock.now() - asked.bought_within,
        )
        lists = {name: [_product(row, asked.lang) for row in rows] for name, rows in found.items()}
        of_event = {name: listing.most for name, listing in declared.items() if listing.of is Of.EVENT}
        return lists | {
            name: _named(named, lists[name], asked.message.purpose)[:most] for name, most in of_event.items()
        }

    async def _code(self, connection: AsyncConnection, step: Step, case: Case, lang: str) -> Code:
        now, name, zone = self._clock.now(), case.message.offer, case.facts.zone
        offer = await offers.get(connection, name)
        if offer is None:
            raise Withheld(SendState.HELD, Decision(rule=NOT_SET_UP, facts={"offer": name}))
        request = (await step.locked(connection)).request
        giving = Giving(
            offer=name,
            customer=request.customer,
            send=send_id(request.enrollment, request.message, request.visit),  # all legs of a cascade share it
            at=now,
            until=offer.good_until(now, expires=case.expires, zone=zone),
        )
        given = await self._offers.give(connection, offer, giving)
        if isinstance(given, Decision):
            raise Withheld(SendState.HELD, given)
        code, ends = given
        return Code(text=code, valid_until=until(ends, zone, lang), discount=offer.discount.said(lang))

    def _sample(self, message: Message, offer: Offer | None, lang: str) -> Code:
        now = self._clock.now()
        lasts = message.expires(now, self._zone)
        ends = offer.good_until(now, expires=lasts, zone=self._zone) if offer else lasts
        return Code(
            text=written(offer.prefix if offer else "", NO_CODE),
            valid_until=until(ends, self._zone, lang),
            discount=offer.discount.said(lang) if offer else "…",
        )


def _long_enough(message: Message, lists: Mapping[str, list[Product]]) -> SimpleNamespace:
    for name, listing in message.products.items():
        if len(lists[name]) < listing.at_least:
            facts = {"list": name, "count": len(lists[name]), "needed": listing.at_least}
            raise Withheld(SendState.REFUSED, Decision(rule="nothing_to_show", facts=facts))
    return SimpleNamespace(**lists)


def _named(named: tuple[str, ...], known: list[Product], purpose: Purpose) -> list[Product]:
    """The products that an event names. An offer leaves out those that cannot be bought; others tell what was named."""
    by_id = {each.id: each for each in known}
    every = [by_id.get(each, Product(id=each, name=each)) for each in named]
    return [each for each in every if each.available or purpose is not Purpose.OFFER]


def _product(row: RowMapping, lang: str) -> Product:
    price, known = row["price"], Product(id=row["id"], name=in_language(row["name"], lang))
    return replace(
        known,
        category=row["category"],
        price=money(price, row["currency"], lang) if price is not None else None,
        amount=float(price) if price is not None else None,
        currency=row["currency"],
        url=row["url"],
        image=row["image"],
        rating=float(row["rating"]) if row["rating"] is not None else None,
        stock=row["stock"],
        available=row["available"],
        attributes=row["attributes"],
    )
