"""Upsell: the next step, at the moment when it helps (S51).

it works for them (activated)       3 days later: what goes further from here
a limit is reached                  at once: a plan with more room
                                    3 days later: a person offers to look at it together
one feature is used a lot           at once: what goes with it
14 days later                       lapsed

the plan is upgraded, at any time    converted
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from temporalio import workflow

from workflows.toolkit import Between, Enrollment, Journey, Outcome, Plan, Reentry, days, hours


@dataclass(frozen=True, kw_only=True)
class UpsellOptions:
    """How long success is left to be enjoyed, and how long somebody at a limit is left to choose by themselves."""

    next_step_after: Annotated[timedelta, Between(hours(1), days(30))] = days(3)
    person_after: Annotated[timedelta, Between(hours(4), days(30))] = days(3)
    give_up_after: Annotated[timedelta, Between(days(1), days(60))] = days(14)


@workflow.defn
class Upsell(Journey):
    plan = Plan(
        starts_on=("activated", "limit_reached", "feature_used_heavily"),
        goal="plan_upgraded",
        reentry=Reentry.AFTER_A_TIME,
        reentry_after=days(30),
        priority=4,
        options=UpsellOptions,
    )

    @workflow.run
    async def run(self, enrollment: Enrollment) -> Outcome:
        options: UpsellOptions = self.options
        match enrollment.cause:
            case "limit_reached":
                await self.send("more_room")
                await self.wait(options.person_after)
                await self.create_task("talk_about_more_room", due_within=days(1))
            case "feature_used_heavily":
                await self.send("what_goes_with_it")
            case _:
                await self.wait(options.next_step_after)
                await self.send("next_step")

        await self.wait(options.give_up_after)
        return Outcome.LAPSED
