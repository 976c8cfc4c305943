"""Hot lead: whoever looks at the prices hears from a person while they are still choosing (S66, S64).

at once                 a colleague is told, and calls within 2 hours; after that the task goes to the head
could not be reached    once more, within a day
3 days later            nobody did: lapsed

called, or a deal is won, at any time         converted
asks by themselves, or orders, at any time    exited: a request has its own journey

Only leads, and only those who can be reached and have not refused: whoever has ordered, or uses the product, is not
called for a look at the prices. And no letters: nobody likes to read that we saw them looking.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from temporalio import workflow

from workflows.toolkit import (
    Between,
    Enrollment,
    Journey,
    On,
    Outcome,
    Plan,
    Reentry,
    TaskOutcome,
    days,
    hours,
    minutes,
)


class Call(StrEnum):
    """The tasks of this journey."""

    FIRST = "call_hot_lead"
    AGAIN = "call_hot_lead_again"


@dataclass(frozen=True, kw_only=True)
class HotLeadOptions:
    """How soon a colleague calls, how soon again whoever was not reached, and when a call is given up."""

    call_within: Annotated[timedelta, Between(minutes(15), days(3))] = hours(2)
    call_again_within: Annotated[timedelta, Between(hours(1), days(7))] = days(1)
    give_up_after: Annotated[timedelta, Between(hours(4), days(30))] = days(3)


@workflow.defn
class HotLead(Journey):
    plan = Plan(
        starts_on=(On("page_viewed", {"page": "pricing"}),),
        may_start_on=("calculator_used", "webinar_attended"),
        hears=("task_closed",),
        properties={"task_closed": {"task": Call, "outcome": TaskOutcome}},
        goal="deal_won",
        exits=("demo_requested", "offer_requested", "order_placed"),
        reentry=Reentry.AFTER_A_TIME,
        reentry_after=days(14),
        priority=1,
        options=HotLeadOptions,
    )

    @workflow.run
    async def run(self, enrollment: Enrollment) -> Outcome:
        options: HotLeadOptions = self.options
        if not await self.is_a_lead():
            return Outcome.EXITED

        await self.tell("looks_at_the_prices")
        await self.create_task("call_hot_lead", due_within=options.call_within)
        await self.update_crm(stage="decision", task="call_hot_lead")

        called = await self.wait_for_task("call_hot_lead", within=options.give_up_after)
        if called is TaskOutcome.NO_ANSWER:
            await self.create_task("call_hot_lead_again", due_within=options.call_again_within)
            called = await self.wait_for_task("call_hot_lead_again", within=options.give_up_after)

        outcome = Outcome.CONVERTED if called is TaskOutcome.DONE else Outcome.LAPSED
        await self.update_crm(outcome=outcome)
        return outcome

    async def is_a_lead(self) -> bool:
        """Whether they have bought nothing yet, do not use the product, and there is a way to reach them."""
        customer = await self.customer()
        return customer.orders == 0 and customer.activated_at is None and bool(customer.reachable)
