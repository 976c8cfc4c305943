"""The base of every journey: the verbs that `run` is written in. Each is about one Temporal call."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from temporalio import workflow

from activities.people import CrmRequest, PeopleActivities, TaskRequest, TellRequest
from activities.sending import SendingActivities, SendRequest
from activities.walking import LocalTimeRequest, ReactionRequest, VariantRequest, WalkingActivities
from domain.customers import CustomerFacts
from domain.durations import spoken
from domain.events import HeardEvent
from domain.journeys import Outcome
from domain.local_time import Weekday, parse_clock
from domain.send_words import named, result_words
from domain.sends import TOUCHING, WAITING, Reaction, SendResult, SendState, send_id
from domain.surveys import SURVEY_ANSWERED
from domain.tasks import TaskOutcome
from workflows.toolkit.declaring import check_carried, check_crm_facts, check_plan
from workflows.toolkit.walk import FreshRun, Walk, hour


class Journey(Walk):
    """A plan for a customer. Subclasses declare `plan` and write `run`."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        check_plan(cls.__name__, cls.__dict__.get("plan"))

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

    async def ask(self, message: str, *, within: timedelta) -> int | None:
        """Send a message that asks a survey, and wait for its answer: the score, or None when there is none in time.

        Also None at once when the message did not go out. Only an answer to this very send counts.
        """
        visit = self._visit(f"send {message}")
        if (await self._send(message, visit)).state not in TOUCHING:
            return None
        asked = str(send_id(self.enrollment.id, message, visit))
        await self._wait_until(
            self.now() + within,
            f"wait for an answer to {message}",
            lambda: self._inbox.peek(SURVEY_ANSWERED, send=asked) is not None,
        )
        answer = self._inbox.take(SURVEY_ANSWERED, send=asked)
        score: int | None = answer.properties.get("score") if answer else None
        self._note(f"{named(message)} " + (f"answered: {score}" if answer else "not answered"))
        return score

    async def wait(self, duration: timedelta) -> None:
        """Leave the customer in peace for a while."""
        await self._wait_until(self.now() + duration, f"wait {spoken(duration)}")

    async def wait_until(self, clock: str, *, weekday: Weekday | None = None) -> None:
        """Wait until it is a time of day, such as "10:00", where the customer lives; on a weekday, if one is said."""
        request = LocalTimeRequest(
            customer=self.enrollment.customer, after=self.now(), clock=f"{parse_clock(clock):%H:%M}", weekday=weekday
        )
        what = f"{weekday.value if weekday else 'the next'} {clock}"
        until = await self._ask(WalkingActivities.local_time, request, summary=f"when is {what} there?")
        await self._wait_until(until, f"wait for {what} there")

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
            self._note(f"heard {heard.name.replace('_', ' ')}")
        return heard

    async def customer(self) -> CustomerFacts:
        """Fresh facts about the customer."""
        return await self._ask(WalkingActivities.customer, self.enrollment.customer, summary="look at the customer")

    async def reaction(self, message: str) -> Reaction:
        """What the customer did with the last send of a message here: nothing, saw it, clicked (S38)."""
        request = ReactionRequest(enrollment=self.enrollment.id, message=message)
        found = await self._ask(WalkingActivities.reaction, request, summary=f"reaction to {message}")
        self._note(f"{named(message)} {found.value.replace('_', ' ')}")
        return found

    async def variant(self, experiment: str) -> str:
        """Which variant of an experiment this customer gets: the same whenever it is asked, in every walk."""
        request = VariantRequest(
            enrollment=self.enrollment.id, customer=self.enrollment.customer, experiment=experiment
        )
        found = await self._ask(WalkingActivities.variant, request, summary=f"variant of {experiment}")
        self._note(f"variant of {experiment.replace('_', ' ')}: {found}")
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
        await self._ask(PeopleActivities.create_task, request, summary=name)
        self._note(f"task for a person: {name.replace('_', ' ')}")

    async def tell(self, name: str) -> None:
        """Tell the customer's owner, or else the staff, never the customer. The words are in `templates/notices/`."""
        request = TellRequest(
            enrollment=self.enrollment.id,
            customer=self.enrollment.customer,
            name=name,
            visit=self._visit(f"tell {name}"),
        )
        await self._ask(PeopleActivities.tell, request, summary=name)
        self._note(f"told the staff: {name.replace('_', ' ')}")

    async def wait_for_task(self, name: str, *, within: timedelta) -> TaskOutcome | None:
        """How somebody closed a task that this walk created, or None once `within` has passed.

        The plan hears `task_closed` and declares its properties `task`, an enum with this name, and `outcome`.
        """
        until = self.now() + within
        while heard := await self.wait_for("task_closed", within=until - self.now()):
            outcome = heard.properties.get("outcome")  # anybody may send an event of this name, that says less
            if heard.properties.get("task") == name and outcome:
                return TaskOutcome(outcome)
        return None

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
        await self._ask(PeopleActivities.update_crm, request, summary="CRM")
        self._note("told the CRM")

    async def go_on(self, state: Any) -> None:
        """For walks without end, once in each round: go on, with `state` in a fresh run when this one has grown long.

        There `run` begins again, with `self.carried` as the state, and nothing else of its own.
        """
        check_carried(type(self).__name__, self.plan, state)
        if workflow.info().get_current_history_length() >= self.longest_run:
            raise FreshRun(state)

    def heard(self, event: str) -> bool:
        """Whether an event came that no wait has taken yet."""
        return self._inbox.peek(event) is not None

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
            self._tell(f"sending {named(message)}")
            releases = self._releases
            result: SendResult = await self._ask(SendingActivities.send, request, summary=message)
            if result.state not in WAITING or result.until is None:
                self._note(result_words(message, result))
                return result
            why = result.rule.replace("_", " ")
            self._note(f"{result_words(message, result)}, until {hour(result.until)}")
            await self._wait_until(result.until, f"{message} waits: {why}", self._release_after(releases))

    def _release_after(self, seen: int) -> Callable[[], bool]:
        return lambda: self._releases > seen

    def _visit(self, step: str) -> int:
        self._visits[step] = self._visits.get(step, 0) + 1
        return self._visits[step]
