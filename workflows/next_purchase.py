"""Next purchase: the next pack in time, or what goes with the last one; each by their own rhythm (S35, S56, S6).

regulars: 2 days before their rhythm says so    is it time for more? With what they ordered last
others: 30 days after the order                 accessories for it, with a code
14 days later                                   converted if they have ordered since, else lapsed

ordered again before that                       exited: the newer order has a walk of its own
cancelled or returned, at any time              exited
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from temporalio import workflow

from workflows.toolkit import Between, Enrollment, Journey, Outcome, Plan, days, hours


@dataclass(frozen=True, kw_only=True)
class NextPurchaseOptions:
    """When we speak, counted from the order. `by_rhythm`: whether what this shop sells is bought again and again.

    `ahead` of the day on which a regular would order by themselves; an order within `counts_for` is our success.
    """

    by_rhythm: bool = True
    ahead: Annotated[timedelta, Between(hours(1), days(14))] = days(2)
    accessories_after: Annotated[timedelta, Between(days(1), days(180))] = days(30)
    counts_for: Annotated[timedelta, Between(days(1), days(90))] = days(14)


@workflow.defn
class NextPurchase(Journey):
    plan = Plan(
        about="order",
        starts_on=("order_placed",),
        exits=("order_cancelled", "order_returned"),
        priority=4,
        options=NextPurchaseOptions,
    )

    @workflow.run
    async def run(self, enrollment: Enrollment) -> Outcome:
        options: NextPurchaseOptions = self.options
        rhythm = (await self.customer()).cadence if options.by_rhythm else None
        await self.wait(max(rhythm - options.ahead, days(1)) if rhythm else options.accessories_after)
        if await self.ordered_again():
            return Outcome.EXITED

        if rhythm:
            await self.send("time_for_more")
        else:
            await self.send("accessories")

        await self.wait(options.counts_for)
        return Outcome.CONVERTED if await self.ordered_again() else Outcome.LAPSED

    async def ordered_again(self) -> bool:
        """Whether an order that stands is newer than the one that this walk is about."""
        last = (await self.customer()).last_order_at
        return last is not None and last > self.enrollment.started_at
