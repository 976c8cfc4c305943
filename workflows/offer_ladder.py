"""Offer ladder: a first reason to buy, a better one, and a thank-you that brings them back (S52).

at once                           welcome discount
10 days without an order          a personal offer, the better one
14 days more without an order     lapsed

7 days after their first order    a bonus for the next one
60 days later                     lapsed

the second order                  converted, wherever they stand
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from temporalio import workflow

from workflows.toolkit import Between, Enrollment, Journey, Outcome, Plan, Reentry, days, hours


@dataclass(frozen=True, kw_only=True)
class LadderOptions:
    """When each rung comes. `welcome`: whether the first is given here, and not by another journey."""

    welcome: bool = True
    personal_after: Annotated[timedelta, Between(days(1), days(60))] = days(10)
    give_up_after: Annotated[timedelta, Between(days(1), days(90))] = days(14)
    bonus_after: Annotated[timedelta, Between(hours(1), days(60))] = days(7)
    bonus_counts_for: Annotated[timedelta, Between(days(1), days(180))] = days(60)


@workflow.defn
class OfferLadder(Journey):
    plan = Plan(
        starts_on=("signed_up",),
        hears=("order_placed",),
        reentry=Reentry.NEVER,
        options=LadderOptions,
    )

    @workflow.run
    async def run(self, enrollment: Enrollment) -> Outcome:
        options: LadderOptions = self.options
        if options.welcome:
            await self.send("welcome_discount")
        if not await self.order_within(options.personal_after):
            await self.send("personal_offer")
            if not await self.order_within(options.give_up_after):
                return Outcome.LAPSED

        if await self.order_within(options.bonus_after):
            return Outcome.CONVERTED
        await self.send("repeat_bonus")
        return Outcome.CONVERTED if await self.order_within(options.bonus_counts_for) else Outcome.LAPSED

    async def order_within(self, time: timedelta) -> bool:
        """Whether they order (again) in the time to come."""
        return await self.wait_for("order_placed", within=time) is not None
