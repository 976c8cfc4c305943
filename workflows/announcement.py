"""Announcement: one message that a marketer sends to a segment; now, at an hour, or each week (S71, S81–S88).

now, or at the hour where the customer lives, or on the day of the week, so many weeks in a row    the message
3 days later                                                                                       lapsed
                                                                  converted, if they followed it (the last one)
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from temporalio import workflow

from workflows.toolkit import Between, Enrollment, Journey, Kind, Outcome, Plan, Reaction, Weekday, days


class Announced(StrEnum):
    """What is announced: a folder of messages, whose words are the marketer's."""

    NEWS = "news"
    INVITATION = "invitation"
    SALE = "sale"


class When(StrEnum):
    """When it goes."""

    NOW = "now"
    AT_HOUR = "at_hour"
    WEEKLY = "weekly"


@dataclass(frozen=True, kw_only=True)
class AnnouncementOptions:
    """What goes, and when. `hour` is the customer's own; `weekday` and `weeks` are for what goes weekly."""

    message: Announced = Announced.NEWS
    when: When = When.NOW
    hour: Annotated[int, Between(9, 20)] = 10
    weekday: Weekday = Weekday.TUESDAY
    weeks: Annotated[int, Between(1, 52)] = 4


@workflow.defn
class Announcement(Journey):
    plan = Plan(kind=Kind.SCHEDULED, priority=4, options=AnnouncementOptions)

    @workflow.run
    async def run(self, enrollment: Enrollment) -> Outcome:
        options: AnnouncementOptions = self.options
        clock = f"{options.hour:02}:00"
        match options.when:
            case When.NOW:
                await self.announce()
            case When.AT_HOUR:
                await self.wait_until(clock)
                await self.announce()
            case When.WEEKLY:
                for _ in range(options.weeks):
                    await self.wait_until(clock, weekday=options.weekday)
                    await self.announce()
                    await self.wait(days(1))

        await self.wait(days(3))
        followed = await self.reaction(options.message) is Reaction.CLICKED
        return Outcome.CONVERTED if followed else Outcome.LAPSED

    async def announce(self) -> None:
        """Send what was chosen."""
        match self.options.message:
            case Announced.NEWS:
                await self.send("news")
            case Announced.INVITATION:
                await self.send("invitation")
            case Announced.SALE:
                await self.send("sale")
