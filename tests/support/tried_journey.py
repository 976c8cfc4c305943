"""A journey that tries something out."""

from temporalio import workflow

from workflows.toolkit import Enrollment, Journey, Outcome, Plan


@workflow.defn
class Trial(Journey):
    """Asks twice for a variant; the second walk gets what the first got."""

    plan = Plan(starts_on=("trial_started",), experiments={"tone": ("plain", "warm")})

    @workflow.run
    async def run(self, enrollment: Enrollment) -> Outcome:
        first, again = await self.variant("tone"), await self.variant("tone")
        assert first == again
        return Outcome.CONVERTED if first == "warm" else Outcome.LAPSED
