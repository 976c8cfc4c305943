"""Win-back: one good offer for whoever has not been here for half a year, one last word, then silence (S50, S99).

day 0     the best that we can offer, at ten in the morning where they live
day 21    the last letter: shall we go on? One press is enough
day 35    lapsed: from now on the contact policy lets nothing through but receipts and help, until they come back

ordered, at any time                                          converted
back by themselves (a click, a visit, a cart), at any time    exited
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from temporalio import workflow

from workflows.toolkit import Between, Enrollment, Journey, Kind, On, Outcome, Plan, Reentry, days


@dataclass(frozen=True, kw_only=True)
class WinBackOptions:
    """When the last letter is due and when we fall silent, counted from the day they entered."""

    last_letter_on_day: Annotated[timedelta, Between(days(3), days(60))] = days(21)
    silence_on_day: Annotated[timedelta, Between(days(7), days(90))] = days(35)


@workflow.defn
class WinBack(Journey):
    plan = Plan(
        kind=Kind.REACTIVATION,
        starts_on=("became_gone",),
        may_start_on=(On("rfm_segment_entered", {"segment": ("hibernating", "lost")}),),
        goal="order_placed",
        exits=("message_clicked", "page_viewed", "category_viewed", "product_viewed", "cart_updated", "feature_used"),
        reentry=Reentry.AFTER_A_TIME,
        reentry_after=days(180),
        options=WinBackOptions,
    )

    @workflow.run
    async def run(self, enrollment: Enrollment) -> Outcome:
        options: WinBackOptions = self.options
        await self.wait_until("10:00")
        await self.send("the_door_is_open")

        await self.wait(options.last_letter_on_day - self.elapsed())
        await self.wait_until("10:00")
        await self.send("shall_we_go_on")

        await self.wait(options.silence_on_day - self.elapsed())
        await self.update_crm(stage="lost", outcome=Outcome.LAPSED)
        return Outcome.LAPSED
