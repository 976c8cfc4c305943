"""A journey of the tests' own that turns to people: somebody is told, somebody is to call, and the CRM knows."""

from enum import StrEnum

from temporalio import workflow

from workflows.toolkit import Enrollment, Journey, Outcome, Plan, TaskOutcome, days, hours


class Work(StrEnum):
    """The tasks of this journey."""

    CALL = "call"


@workflow.defn
class HotLead(Journey):
    """Looked at the prices: a colleague calls within two hours (S66, S41)."""

    plan = Plan(
        starts_on=("pricing_viewed",),
        hears=("task_closed",),
        properties={"task_closed": {"task": Work, "outcome": TaskOutcome}},
    )

    @workflow.run
    async def run(self, enrollment: Enrollment) -> Outcome:
        await self.tell("hot")
        await self.create_task("call", due_within=hours(2))
        await self.update_crm(stage="decision", task="call")

        heard = await self.wait_for("task_closed", within=days(1))
        reached = heard is not None and heard.properties.get("outcome") == TaskOutcome.DONE
        outcome = Outcome.CONVERTED if reached else Outcome.LAPSED
        await self.update_crm(outcome=outcome)
        return outcome
