"""Referral: whoever would gladly recommend us is given something to do it with (S37, S59).

a 9 or a 10, and 14 days since the purchase    a code for friends
2 weeks later                                  tell how it went: a review, or their story as a case
4 weeks after that                             lapsed

a friend ordered, at any time    converted
a complaint, at any time         exited
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from temporalio import workflow

from workflows.toolkit import Between, Enrollment, Journey, On, Outcome, Plan, Reentry, at_least, days


@dataclass(frozen=True, kw_only=True)
class ReferralOptions:
    """How long after the purchase friends are thought of, when a review is asked for, and when we let it rest."""

    after_purchase: Annotated[timedelta, Between(days(0), days(90))] = days(14)
    review_after: Annotated[timedelta, Between(days(1), days(90))] = days(14)
    give_up_after: Annotated[timedelta, Between(days(1), days(120))] = days(28)


@workflow.defn
class Referral(Journey):
    plan = Plan(
        starts_on=(On("survey_answered", {"survey": ("nps", "purchase_nps"), "score": at_least(9)}),),
        goal="friend_ordered",
        exits=("complaint_opened",),
        reentry=Reentry.AFTER_A_TIME,
        reentry_after=days(180),
        options=ReferralOptions,
    )

    @workflow.run
    async def run(self, enrollment: Enrollment) -> Outcome:
        options: ReferralOptions = self.options
        bought_at = (await self.customer()).last_order_at
        if bought_at:
            await self.wait(bought_at + options.after_purchase - self.now())
        await self.wait_until("10:00")
        await self.send("for_your_friends")

        await self.wait(options.review_after)
        await self.wait_until("10:00")
        await self.send("tell_how_it_went")

        await self.wait(options.give_up_after)
        return Outcome.LAPSED
