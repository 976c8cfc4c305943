"""Order and delivery: the order is safe, here is where it is, and is everything fine? (S32–S34, C7).

at once                   a text and a letter: we have the order, here is the receipt
when it is on its way     so much, and where it can be followed
1 day after delivery      is everything fine? By WhatsApp, or else by letter
3 days after delivery     five tips for the first days
                          converted: it came, and we stood by

not delivered in 45 days               lapsed
a complaint about it after delivery    exited: people talk to them now
cancelled or returned, at any time     exited
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from temporalio import workflow

from workflows.toolkit import Between, Enrollment, Journey, Outcome, Plan, days, hours


@dataclass(frozen=True, kw_only=True)
class DeliveryOptions:
    """When we ask and when we give tips, both counted from delivery (C7), and how long a delivery is waited for."""

    ask_after: Annotated[timedelta, Between(hours(1), days(14))] = days(1)
    tips_after: Annotated[timedelta, Between(hours(1), days(30))] = days(3)
    give_up_after: Annotated[timedelta, Between(days(1), days(180))] = days(45)


@workflow.defn
class OrderAndDelivery(Journey):
    plan = Plan(
        about="order",
        starts_on=("order_placed",),
        hears=("order_shipped", "order_delivered", "complaint_opened"),
        exits=("order_cancelled", "order_returned"),
        serves=True,
        priority=1,
        options=DeliveryOptions,
    )

    @workflow.run
    async def run(self, enrollment: Enrollment) -> Outcome:
        options: DeliveryOptions = self.options
        await self.send("received")
        await self.send("receipt")

        news = await self.wait_for_any("order_shipped", "order_delivered", within=options.give_up_after)
        if news and news.name == "order_shipped":
            await self.send("on_its_way")
            news = await self.wait_for("order_delivered", within=options.give_up_after)
        if not news:
            return Outcome.LAPSED

        if await self.complaint_before(news.at + options.ask_after):
            return Outcome.EXITED
        await self.send("is_everything_fine")

        if await self.complaint_before(news.at + options.tips_after):
            return Outcome.EXITED
        await self.send("five_tips")
        return Outcome.CONVERTED

    async def complaint_before(self, instant: datetime) -> bool:
        """Wait until an instant; whether they complained of this order meanwhile."""
        return await self.wait_for("complaint_opened", within=instant - self.now()) is not None
