"""Category view: whoever looks around in a category gets help with the choice (S30).

3 hours after the last look    the five with the most for the money in it, by letter, else by notification
3 days later                   lapsed

ordered, at any time                             converted
something is in the cart, at any time            exited: the choice is made
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from temporalio import workflow

from workflows.toolkit import Between, Enrollment, Journey, Outcome, Plan, Reentry, days, hours, minutes


@dataclass(frozen=True, kw_only=True)
class CategoryOptions:
    """How long somebody looks around in peace, and how long after our help an order counts as its effect."""

    help_after: Annotated[timedelta, Between(minutes(30), days(3))] = hours(3)
    give_up_after: Annotated[timedelta, Between(hours(1), days(30))] = days(3)


@workflow.defn
class CategoryView(Journey):
    plan = Plan(
        starts_on=("category_viewed",),
        hears=("category_viewed",),
        goal="order_placed",
        exits=("cart_updated", "checkout_started"),
        reentry=Reentry.AFTER_A_TIME,
        reentry_after=days(7),
        fresh_within=hours(6),
        priority=4,
        options=CategoryOptions,
    )

    @workflow.run
    async def run(self, enrollment: Enrollment) -> Outcome:
        options: CategoryOptions = self.options
        while await self.wait_for("category_viewed", within=options.help_after):
            pass  # still looking

        await self.send("top_five")
        await self.wait(options.give_up_after)
        return Outcome.LAPSED
