"""Reactivation: who fell silent is reminded, then offered something, then asked why, in 14 days (S36, S49, S67, C5).

each at ten in the morning where they live:
day 0     what is new
          still with us, and only our letters go unread (no verified open for 30 days): less often instead, and no more
day 4     asleep for 90 days: a personal discount, by letter, and by the next channel if that was not seen
day 9     why did you go? A bad experience: somebody calls
day 14    lapsed

ordered, at any time                                        converted
back by themselves (a click, a visit, a cart), at any time    exited
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from temporalio import workflow

from workflows.toolkit import (
    Audience,
    Between,
    CustomerFacts,
    Enrollment,
    Journey,
    Kind,
    Outcome,
    Plan,
    Reentry,
    days,
    hours,
)


class Asked(StrEnum):
    """The survey that this journey asks."""

    SILENCE = "silence"


class Why(StrEnum):
    """The answer that somebody acts on."""

    BAD_EXPERIENCE = "bad_experience"


@dataclass(frozen=True, kw_only=True)
class ReactivationOptions:
    """When each step is due, counted from the day they entered, and who counts as still with us."""

    still_with_us_within: Annotated[timedelta, Between(days(7), days(180))] = days(30)
    offer_on_day: Annotated[timedelta, Between(days(1), days(30))] = days(4)
    next_channel_after: Annotated[timedelta, Between(hours(4), days(4))] = days(1)
    question_on_day: Annotated[timedelta, Between(days(2), days(60))] = days(9)
    goodbye_on_day: Annotated[timedelta, Between(days(3), days(90))] = days(14)
    call_within: Annotated[timedelta, Between(hours(1), days(7))] = days(1)


@workflow.defn
class Reactivation(Journey):
    plan = Plan(
        kind=Kind.REACTIVATION,
        starts_on=("became_dormant", "engagement_lost"),
        hears=("survey_answered",),
        properties={"survey_answered": {"survey": Asked, "reason": Why}},
        goal="order_placed",
        exits=("message_clicked", "page_viewed", "category_viewed", "product_viewed", "cart_updated", "feature_used"),
        reentry=Reentry.AFTER_A_TIME,
        reentry_after=days(45),
        options=ReactivationOptions,
    )

    @workflow.run
    async def run(self, enrollment: Enrollment) -> Outcome:
        options: ReactivationOptions = self.options
        await self.wait_until("10:00")
        customer = await self.customer()
        if self.is_still_with_us(customer):
            await self.send("less_often")
            return Outcome.LAPSED

        await self.send("what_is_new")

        if Audience.SLEEPING in customer.audiences:
            await self.morning_of(options.offer_on_day)
            await self.cascade("come_back_for_less", next_channel_after=options.next_channel_after)

        await self.morning_of(options.question_on_day)
        await self.send("why_did_you_go")
        if await self.went_badly(until=options.goodbye_on_day):
            await self.create_task("make_it_right", due_within=options.call_within)
        await self.wait(options.goodbye_on_day - self.elapsed())
        return Outcome.LAPSED

    async def morning_of(self, day: timedelta) -> None:
        """Wait until ten in the morning, where they live, on a day of the journey."""
        await self.wait(day - self.elapsed())
        await self.wait_until("10:00")

    def is_still_with_us(self, customer: CustomerFacts) -> bool:
        """Whether they did something lately: then they do not miss us, but our letters miss them."""
        last, within = customer.last_active_at, self.options.still_with_us_within
        return last is not None and self.now() - last < within

    async def went_badly(self, *, until: timedelta) -> bool:
        """Whether they answer that something went wrong, by a day of the journey."""
        while answer := await self.wait_for("survey_answered", within=until - self.elapsed()):
            if answer.properties.get("survey") == Asked.SILENCE:
                return answer.properties.get("reason") == Why.BAD_EXPERIENCE
        return False
