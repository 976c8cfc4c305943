"""Workflows of the tests' own that do what is hard to rehearse."""

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

MINUTE = timedelta(minutes=1)
CALL: dict[str, Any] = {
    "start_to_close_timeout": MINUTE,
    "retry_policy": RetryPolicy(initial_interval=timedelta(seconds=10), maximum_interval=MINUTE),
}


@activity.defn
async def work(what: str) -> str:
    """Never called: the tests answer."""
    return what


@workflow.defn(sandboxed=False)
class Race:
    """Signals race timers, losers are cancelled, and after ten rounds it continues as new, twice."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.done = 0

    @workflow.run
    async def run(self, rounds: int) -> str:
        if workflow.patched("louder"):
            await workflow.execute_activity(work, "loud", **CALL)
        for number in range(10):
            both = asyncio.gather(self._sleep(number), workflow.execute_activity(work, f"round {number}", **CALL))
            over = both.done
            try:
                await workflow.wait_condition(lambda: bool(self.told) or over(), timeout=timedelta(hours=20))  # noqa: B023
            except TimeoutError:
                self.done += 1
            if self.told:
                both.cancel()
                self.told.pop(0)
            await asyncio.gather(both, return_exceptions=True)
        workflow.upsert_memo({"rounds": rounds})
        if rounds < 2:
            workflow.continue_as_new(rounds + 1)
        return f"{workflow.random().randint(0, 10**9)} {workflow.memo_value('rounds', type_hint=int)}"

    async def _sleep(self, number: int) -> None:
        await asyncio.sleep(3600 * (number + 1))

    @workflow.signal
    async def tell(self, what: str) -> None:
        """Takes its time to hear."""
        await workflow.execute_activity(work, what, **CALL)
        self.told.append(what)

    @workflow.query
    def rounds(self) -> int:
        """How many rounds ended by time."""
        return self.done


@workflow.defn(sandboxed=False)
class Farewell:
    """Waits for ever; when it is cancelled, it says goodbye first."""

    @workflow.run
    async def run(self) -> None:
        try:
            await workflow.wait_condition(lambda: False)
        except asyncio.CancelledError:
            await asyncio.shield(workflow.execute_activity(work, "goodbye", **CALL))
            raise


@workflow.defn(sandboxed=False)
class Fails:
    """Its one activity may fail, which it passes on by its type."""

    @workflow.run
    async def run(self, tries: int) -> str:
        policy = RetryPolicy(
            initial_interval=timedelta(seconds=10), maximum_attempts=tries, non_retryable_error_types=["Hopeless"]
        )
        try:
            return await workflow.execute_activity(work, "it", start_to_close_timeout=MINUTE, retry_policy=policy)
        except ActivityError as error:
            cause = error.cause
            raise ApplicationError("in vain", type=getattr(cause, "type", None)) from None


@workflow.defn(sandboxed=False)
class Wants:
    """Asks for what is not modelled."""

    @workflow.run
    async def run(self, what: str) -> None:
        match what:
            case "a deadline":
                await workflow.execute_activity(work, "", schedule_to_close_timeout=MINUTE)
            case "a child":
                await workflow.execute_child_workflow(Farewell.run)
            case "nobody's activity":
                await workflow.execute_activity("unheard_of", start_to_close_timeout=MINUTE)
            case "anew":
                workflow.continue_as_new("anew", run_timeout=MINUTE)
            case "a bug":
                raise RuntimeError("a bug")
            case "circles":
                while True:
                    await asyncio.sleep(0.0001)
            case "patience":
                await workflow.execute_activity(work, "", **CALL)


HARD = (Race, Farewell, Fails, Wants)
