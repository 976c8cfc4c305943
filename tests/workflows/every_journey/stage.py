"""Where any journey can be walked by anybody: the real house, and a shop with whatever its messages may show."""

from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import uuid4

from domain.journeys import Outcome
from domain.sends import SendState
from domain.surveys import SURVEY_ANSWERED
from domain.triggers import Trigger, event_of
from services.product_reading import ProductToKeep
from tests.support.playback import Playback
from tropa.rehearsal.playing import what_fits
from workflows.toolkit import Journey

SAID = {"category": "things", "product": "thing-0", "grade": "human"}
STANDS = ("sends", "decisions", "tasks", "notices", "enrollments", "dispatches")
LONGEST = timedelta(days=1000)


class Stage:
    """One journey, Anna, and others beside her. What happens is as the journey's plan declares it."""

    def __init__(self, play: Playback, journey: type[Journey]) -> None:
        self.play, self.plan, self.journey = play, journey.plan, journey.__name__
        self.messages = play.house.catalogue.messages_of(self.journey)
        self._about = "A-1" if self.plan.about else ""

    async def is_set(self) -> None:
        """Offers have codes, lists have products, and Anna can be reached by phone, too."""
        categories = {each.category for message in self.messages for each in message.products.values()} - {"", None}
        for offer in {message.offer for message in self.messages} - {""}:
            await self.play.gives(offer, 10)
        for category in ("things", *sorted(categories)):
            named = [f"{category.removesuffix('s')}-{number}" for number in range(6)]
            others = named[1:]
            await self.play.house.products.keep(
                [
                    ProductToKeep(
                        id=each, name=each, category=category, price=9.5, currency="EUR", rating=4.5, related=others
                    )
                    for each in named
                ]
            )
        await self.play.has_a_phone()

    async def somebody(self, number: int, *, hour: int) -> Playback:
        """Somebody beside Anna, where it is that hour now."""
        other = self.play.beside(f"number-{number}@example.com")
        await other.is_known(hour=hour, email=other.customer_id)
        return other

    def ends_by(self) -> list[tuple[Trigger, Outcome]]:
        """Its goal and its exits, with what each ends it as."""
        goals = [(self.plan.goal, Outcome.CONVERTED)] if self.plan.goal else []
        return [*goals, *((each, Outcome.EXITED) for each in self.plan.exits)]

    def later(self) -> list[Trigger]:
        """Whatever it hears or ends by; but nothing that begins it anew."""
        every = [*self.plan.hears, *(each for each, _ in self.ends_by())]
        return [each for each in every if event_of(each) not in self.plan.beginnings]

    async def begins(self, who: Playback | None = None, **details: Any) -> None:
        """What starts it happens; or a colleague enters them, where nothing does."""
        if self.plan.starts_on:
            await self.happens(self.plan.starts_on[0], who, **details)
        else:
            await (who or self.play).is_entered(self.journey, about=self._about)

    async def happens(self, trigger: Trigger, who: Playback | None = None, **details: Any) -> None:
        """An event that fits a trigger, about what the walk is about, and with all that a journey may ask of it."""
        name = event_of(trigger)
        said = SAID | what_fits(trigger) | self._declared(name)
        if name == SURVEY_ANSWERED:
            asked = await (who or self.play).rows("SELECT id FROM sends ORDER BY slot_at DESC LIMIT 1")
            said = {"score": 3, **({"send": str(asked[0]["id"])} if asked else {})} | said
        await (who or self.play).does(name, about=self._about, **said, **details)

    async def happen(self, triggers: Iterable[Trigger], *people: Playback, apart: timedelta = timedelta(0)) -> None:
        """One after another, so far apart, to Anna or to others."""
        for each in triggers:
            for who in people or (self.play,):
                await self.happens(each, who)
            await self.play.after(apart)

    async def is_told_again(self, trigger: Trigger) -> bool:
        """It happens, and comes again under the same id. Answers whether that changed anything."""
        told: dict[str, Any] = {"at": self.play.clock.now(), "event_id": uuid4().hex}
        await self.happens(trigger, **told)
        before = await self.stands("events")
        await self.happens(trigger, **told)
        return await self.stands("events") != before

    async def walks(self, most: timedelta = LONGEST, *, until_sent: bool = False) -> None:
        """Time passes until Anna's walk is over, or until she has got a message."""
        last = self.play.clock.now() + most
        while not (await self.ending(self.play) or (until_sent and await self._got_something())):
            if not await self.play.until_next(last - self.play.clock.now()):
                await self.play.until(last)
                return

    async def stands(self, *more: str) -> dict[str, Any]:
        """Everything that has come of it, and how much each walk was told."""
        query = "SELECT md5(string_agg(t::text, ' ' ORDER BY t::text)) AS said FROM {} t"
        found = {table: (await self.play.rows(query.format(table)))[0]["said"] for table in (*STANDS, *more)}
        lengths = [len((await self.play.history()).events)] if await self.play.enrollments() else []
        return {**found, "history": lengths}

    async def ledger(self, who: Playback | None = None) -> list[tuple[str, str, str | None]]:
        """What somebody's sends came to, in order."""
        name = (who or self.play).customer_id
        return [(row["message"], row["state"], row["purpose"]) for row in await self.play.rows(LEDGER.format(name))]

    async def ending(self, who: Playback) -> str | None:
        """How somebody's walk ended."""
        [row] = await self.play.rows(ENDED.format(who.customer_id))
        word: str | None = row["word"]
        return word

    async def _got_something(self) -> bool:
        return any(state == SendState.ACCEPTED for _, state, _ in await self.ledger())

    def _declared(self, event: str) -> dict[str, Any]:
        kinds = self.plan.properties.get(event, {})
        return {name: next(iter(kind)).value for name, kind in kinds.items() if issubclass(kind, StrEnum)}


LEDGER = """
    SELECT s.message, s.state, s.purpose FROM sends s JOIN customers c ON c.id = s.customer
    WHERE c.customer_id = '{}' ORDER BY s.wished_at, s.id
"""
ENDED = """
    SELECT coalesce(e.outcome, e.leaving) AS word FROM enrollments e JOIN customers c ON c.id = e.customer
    WHERE c.customer_id = '{}'
"""
