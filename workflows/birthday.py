"""Birthday: good wishes and a present, on the day (S54).

on the day            wishes, and a code as a present; it waits for the morning where the customer lives
                      for a VIP, a colleague congratulates in person, too
14 days later         lapsed

ordered, at any time    converted
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from temporalio import workflow

from workflows.toolkit import Audience, Between, Enrollment, Journey, Outcome, Plan, Reentry, days, hours


@dataclass(frozen=True, kw_only=True)
class BirthdayOptions:
    """Whether a colleague congratulates a VIP in person, and how long an order counts as the present's effect."""

    in_person: bool = True
    counts_for: Annotated[timedelta, Between(days(1), days(60))] = days(14)


@workflow.defn
class Birthday(Journey):
    plan = Plan(
        starts_on=("birthday",),
        goal="order_placed",
        reentry=Reentry.AFTER_A_TIME,
        reentry_after=days(300),
        fresh_within=days(2),
        priority=2,
        options=BirthdayOptions,
    )

    @workflow.run
    async def run(self, enrollment: Enrollment) -> Outcome:
        options: BirthdayOptions = self.options
        if options.in_person and Audience.VIP in (await self.customer()).audiences:
            await self.create_task("congratulate", due_within=hours(12))
        await self.send("present")

        await self.wait(options.counts_for)
        return Outcome.LAPSED
