"""After a purchase: would they recommend us by this order? A survey of its own (S37, C6, S58).

10 days after delivery    the question, at ten in the morning where they live
0 to 6                    a call within a day; offers are held until it is settled
2 weeks without answer    lapsed

sent back, or a complaint, at any time    exited: that is for people to talk about, and so is a complaint that came
                                          before the delivery and is open when we would ask
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from temporalio import workflow

from workflows.toolkit import Between, Enrollment, Journey, Outcome, Plan, Reentry, days, hours


@dataclass(frozen=True, kw_only=True)
class PurchaseOptions:
    """When we ask, up to which score somebody calls, how soon, and how long we wait for an answer."""

    ask_after: Annotated[timedelta, Between(days(1), days(60))] = days(10)
    call_up_to: Annotated[int, Between(0, 8)] = 6
    call_within: Annotated[timedelta, Between(hours(1), days(7))] = days(1)
    give_up_after: Annotated[timedelta, Between(days(1), days(60))] = days(14)


@workflow.defn
class PurchaseNps(Journey):
    plan = Plan(
        starts_on=("order_delivered",),
        hears=("survey_answered",),
        exits=("order_returned", "complaint_opened"),
        reentry=Reentry.AFTER_A_TIME,
        reentry_after=days(90),
        priority=4,
        options=PurchaseOptions,
    )

    @workflow.run
    async def run(self, enrollment: Enrollment) -> Outcome:
        options: PurchaseOptions = self.options
        await self.wait(options.ask_after)
        await self.wait_until("10:00")
        if (await self.customer()).complains:
            return Outcome.EXITED
        score = await self.ask("how_was_this_order", within=options.give_up_after)
        if score is None:
            return Outcome.LAPSED

        if score <= options.call_up_to:
            await self.create_task("call_the_unhappy", due_within=options.call_within)
        return Outcome.CONVERTED
