"""WelcomeChain with a step slipped in before the basics, as a careless author would: replaying must catch it."""

from temporalio import workflow

from domain.durations import hours
from workflows.toolkit import Enrollment, Outcome
from workflows.welcome_chain import WelcomeChain


@workflow.defn(name="WelcomeChain")
class AlteredWelcomeChain(WelcomeChain):
    """One wait too many."""

    plan = WelcomeChain.plan

    @workflow.run
    async def run(self, enrollment: Enrollment) -> Outcome:
        await self.wait(hours(1))
        return await super().run(enrollment)


@workflow.defn(name="WelcomeChain")
class RewordedWelcomeChain(WelcomeChain):
    """The same steps at other times: allowed at any time."""

    plan = WelcomeChain.plan

    @workflow.run
    async def run(self, enrollment: Enrollment) -> Outcome:
        self.options = type(self.options)(basics_on_day=hours(60), goodbye_on_day=hours(300))
        return await super().run(enrollment)
