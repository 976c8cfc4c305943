"""Silent loss: somebody was interested and is gone without a word; the staff hear of it, and where it was (S61).

14 days without a sign of life    their colleague, or else the staff, are told: the stage, and the last that happened
14 days later                     lapsed; converted if they are back by then

ordered, or the deal is decided, at any time    converted or exited: nobody was lost in silence
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from temporalio import workflow

from workflows.toolkit import Between, Enrollment, Journey, Outcome, Plan, Reentry, days

INTEREST = ("downloaded", "calculator_used", "webinar_attended", "form_submitted", "call_held", "meeting_held")
SIGNS = (*INTEREST, "visited", "page_viewed", "product_viewed", "message_opened", "message_clicked", "replied")


@dataclass(frozen=True, kw_only=True)
class SilenceOptions:
    """How long a silence means something, and how long we look whether they come back."""

    silent_after: Annotated[timedelta, Between(days(2), days(90))] = days(14)
    back_within: Annotated[timedelta, Between(days(1), days(90))] = days(14)


@workflow.defn
class SilentLoss(Journey):
    plan = Plan(
        starts_on=INTEREST,
        hears=SIGNS,
        goal="order_placed",
        exits=("deal_won", "deal_lost"),
        reentry=Reentry.AFTER_A_TIME,
        reentry_after=days(60),
        options=SilenceOptions,
    )

    @workflow.run
    async def run(self, enrollment: Enrollment) -> Outcome:
        options: SilenceOptions = self.options
        if (await self.customer()).orders:
            return Outcome.EXITED  # a customer who falls silent is another story
        while await self.wait_for_any(*SIGNS, within=options.silent_after):
            pass  # still there

        await self.tell("gone_quiet")
        back = await self.wait_for_any(*SIGNS, within=options.back_within)
        return Outcome.CONVERTED if back else Outcome.LAPSED
