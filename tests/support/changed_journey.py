"""A journey of the tests' own, and what became of it: with a step more, carelessly and with care."""

from temporalio import workflow

from domain.durations import days
from workflows.toolkit import Enrollment, Journey, Outcome, Plan


@workflow.defn
class Trial(Journey):
    """Two letters, and a wait between them."""

    plan = Plan(starts_on=("trial_started",), hears=("looked",), goal="bought")

    @workflow.run
    async def run(self, enrollment: Enrollment) -> Outcome:
        await self.send("note")
        await self.wait_for("looked", within=days(5))
        await self.send("receipt")
        return Outcome.LAPSED


@workflow.defn(name="Trial")
class CarelessTrial(Journey):
    """A letter more, before the first."""

    plan = Trial.plan

    @workflow.run
    async def run(self, enrollment: Enrollment) -> Outcome:
        await self.customer()
        await self.send("either")
        await self.send("note")
        await self.wait_for("looked", within=days(5))
        await self.send("receipt")
        return Outcome.LAPSED


@workflow.defn(name="Trial")
class CarefulTrial(Journey):
    """The same, for whoever begins now."""

    plan = Trial.plan

    @workflow.run
    async def run(self, enrollment: Enrollment) -> Outcome:
        if workflow.patched("a-letter-before-the-note"):
            await self.customer()
            await self.send("either")
        await self.send("note")
        await self.wait_for("looked", within=days(5))
        await self.send("receipt")
        return Outcome.LAPSED
