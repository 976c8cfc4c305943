"""First success: the product works for them; what now, and how was the way there (S48, S57, S58)?

the next morning at 10:00, by their clock    it works: three next steps
3 days later                                 how did it start? one question, from 1 to 5
1 or 2 of 5                                  a colleague calls within a day; offers are held until it is settled
a week without an answer                     lapsed
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from temporalio import workflow

from workflows.toolkit import Between, Enrollment, Journey, Outcome, Plan, Reentry, days, hours


@dataclass(frozen=True, kw_only=True)
class SuccessOptions:
    """When we ask how it started, up to which score a colleague calls, how soon, and how long we wait for an answer."""

    ask_after: Annotated[timedelta, Between(hours(4), days(30))] = days(3)
    call_up_to: Annotated[int, Between(1, 3)] = 2
    call_within: Annotated[timedelta, Between(hours(1), days(7))] = days(1)
    give_up_after: Annotated[timedelta, Between(days(1), days(30))] = days(7)


@workflow.defn
class FirstSuccess(Journey):
    plan = Plan(
        starts_on=("activated",),
        hears=("survey_answered",),
        reentry=Reentry.NEVER,
        options=SuccessOptions,
    )

    @workflow.run
    async def run(self, enrollment: Enrollment) -> Outcome:
        options: SuccessOptions = self.options
        await self.wait_until("10:00")
        await self.send("it_works")

        await self.wait(options.ask_after)
        score = await self.ask("how_did_it_start", within=options.give_up_after)
        if score is None:
            return Outcome.LAPSED
        if score <= options.call_up_to:
            await self.create_task("mend_the_start", due_within=options.call_within)
        return Outcome.CONVERTED
