"""One customer's walk: what others can tell it, how it waits, how it ends, and what an operator reads of it.

Goals, exits and leavings act while the walk waits; no author of a journey writes anything. A walk without end begins a
fresh run of its workflow from time to time, so that no history grows for years; it stays one enrollment.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, NoReturn, TypeVar

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from activities.walking import EndRequest, MissedRequest, WalkingActivities
from domain.clock import Pace
from domain.events import HeardEvent, Inbox
from domain.journeys import SIGNALS_IN_ALL, Carried, Ending, Enrollment, Leaving, Outcome, Plan
from domain.options import restore_options, written_options
from workflows.toolkit.options import ACTIVITY

STORY = 12  # steps kept in the current details
KEPT = SIGNALS_IN_ALL  # heard events that a fresh run still knows: no more are told one by one in a whole walk

_Request = TypeVar("_Request")
_Answer = TypeVar("_Answer")


class FreshRun(BaseException):
    """`run` has come to where a fresh run may begin, with this state. No `except Exception` of an author catches it."""

    def __init__(self, state: Any) -> None:
        super().__init__("a fresh run begins")
        self.state = state


class Walk:
    """What every walk does, whatever its journey says."""

    plan: ClassVar[Plan]
    longest_run: ClassVar[int] = 500
    """Events of a history after which a walk without end begins a fresh run. Replay compares: never change it."""

    @workflow.init
    def __init__(self, enrollment: Enrollment) -> None:
        self.enrollment = enrollment
        self.options = restore_options(self.plan.options, enrollment.options)
        self._pace = Pace(anchor=enrollment.anchor, pace=enrollment.pace)
        before = enrollment.carried or Carried(
            state={}, visits={}, seen=[], waiting=[], caught_up_to=0, behind=False, story=[]
        )
        self.carried = restore_options(self.plan.carries, before.state)
        self._inbox = Inbox(seen=before.seen, waiting=before.waiting)
        self._visits = dict(before.visits)
        self._releases = 0
        self._behind = before.behind
        self._caught_up_to = before.caught_up_to
        self._planned: Ending | None = None
        self._walk: asyncio.Task[Outcome] | None = None
        self._story = list(before.story)

    def now(self) -> datetime:
        """Business time."""
        return self._pace.business(workflow.now())

    def elapsed(self) -> timedelta:
        """Business time since the enrollment began."""
        return self.now() - self.enrollment.started_at

    # What others tell a walk -----------------------------------------------------------------------------------------

    @workflow.signal
    def customer_event(self, event: HeardEvent) -> None:
        """The customer did something that this journey listens for."""
        self._inbox.put(event)

    @workflow.signal
    def ended(self, told: dict[str, str]) -> None:
        """The goal was reached, or an exit was taken: the walk ends wherever it stands."""
        self._planned = self._planned or Ending(outcome=Outcome(told["outcome"]))
        if self._walk:
            self._walk.cancel()

    @workflow.signal
    def released(self) -> None:
        """What held a send back is gone."""
        self._releases += 1

    @workflow.signal
    def catch_up(self) -> None:
        """More happened than was told one by one: read it before the next wait goes on."""
        self._behind = True

    # How a walk runs and ends ----------------------------------------------------------------------------------------

    async def walk(self, run: Callable[[], Awaitable[Outcome]]) -> str:
        """Run the plan; record its ending, whichever way it came. The interceptor `Endings` calls this."""
        ending, failed = self._planned, ""
        if ending is None:
            self._walk = asyncio.ensure_future(run())
            try:
                ending = Ending(outcome=await self._walk)
            except FreshRun as fresh:
                if self._planned is None:
                    self._begin_anew(fresh.state)
                ending = self._planned  # told at the very moment: it counts
            except (asyncio.CancelledError, FailureError) as error:
                if self._planned is not None:  # the goal or an exit, seen from inside whatever the walk awaited
                    ending = self._planned
                elif is_cancelled_exception(error):
                    await self._end(Ending(leaving=Leaving.STOPPED_BY_OPERATOR))
                    raise
                else:
                    failed = type(error.__cause__ or error).__name__
                    await self._end(Ending(leaving=Leaving.FAILED), failed)
                    raise
        return (await self._end(ending)).word

    def _begin_anew(self, state: Any) -> NoReturn:
        """A fresh run of the same workflow id. What is told meanwhile Temporal hands over before this one ends."""
        carried = Carried(
            state=written_options(state),
            visits=self._visits,
            seen=self._inbox.seen(KEPT),
            waiting=self._inbox.waiting(KEPT),
            caught_up_to=self._caught_up_to,
            behind=self._behind,
            story=self._story,
        )
        workflow.continue_as_new(replace(self.enrollment, carried=carried))

    async def _end(self, ending: Ending, failed: str = "") -> Ending:
        request = EndRequest(
            enrollment=self.enrollment.id, customer=self.enrollment.customer, ending=ending, failed=failed
        )
        written = await asyncio.shield(
            workflow.execute_activity_method(WalkingActivities.end, request, summary="record the ending", **ACTIVITY)
        )
        self._note(f"ended: {written.word.replace('_', ' ')}")
        self._tell("")
        return written

    async def _ask(
        self, activity: Callable[[Any, _Request], Awaitable[_Answer]], request: _Request, *, summary: str
    ) -> _Answer:
        """Have an activity done. An ending that is told at the moment of its answer counts: the SDK then gives the
        answer, and forgets that the walk was to stop.
        """
        answer = await workflow.execute_activity_method(activity, request, summary=summary, **ACTIVITY)
        if self._planned:
            raise asyncio.CancelledError
        return answer

    async def _wait_until(self, until: datetime, what: str, come: Callable[[], bool] = lambda: False) -> None:
        """Wait for an instant of business time or for what may come, catching up when told to."""
        summary = f"{what}, until {hour(until)}"
        self._tell(summary)
        while not come():
            remaining = self._pace.lasting(until - self.now())
            if remaining <= timedelta(0):
                return
            try:
                await workflow.wait_condition(
                    lambda: come() or self._behind, timeout=remaining, timeout_summary=summary
                )
            except TimeoutError:
                return
            if self._behind:
                await self._read_missed()

    async def _read_missed(self) -> None:
        self._behind = False
        # After the last catch-up, not after the last event heard: budgets are per name, so a later event of another
        # name may have been told while earlier ones were not. The inbox ignores what it knows.
        request = MissedRequest(
            enrollment=self.enrollment.id, customer=self.enrollment.customer, after=self._caught_up_to
        )
        for event in await self._ask(WalkingActivities.catch_up, request, summary="catch up on what happened"):
            self._inbox.put(event)
            self._caught_up_to = max(self._caught_up_to, event.number)

    def _note(self, what: str) -> None:
        self._story = [*self._story[-STORY:], f"- {hour(self.now())} {what}"]

    def _tell(self, now: str) -> None:
        """What an operator reads in the Web UI."""
        story = "\n".join(self._story)
        workflow.set_current_details(f"**Now:** {now}\n\n{story}" if now else story)


def hour(at: datetime) -> str:
    return f"{at:%a %d %b %H:%M}"
