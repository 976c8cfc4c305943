"""Newsletter: a letter on Tuesdays, two useful ones for each that sells, without end (S55, S60, S84, S85).

each round, at ten on a Tuesday where they live
    newsletter    in turn: something to learn, a customer's story, an offer
    loyalty       for who buys again and again, and nothing to buy: a tip, what is new, an invitation
new content       the stream of notices: told of the next morning, or at the end of the round, all at once

a round is a week for who reads actively, two for who reads now and then, four for who hardly does
asleep: no letters, for winning back is a journey of its own; gone, at any time: exited
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated

from temporalio import workflow

from workflows.toolkit import (
    Audience,
    Between,
    CustomerFacts,
    Enrollment,
    Journey,
    Kind,
    Outcome,
    Plan,
    Weekday,
    days,
)


class Stream(StrEnum):
    """What they get. Fitting: the loyalty stream once they have bought often enough, the newsletter until then."""

    FITTING = "fitting"
    NEWSLETTER = "newsletter"
    LOYALTY = "loyalty"
    NOTICES = "notices"


@dataclass(frozen=True, kw_only=True)
class NewsletterOptions:
    """The stream and its day, from which engagement (0 to 100) on a round is a week or two, which orders are loyal."""

    stream: Stream = Stream.FITTING
    weekday: Weekday = Weekday.TUESDAY
    weekly_from: Annotated[int, Between(0, 100)] = 25
    fortnightly_from: Annotated[int, Between(0, 100)] = 5
    loyal_from: Annotated[int, Between(1, 100)] = 3


@dataclass(frozen=True, kw_only=True)
class Turn:
    """Which letter of each stream is next."""

    newsletter: int = 0
    loyalty: int = 0


@workflow.defn
class Newsletter(Journey):
    plan = Plan(
        kind=Kind.SCHEDULED,
        starts_on=("newsletter_signed_up",),
        may_start_on=("content_published",),
        hears=("content_published",),
        exits=("became_gone",),
        priority=5,
        options=NewsletterOptions,
        carries=Turn,
    )
    longest_run = 200  # a quarter's letters, so that a fresh run meets what has changed here soon enough

    @workflow.run
    async def run(self, enrollment: Enrollment) -> Outcome:
        turn: Turn = self.carried
        self.stream: Stream = self.options.stream
        if self.stream is Stream.NOTICES and enrollment.cause == "content_published" and enrollment.carried is None:
            await self.notice()  # what began the walk is itself the first piece
        while True:
            if self.stream is Stream.NOTICES:
                if await self.wait_for("content_published", within=days(365)):
                    await self.notice()
            else:
                turn = await self.letter(turn)
            await self.go_on(turn)

    async def letter(self, turn: Turn) -> Turn:
        """One round: wait for its day, write the letter whose turn it is. Answers the next turn."""
        await self.wait(days(7) * (self.weeks(await self.customer()) - 1))
        await self.wait_until("10:00", weekday=self.options.weekday)
        customer = await self.customer()
        if Audience.SLEEPING in customer.audiences:
            return turn
        if self.is_loyal(customer):
            await self.loyalty(turn.loyalty)
            return replace(turn, loyalty=turn.loyalty + 1)
        await self.newsletter(turn.newsletter)
        return replace(turn, newsletter=turn.newsletter + 1)

    async def newsletter(self, turn: int) -> None:
        """Three weeks: education, story, offer (S85)."""
        match turn % 3:
            case 0:
                await self.send("something_to_learn")
            case 1:
                await self.send("a_customers_story")
            case _:
                await self.send("an_offer")

    async def loyalty(self, turn: int) -> None:
        """Useful tips, feature news, customer events (S60)."""
        match turn % 3:
            case 0:
                await self.send("a_tip")
            case 1:
                await self.send("what_is_new")
            case _:
                await self.send("an_invitation")

    async def notice(self) -> None:
        """What is new, by how actively they read: what comes while they rest is told of together (S55)."""
        weeks = self.weeks(await self.customer())
        if weeks > 1:
            await self.wait(days(7) * weeks)
        await self.wait_until("10:00")
        while await self.wait_for("content_published", within=days(0)):
            pass
        await self.send("new_content")

    def weeks(self, customer: CustomerFacts) -> int:
        """How long a round is for somebody who reads as much as they do."""
        if customer.engagement >= self.options.weekly_from:
            return 1
        return 2 if customer.engagement >= self.options.fortnightly_from else 4

    def is_loyal(self, customer: CustomerFacts) -> bool:
        """Whether they get the loyalty stream."""
        loyal_from: int = self.options.loyal_from
        fits = self.stream is Stream.FITTING and customer.orders >= loyal_from
        return fits or self.stream is Stream.LOYALTY
