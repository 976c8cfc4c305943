"""Lead request: whoever asks for a demo, an offer or a call never waits in silence (S41).

at once        the customer hears that we have it; a colleague is told, and answers within 4 hours
4 hours        nobody did: the task goes to the head
1 day          still nobody: the staff are alarmed, and the customer hears that we are late and whom to write to
4 days         lapsed

could not be reached    a letter that asks when it suits, and no more calls into the void
answered, or a deal is won, at any time    converted
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from temporalio import workflow

from workflows.toolkit import Between, Enrollment, Journey, Outcome, Plan, TaskOutcome, days, hours, minutes


class Work(StrEnum):
    """The task of this journey."""

    ANSWER = "answer_request"


@dataclass(frozen=True, kw_only=True)
class RequestOptions:
    """The deadline of the answer, when we own up to being late, and when the request counts as lost."""

    answer_within: Annotated[timedelta, Between(minutes(15), days(3))] = hours(4)
    late_after: Annotated[timedelta, Between(hours(1), days(7))] = days(1)
    give_up_after: Annotated[timedelta, Between(hours(4), days(30))] = days(3)


@workflow.defn
class LeadRequest(Journey):
    plan = Plan(
        starts_on=("demo_requested", "offer_requested", "callback_requested"),
        may_start_on=("form_submitted",),
        hears=("task_closed",),
        properties={"task_closed": {"task": Work, "outcome": TaskOutcome}},
        goal="deal_won",
        serves=True,
        priority=1,
        options=RequestOptions,
    )

    @workflow.run
    async def run(self, enrollment: Enrollment) -> Outcome:
        options: RequestOptions = self.options
        await self.tell("somebody_asks")
        await self.create_task("answer_request", due_within=options.answer_within)
        await self.send("we_have_it")
        await self.update_crm(stage="decision", task="answer_request")

        answered = await self.wait_for_task("answer_request", within=options.late_after)
        if answered is None:
            await self.tell("nobody_answers")
            await self.send("we_are_late")
            answered = await self.wait_for_task("answer_request", within=options.give_up_after)

        if answered is TaskOutcome.NO_ANSWER:
            await self.send("when_suits_you")
        outcome = Outcome.CONVERTED if answered is TaskOutcome.DONE else Outcome.LAPSED
        await self.update_crm(outcome=outcome)
        return outcome
