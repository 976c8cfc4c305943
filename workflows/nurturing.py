"""Nurturing: who is still choosing learns to choose well, and is asked for a talk only then (S40, S46, S47, S65).

at once            what they asked for, on its topic
each Tuesday at 10:00, by the lead's clock, one letter:
  what it costs to change nothing
  three mistakes in choosing
  how to win over colleagues
  what a good first month looks like
  an invitation to a webinar, unless they were at one
  a case from their industry
    not seen                 the same in two minutes, another letter (S38)
    seen, not followed       what stands in the way? another approach (S38)
  the ROI calculator, unless they used it
  an hour with an expert
a week later       whoever followed that letter and did not book: a colleague writes them an offer of their own
                   lapsed

asks for a demo, at any time                     converted
asks for an offer or a call, buys, is in a deal  exited
bought before                                    what they asked for, and no lessons
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from temporalio import workflow

from workflows.toolkit import (
    Between,
    Enrollment,
    Journey,
    Kind,
    On,
    Outcome,
    Plan,
    Reaction,
    Reentry,
    Weekday,
    days,
    entering_segment,
)


@dataclass(frozen=True, kw_only=True)
class NurturingOptions:
    """The day of the letters, and how long it is quiet after one at least: 4 days make one each week, 11 two weeks."""

    letters_on: Weekday = Weekday.TUESDAY
    quiet_for: Annotated[timedelta, Between(days(1), days(60))] = days(4)
    offer_within: Annotated[timedelta, Between(days(1), days(14))] = days(2)


@workflow.defn
class Nurturing(Journey):
    plan = Plan(
        starts_on=(On("downloaded", {"kind": ("whitepaper", "guide", "checklist")}), "calculator_used"),
        may_start_on=("webinar_attended", entering_segment("active_leads")),
        hears=("calculator_used", "webinar_attended"),
        goal="demo_requested",
        exits=("offer_requested", "callback_requested", "deal_opened", "order_placed"),
        kind=Kind.SCHEDULED,
        reentry=Reentry.AFTER_A_TIME,
        reentry_after=days(180),
        options=NurturingOptions,
    )

    @workflow.run
    async def run(self, enrollment: Enrollment) -> Outcome:
        await self.send("material")
        if await self.bought_before():
            return Outcome.EXITED

        await self.letter_day()
        await self.send("cost_of_nothing")
        await self.letter_day()
        await self.send("three_mistakes")
        await self.letter_day()
        await self.send("win_over_colleagues")
        await self.letter_day()
        await self.send("first_month")
        await self.letter_day()
        if not self.heard("webinar_attended"):
            await self.send("webinar")
            await self.letter_day()

        await self.send("case")
        await self.letter_day()
        await self.say_it_differently()

        if not self.heard("calculator_used"):
            await self.send("roi_calculator")
            await self.letter_day()
        await self.send("demo")
        await self.letter_day()
        if await self.reaction("demo") is Reaction.CLICKED:
            await self.create_task("personal_offer", due_within=self.options.offer_within)
        return Outcome.LAPSED

    async def say_it_differently(self) -> None:
        """The case reached them, or it is told another way (S38)."""
        match await self.reaction("case"):
            case Reaction.NOT_SEEN:
                await self.send("case_in_short")
            case Reaction.SEEN:
                await self.send("what_stops_you")
            case _:
                return
        await self.letter_day()

    async def letter_day(self) -> None:
        """A quiet while, and then the morning of the next day for letters, where the lead lives."""
        await self.wait(self.options.quiet_for)
        await self.wait_until("10:00", weekday=self.options.letters_on)

    async def bought_before(self) -> bool:
        """Whether they are a customer already: S47 is about those who are still choosing."""
        customer = await self.customer()
        return customer.orders > 0 or customer.activated_at is not None
