"""VIP welcome: who came to spend the most with us gets a person, not more letters (S38, S6).

at once     a colleague is told and becomes their person: writes or calls within 2 days
1 day       a letter that says whom to turn to
30 days     what would you change? answered by that colleague
60 days     lapsed

orders again, at any time        converted
a VIP no more, at any time       exited
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from temporalio import workflow

from workflows.toolkit import (
    Between,
    Enrollment,
    Journey,
    Outcome,
    Plan,
    Reentry,
    days,
    entering_segment,
    hours,
    leaving_segment,
)


@dataclass(frozen=True, kw_only=True)
class VipOptions:
    """How soon a colleague is in touch, and when their letters come, from the day they became a VIP."""

    in_touch_within: Annotated[timedelta, Between(hours(4), days(14))] = days(2)
    letter_on_day: Annotated[timedelta, Between(hours(1), days(14))] = days(1)
    question_on_day: Annotated[timedelta, Between(days(7), days(90))] = days(30)
    goodbye_on_day: Annotated[timedelta, Between(days(14), days(180))] = days(60)


@workflow.defn
class VipWelcome(Journey):
    plan = Plan(
        starts_on=(entering_segment("vip"),),
        goal="order_placed",
        exits=(leaving_segment("vip"),),
        reentry=Reentry.AFTER_A_TIME,
        reentry_after=days(365),
        priority=2,
        options=VipOptions,
    )

    @workflow.run
    async def run(self, enrollment: Enrollment) -> Outcome:
        options: VipOptions = self.options
        await self.tell("a_new_vip")
        await self.create_task("be_their_person", due_within=options.in_touch_within)
        await self.wait(options.letter_on_day)
        await self.send("your_person")

        await self.wait(options.question_on_day - self.elapsed())
        await self.send("what_would_you_change")

        await self.wait(options.goodbye_on_day - self.elapsed())
        return Outcome.LAPSED
