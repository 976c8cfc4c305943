"""NPS: would they recommend us? Asked each quarter, and whoever is unhappy is called (S57, S58, S69).

the sweep finds it due    the question, at ten in the morning where they live
0 to 6                    a call by whoever looks after them, within a day; offers are held until it is settled
7 or 8                    thanks on the page, and nothing more
9 or 10                   the same; the referral is a journey of its own
2 weeks without answer    lapsed
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from temporalio import workflow

from workflows.toolkit import Between, Enrollment, Journey, Outcome, Plan, Reentry, days, hours


@dataclass(frozen=True, kw_only=True)
class NpsOptions:
    """Up to which score somebody is called, how soon, and how long we wait for an answer."""

    call_up_to: Annotated[int, Between(0, 8)] = 6
    call_within: Annotated[timedelta, Between(hours(1), days(7))] = days(1)
    give_up_after: Annotated[timedelta, Between(days(1), days(60))] = days(14)


@workflow.defn
class Nps(Journey):
    plan = Plan(
        starts_on=("nps_due",),
        hears=("survey_answered",),
        reentry=Reentry.AFTER_A_TIME,
        reentry_after=days(60),
        priority=4,
        options=NpsOptions,
    )

    @workflow.run
    async def run(self, enrollment: Enrollment) -> Outcome:
        options: NpsOptions = self.options
        await self.wait_until("10:00")
        score = await self.ask("would_you_recommend_us", within=options.give_up_after)
        if score is None:
            return Outcome.LAPSED

        if score <= options.call_up_to:
            await self.create_task("call_the_unhappy", due_within=options.call_within)
        return Outcome.CONVERTED
