"""WelcomeChain changed as careless and careful authors would: replaying must tell them apart."""

import asyncio

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


@workflow.defn(name="WelcomeChain")
class NeverLooks(WelcomeChain):
    """A look at the customer before the basics is no longer there."""

    plan = WelcomeChain.plan

    @workflow.run
    async def run(self, enrollment: Enrollment) -> Outcome:
        return await super().run(enrollment)

    async def already_uses_it(self) -> bool:
        return self.heard("feature_used")


@workflow.defn(name="WelcomeChain")
class Clumsy(WelcomeChain):
    """Raises after the greeting."""

    plan = WelcomeChain.plan

    @workflow.run
    async def run(self, enrollment: Enrollment) -> Outcome:
        await self.send("greeting")
        raise TypeError("a slip")


@workflow.defn(name="WelcomeChain")
class Hasty(WelcomeChain):
    """Looks at the customer while it begins to wait."""

    plan = WelcomeChain.plan

    @workflow.run
    async def run(self, enrollment: Enrollment) -> Outcome:
        await self.send("greeting")
        looking = asyncio.create_task(self.customer())
        await self.stay_beside(self.options.basics_on_day)
        await looking
        return Outcome.LAPSED


@workflow.defn(name="WelcomeChain")
class Patched(WelcomeChain):
    """One wait more, for whoever begins now."""

    plan = WelcomeChain.plan

    @workflow.run
    async def run(self, enrollment: Enrollment) -> Outcome:
        if workflow.patched("a-wait-before-all"):
            await self.wait(hours(1))
        return await super().run(enrollment)
