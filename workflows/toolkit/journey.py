"""The base of every journey: the verbs that `run` is written in, and what others can tell a walk.

Each verb is about one Temporal call. Goals, exits and leavings act while the journey waits; no author writes anything.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, ClassVar

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from activities.people import CrmRequest, PeopleActivities, TaskRequest, TellRequest
from activities.sending import SendingActivities, SendRequest
from activities.walking import EndRequest, MissedRequest, VariantRequest, WalkingActivities
from domain.clock import Pace
from domain.customers import CustomerFacts
from domain.durations import spoken
from domain.events import HeardEvent, Inbox
from domain.journeys import Ending, Enrollment, Leaving, Outcome, Plan
from domain.options import restore_options
from domain.sends import TOUCHING, WAITING, SendResult, SendState
from workflows.toolkit.declaring import check_crm_facts, check_plan
from workflows.toolkit.options import ACTIVITY

STORY = 12  # steps kept in the current details


class Journey:
    """A plan for a customer. Subclasses declare `plan` and write `run`."""

    plan: ClassVar[Plan]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        check_plan(cls.__name__, cls.__dict__.get("plan"))

    @workflow.init
    def __init__(self, enrollment: Enrollment) -> None:
        self.enrollment = enrollment
        self.options = restore_options(self.plan.options, enrollment.options)
        self._pace = Pace(anchor=enrollment.anchor, pace=enrollment.pace)
        self._inbox = Inbox()
        self._visits: dict[str, int] = {}
        self._releases = 0
        self._behind = False
        self._caught_up_to = 0
        self._planned: Ending | None = None
        self._walk: asyncio.Task[Outcome] | None = None
        self._story: list[str] = []

    # The verbs a journey is written in -------------------------------------------------------------------------------

    async def send(self, message: str) -> SendState:
        """Send a message, when the contact policy lets it, and say what became of it."""
        return (await self._send(message, self._visit(f"send {message}"))).state

    async def cascade(self, message: str, *, next_channel_after: timedelta) -> SendState:
        """Send a message by one channel after another until it is seen, as one touch (C1).

        Says that it went out when any leg did; otherwise what became of the first.
        """
        visit, leg, gone = self._visit(f"send {message}"), 0, None
        while True:
            result = await self._send(message, visit, cascade=True, leg=leg)
            leg += 1
            if result.state in TOUCHING:
                gone = gone or result.state
            elif result.state is not SendState.FAILED:
                return gone or result.state
            if leg >= result.legs:
                return gone or result.state
            if result.state in TOUCHING:
                await self.wait(next_channel_after)

    async def wait(self, duration: timedelta) -> None:
        """Leave the customer in peace for a while."""
        await self._wait_until(self.now() + duration, f"wait {spoken(duration)}")

    async def wait_for(self, event: str, *, within: timedelta) -> HeardEvent | None:
        """The customer's next `event`, or None once `within` has passed.

        One that came earlier in the journey counts, unless a wait has already taken it.
        """
        return await self.wait_for_any(event, within=within)

    async def wait_for_any(self, *events: str, within: timedelta) -> HeardEvent | None:
        """The next of several events, or None once `within` has passed."""
        names = " or ".join(events)
        await self._wait_until(
            self.now() + within,
            f"wait for {names}",
            lambda: self._inbox.peek(*events) is not None,
        )
        heard = self._inbox.take(*events)
        if heard:
            self._note(f"heard {heard.name}")
        return heard

    async def customer(self) -> CustomerFacts:
        """Fresh facts about the customer."""
        return await workflow.execute_activity_method(
            WalkingActivities.customer, self.enrollment.customer, summary="look at the customer", **ACTIVITY
        )

    async def variant(self, experiment: str) -> str:
        """Which variant of an experiment this customer gets: the same whenever it is asked, in every walk."""
        request = VariantRequest(
            enrollment=self.enrollment.id, customer=self.enrollment.customer, experiment=experiment
        )
        found = await workflow.execute_activity_method(
            WalkingActivities.variant, request, summary=f"variant of {experiment}", **ACTIVITY
        )
        self._note(f"{experiment}: {found}")
        return found

    async def create_task(self, name: str, *, due_within: timedelta) -> None:
        """Ask a person to act. The words are in `templates/tasks/`."""
        request = TaskRequest(
            enrollment=self.enrollment.id,
            customer=self.enrollment.customer,
            name=name,
            visit=self._visit(f"task {name}"),
            due_at=self.now() + due_within,
        )
        await workflow.execute_activity_method(PeopleActivities.create_task, request, summary=name, **ACTIVITY)
        self._note(f"task for a person: {name}")

    async def tell(self, name: str) -> None:
        """Tell the customer's owner, or else the staff, never the customer. The words are in `templates/notices/`."""
        request = TellRequest(
            enrollment=self.enrollment.id,
            customer=self.enrollment.customer,
            name=name,
            visit=self._visit(f"tell {name}"),
        )
        await workflow.execute_activity_method(PeopleActivities.tell, request, summary=name, **ACTIVITY)
        self._note(f"told the staff: {name}")

    async def update_crm(self, *, stage: str = "", outcome: Outcome | None = None, task: str = "") -> None:
        """Say to the CRM what stage the customer is in, how this journey ended, which task of it somebody has now."""
        check_crm_facts(type(self).__name__, stage, task, self._visits.get(f"task {task}", 0))
        request = CrmRequest(
            enrollment=self.enrollment.id,
            customer=self.enrollment.customer,
            visit=self._visit("crm"),
            stage=stage,
            outcome=outcome,
            task=task,
            task_visit=self._visits.get(f"task {task}", 0),
        )
        await workflow.execute_activity_method(PeopleActivities.update_crm, request, summary="CRM", **ACTIVITY)
        self._note("told the CRM")

    def heard(self, event: str) -> bool:
        """Whether an event came that no wait has taken yet."""
        return self._inbox.peek(event) is not None

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

    async def _send(self, message: str, visit: int, *, cascade: bool = False, leg: int = 0) -> SendResult:
        """One send, for as long as the contact policy makes it wait."""
        request = SendRequest(
            enrollment=self.enrollment.id,
            customer=self.enrollment.customer,
            message=message,
            visit=visit,
            cascade=cascade,
            leg=leg,
        )
        while True:
            self._tell(f"sending {message}")
            releases = self._releases
            result: SendResult = await workflow.execute_activity_method(
                SendingActivities.send, request, summary=message, **ACTIVITY
            )
            if result.state not in WAITING or result.until is None:
                self._note(f"{message}: {result.state.value}" + (f" by {result.channel}" if result.channel else ""))
                return result
            why = result.rule.replace("_", " ")
            self._note(f"{message}: {result.state.value}, {why}, until {_hour(result.until)}")
            await self._wait_until(result.until, f"{message} waits: {why}", self._release_after(releases))

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

    async def _wait_until(self, until: datetime, what: str, come: Callable[[], bool] = lambda: False) -> None:
        """Wait for an instant of business time or for what may come, catching up when told to."""
        summary = f"{what}, until {_hour(until)}"
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
        for event in await workflow.execute_activity_method(
            WalkingActivities.catch_up, request, summary="catch up on what happened", **ACTIVITY
        ):
            self._inbox.put(event)
            self._caught_up_to = max(self._caught_up_to, event.number)

    def _release_after(self, seen: int) -> Callable[[], bool]:
        return lambda: self._releases > seen

    def _visit(self, step: str) -> int:
        self._visits[step] = self._visits.get(step, 0) + 1
        return self._visits[step]

    def _note(self, what: str) -> None:
        self._story = [*self._story[-STORY:], f"- {_hour(self.now())} {what}"]

    def _tell(self, now: str) -> None:
        """What an operator reads in the Web UI."""
        story = "\n".join(self._story)
        workflow.set_current_details(f"**Now:** {now}\n\n{story}" if now else story)


def _hour(at: datetime) -> str:
    return f"{at:%a %d %b %H:%M}"
