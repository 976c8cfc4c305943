"""Newsletter welcome: whoever signs up hears at once what the letters are good for, each by their own route (S28, S29,
S45, S6); old readers who never had it may be entered, too.

bought nothing yet
  at once      welcome: 5 % off the first order, and the buying guide
  2 days       seven criteria for choosing well
  5 days       followed a letter             what others choose
               saw one, followed none (S38)    another approach: what are you looking for?
               saw none (S38)                  another letter: how often, and about what?
  9 days       what to know before a first order
buys now and then
  at once      welcome to those who know us: no discount for strangers
  4 days       make it last
  9 days       what are you looking for?
buys at their own season
  at once      welcome: we write ahead of your time
  2 weeks ahead of their next purchase, by their own cadence    what to look at before it
asleep
  at once      welcome back: what has changed
  2 weeks      what others choose, only to who followed that
the end        lapsed

orders, at any time    converted

Where addresses are confirmed first, let `opt_in_confirmed` start it instead: docs/operate.md.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from temporalio import workflow

from workflows.toolkit import (
    Between,
    Enrollment,
    Journey,
    On,
    Outcome,
    Plan,
    Reaction,
    Reentry,
    days,
)


@dataclass(frozen=True, kw_only=True)
class NewsletterOptions:
    """When the letters come, from the day of signing up.

    Seasonal is who usually takes so long from one purchase to the next, dormant whose last one is so long ago.
    """

    criteria_on_day: Annotated[timedelta, Between(days(1), days(30))] = days(2)
    reaction_on_day: Annotated[timedelta, Between(days(2), days(60))] = days(5)
    last_on_day: Annotated[timedelta, Between(days(3), days(90))] = days(9)
    seasonal_from: Annotated[timedelta, Between(days(60), days(366))] = days(120)
    dormant_from: Annotated[timedelta, Between(days(30), days(730))] = days(180)
    ahead_of_season: Annotated[timedelta, Between(days(3), days(60))] = days(14)


@workflow.defn
class NewsletterWelcome(Journey):
    plan = Plan(
        starts_on=("newsletter_signed_up",),
        may_start_on=(On("opt_in_confirmed", {"letters": True}),),
        goal="order_placed",
        reentry=Reentry.NEVER,
        options=NewsletterOptions,
    )

    @workflow.run
    async def run(self, enrollment: Enrollment) -> Outcome:
        customer = await self.customer()
        if customer.last_order_at is None:
            await self.welcome_a_newcomer()
        elif season := self.next_season(customer.last_order_at, customer.cadence):
            await self.welcome_ahead_of(season)
        elif self.now() - customer.last_order_at >= self.options.dormant_from:
            await self.welcome_back()
        else:
            await self.welcome_a_regular()
        return Outcome.LAPSED

    def next_season(self, last: datetime, cadence: timedelta | None) -> datetime | None:
        """A while ahead of their next purchase, for who usually takes long between two: they are not asleep."""
        options: NewsletterOptions = self.options
        if cadence is None or cadence < options.seasonal_from or self.now() - last >= 2 * cadence:
            return None
        season = last + cadence - options.ahead_of_season
        return season if season > self.now() else season + cadence

    async def welcome_a_newcomer(self) -> None:
        """Value first and after; the one offer stands at the door (S28, S29)."""
        await self.send("welcome")
        await self.until(self.options.criteria_on_day)
        await self.send("seven_criteria")

        await self.until(self.options.reaction_on_day)
        reactions = await self.reaction("welcome"), await self.reaction("seven_criteria")
        if Reaction.CLICKED in reactions:
            await self.send("others_choose")
        elif Reaction.SEEN in reactions:
            await self.send("looking_for")
        else:
            await self.send("your_choice")

        await self.until(self.options.last_on_day)
        await self.send("first_order")
        await self.wait(days(7))

    async def welcome_a_regular(self) -> None:
        """They know us: nothing about choosing us."""
        await self.send("welcome_regular")
        await self.until(days(4))
        await self.send("make_it_last")
        await self.until(self.options.last_on_day)
        await self.send("looking_for")

    async def welcome_ahead_of(self, season: datetime) -> None:
        """One letter now, and the next when it is of use."""
        await self.send("welcome_seasonal")
        await self.wait(season - self.now())
        await self.send("before_your_time")
        await self.wait(2 * self.options.ahead_of_season)

    async def welcome_back(self) -> None:
        """One letter. Only who follows it gets another."""
        await self.send("welcome_back")
        await self.until(days(14))
        if await self.reaction("welcome_back") is Reaction.CLICKED:
            await self.send("others_choose")

    async def until(self, day: timedelta) -> None:
        """Wait until a day of the journey."""
        await self.wait(day - self.elapsed())
