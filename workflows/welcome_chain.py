"""Welcome chain: stay beside a new customer until the product works for them (S43, S44, S48, S68).

day 0    greeting with the first steps
day 2    the basics, unless they already use the product
day 5    did it work out?
day 7    personal help: a task for a manager, and a letter that says so
day 10   lapsed

stuck in set-up, at any time    help at once
activated, at any time          converted, and nothing more is sent

`activated` is the moment when they see what they bought it for (S48): a first deal closed, a first process automated.
The product sends it, once; `FirstSuccess` goes on from there.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from temporalio import workflow

from workflows.toolkit import Between, Enrollment, Journey, Outcome, Plan, Reentry, days, hours


@dataclass(frozen=True, kw_only=True)
class WelcomeOptions:
    """When each step is due, counted from the day the customer entered."""

    basics_on_day: Annotated[timedelta, Between(hours(1), days(30))] = days(2)
    question_on_day: Annotated[timedelta, Between(hours(1), days(60))] = days(5)
    help_on_day: Annotated[timedelta, Between(hours(1), days(90))] = days(7)
    goodbye_on_day: Annotated[timedelta, Between(hours(1), days(120))] = days(10)


@workflow.defn
class WelcomeChain(Journey):
    plan = Plan(
        starts_on=("order_placed", "deal_won"),
        may_start_on=("signed_up",),
        hears=("feature_used", "setup_stuck"),
        goal="activated",
        reentry=Reentry.AFTER_A_TIME,
        reentry_after=days(180),
        options=WelcomeOptions,
    )
    helped = False

    @workflow.run
    async def run(self, enrollment: Enrollment) -> Outcome:
        options: WelcomeOptions = self.options
        await self.send("greeting")

        await self.stay_beside(options.basics_on_day)
        if not await self.already_uses_it():
            await self.send("basics")

        await self.stay_beside(options.question_on_day)
        await self.send("did_it_work")

        await self.stay_beside(options.help_on_day)
        await self.create_task("personal_help", due_within=days(1))
        await self.send("personal_help")

        await self.stay_beside(options.goodbye_on_day)
        return Outcome.LAPSED

    async def stay_beside(self, day: timedelta) -> None:
        """Wait until a day of the journey; whoever gets stuck in set-up meanwhile is helped at once, and once."""
        while await self.wait_for("setup_stuck", within=day - self.elapsed()):
            if not self.helped:
                self.helped = True
                await self.send("setup_help")

    async def already_uses_it(self) -> bool:
        """Whether they used the product since they entered, or before."""
        return self.heard("feature_used") or (await self.customer()).feature_used_at is not None
