"""Abandoned cart: what was left behind waits, and its owner knows it while it matters (S31, C1, C12).

2 hours after the last change    the cart waits; order by 18:00 and it comes tomorrow
                                 past 17:00, by the customer's clock: the same without that promise
4 hours later, not seen          once more by the next channel: one touch, texts last
3 days later                     lapsed

ordered, at any time    converted, and nothing more is sent
emptied, at any time    exited
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from temporalio import workflow

from workflows.toolkit import Between, Enrollment, Journey, Outcome, Plan, Reentry, SendState, days, hours, minutes


@dataclass(frozen=True, kw_only=True)
class CartOptions:
    """How long a cart rests before its owner hears of it, when the next channel follows, and when it is given up."""

    remind_after: Annotated[timedelta, Between(minutes(15), days(2))] = hours(2)
    next_channel_after: Annotated[timedelta, Between(hours(1), days(2))] = hours(4)
    give_up_after: Annotated[timedelta, Between(hours(1), days(30))] = days(3)


@workflow.defn
class AbandonedCart(Journey):
    plan = Plan(
        about="cart",
        starts_on=("cart_updated",),
        may_start_on=("checkout_started",),
        hears=("cart_updated", "checkout_started"),
        goal="order_placed",
        exits=("cart_emptied",),
        reentry=Reentry.AFTER_A_TIME,
        reentry_after=days(7),
        fresh_within=hours(6),
        priority=2,
        options=CartOptions,
    )

    @workflow.run
    async def run(self, enrollment: Enrollment) -> Outcome:
        options: CartOptions = self.options
        while await self.wait_for_any("cart_updated", "checkout_started", within=options.remind_after):
            pass  # still shopping

        reminded = await self.cascade("order_by_six", next_channel_after=options.next_channel_after)
        if reminded is SendState.EXPIRED:
            await self.cascade("still_waiting", next_channel_after=options.next_channel_after)

        await self.wait(options.give_up_after)
        return Outcome.LAPSED
