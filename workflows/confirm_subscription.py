"""Confirm a subscription: whose address was written into a form says themselves whether they want to hear from us.

at once        one letter with one question
asked again    once more, for who did not find it
14 days later  lapsed, without a word

confirmed, at any time    converted: from now on we may write

Nobody is reminded. An address that does not answer may be that of somebody who never asked.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from temporalio import workflow

from workflows.toolkit import Between, Enrollment, Journey, On, Outcome, Plan, days, minutes

SOON = minutes(10)  # a form sent twice is not somebody who asks again


@dataclass(frozen=True, kw_only=True)
class ConfirmOptions:
    """How long the answer may take. The link in the letter is good for thirty days."""

    give_up_after: Annotated[timedelta, Between(days(1), days(30))] = days(14)


@workflow.defn
class ConfirmSubscription(Journey):
    plan = Plan(
        starts_on=(On("consent_requested", {"channel": "email"}),),
        hears=("consent_requested",),
        goal="consent_confirmed",
        priority=1,
        options=ConfirmOptions,
    )

    @workflow.run
    async def run(self, enrollment: Enrollment) -> Outcome:
        options: ConfirmOptions = self.options
        await self.send("please_confirm")

        asked_again = False
        while await self.wait_for("consent_requested", within=options.give_up_after - self.elapsed()):
            if not asked_again and self.elapsed() >= SOON:
                asked_again = True
                await self.send("please_confirm")
        return Outcome.LAPSED
