"""The least that a Temporal workflow can do to answer a start or a signal: one activity, which does nothing."""

import time
from datetime import timedelta

from temporalio import activity, workflow

WITHIN = timedelta(seconds=30)


@activity.defn
async def nothing() -> float:
    """Answers when it ran, by the clock that all processes of a machine share."""
    return time.monotonic()


@workflow.defn
class Started:
    """Acts when it starts."""

    @workflow.run
    async def run(self) -> float:
        return await workflow.execute_activity(nothing, start_to_close_timeout=WITHIN)


@workflow.defn
class Waiting:
    """Waits for a signal, then acts."""

    def __init__(self) -> None:
        self._told = False

    @workflow.signal
    def go(self) -> None:
        """What it waits for."""
        self._told = True

    @workflow.run
    async def run(self) -> float:
        await workflow.wait_condition(lambda: self._told)
        return await workflow.execute_activity(nothing, start_to_close_timeout=WITHIN)
