"""Support rating: after a contact with support, did it help? A bad answer goes to the head (S57, S58).

3 hours after the ticket is closed    the question
1 or 2 of 5                           the head of support calls within four hours; offers are held until it is settled
a week without answer                 lapsed

written to again, at any time         exited: it is not over, so it is not the time to ask
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from temporalio import workflow

from workflows.toolkit import Between, Enrollment, Journey, Outcome, Plan, Reentry, days, hours, minutes


@dataclass(frozen=True, kw_only=True)
class RatingOptions:
    """When we ask, up to which score the head calls, how soon, and how long we wait for an answer."""

    ask_after: Annotated[timedelta, Between(minutes(10), days(7))] = hours(3)
    call_up_to: Annotated[int, Between(1, 3)] = 2
    call_within: Annotated[timedelta, Between(hours(1), days(3))] = hours(4)
    give_up_after: Annotated[timedelta, Between(days(1), days(30))] = days(7)


@workflow.defn
class SupportRating(Journey):
    plan = Plan(
        starts_on=("ticket_closed",),
        hears=("survey_answered",),
        exits=("support_contacted",),
        reentry=Reentry.AFTER_A_TIME,
        reentry_after=days(14),
        options=RatingOptions,
    )

    @workflow.run
    async def run(self, enrollment: Enrollment) -> Outcome:
        options: RatingOptions = self.options
        await self.wait(options.ask_after)
        score = await self.ask("did_we_help", within=options.give_up_after)
        if score is None:
            return Outcome.LAPSED

        if score <= options.call_up_to:
            await self.create_task("make_it_right", due_within=options.call_within)
        return Outcome.CONVERTED
