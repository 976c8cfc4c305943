"""A journey of the tests' own that does not let go: whoever has bought, or left, hears from it once more."""

import asyncio
from contextlib import suppress

from temporalio import workflow

from workflows.toolkit import Enrollment, Journey, Outcome, Plan, days


@workflow.defn
class Stubborn(Journey):
    """One more word."""

    plan = Plan(starts_on=("met",), goal="bought", exits=("moved_away",))

    @workflow.run
    async def run(self, enrollment: Enrollment) -> Outcome:
        with suppress(asyncio.CancelledError):
            await self.wait(days(1))
        await self.send("one_more_word")
        return Outcome.LAPSED
