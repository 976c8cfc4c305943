"""Any number of walks on one virtual clock: what is due next happens next, and time between costs nothing."""

import heapq
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from temporalio.worker import Interceptor, UnsandboxedWorkflowRunner, WorkflowInterceptorClassInput, WorkflowRunner

from adapters.temporal import DATA_CONVERTER
from tropa.rehearsal.limits import SECOND, CannotRehearse, WalkBroke
from tropa.rehearsal.run import Run
from tropa.rehearsal.sdk import Instance, Making, activity_definition, workflow_definition
from tropa.rehearsal.stage import Call
from workflows.toolkit.endings import Endings

LATENCY = timedelta(milliseconds=10)
AT_ONCE = 5000  # things without any time between them
_RUNS = UUID("5f0c2f3e-9a31-5d2b-9a53-54726f706132")

Perform = Callable[[Call], Any]


class Engine:
    """Runs workflow classes as Temporal would, for as long as they ask only for what is modelled here.

    Modelled: activities with their retries, timers, signals, cancellation, queries, patches, memo, continuing as new.
    Anything else is refused. Two things at the same instant happen in the order in which they were asked for.
    An activity takes `LATENCY` and is done by `perform`, in the thread that runs this.
    """

    def __init__(
        self,
        *,
        workflows: Iterable[type],
        activities: Iterable[Callable[..., Any]],
        perform: Perform,
        start: datetime,
        runner: WorkflowRunner | None = None,
        interceptors: Sequence[Interceptor] = (Endings(),),
    ) -> None:
        self.converter = DATA_CONVERTER
        self.latency = round(LATENCY.total_seconds() * SECOND)
        self.now = _nanoseconds(start)
        self.perform = perform
        self.runs: dict[str, list[Run]] = {}
        self._definitions = {each.name: each for each in map(workflow_definition, workflows)}
        self._activities = {}
        for each in activities:
            name, types = activity_definition(each)
            self._activities[name] = (each, types)
        asked = WorkflowInterceptorClassInput(unsafe_extern_functions={})
        classes = [each.workflow_interceptor_class(asked) for each in interceptors]
        self._making = Making(
            runner=runner or UnsandboxedWorkflowRunner(),
            converter=self.converter,
            interceptors=[each for each in classes if each],
        )
        self._heap: list[tuple[int, int, bool, Callable[[], None]]] = []
        self._tie = 0

    # What others do to walks -----------------------------------------------------------------------------------------

    def start(self, workflow: str, *arguments: Any, id: str) -> str | None:
        """Start a workflow, unless one of this id was ever started. Answers the run's id."""
        if id in self.runs:
            return None
        run = Run(
            self,
            workflow=id,
            run=self._run_id(id, 0),
            type=workflow,
            input=self.converter.payload_converter.to_payloads(arguments),
        )
        self._enter(run)
        return run.run

    def signal(self, id: str, name: str, *arguments: Any) -> bool:
        """Signal a workflow. Answers whether it is there and open."""
        payloads = self.converter.payload_converter.to_payloads(arguments)
        return self._tell(id, lambda run: run.signal(name, payloads))

    def cancel(self, id: str, reason: str = "") -> bool:
        """Ask for a workflow's cancellation. Answers as `signal`."""
        return self._tell(id, lambda run: run.cancel(reason))

    def query(self, id: str, name: str, *arguments: Any, result_type: type | None = None) -> Any:
        """Ask an open workflow. Raises LookupError, or what the query raises."""
        converter = self.converter.payload_converter
        answer = self.latest(id).query(name, converter.to_payloads(arguments))
        if answer.HasField("failed"):
            raise self.converter.failure_converter.from_failure(answer.failed, converter)
        return converter.from_payloads([answer.succeeded.response], [result_type] if result_type else None)[0]

    def latest(self, id: str) -> Run:
        """The newest run of a workflow. Raises LookupError."""
        return self.runs[id][-1]

    # Time ------------------------------------------------------------------------------------------------------------

    @property
    def time(self) -> datetime:
        """Virtual time."""
        return datetime.fromtimestamp(self.now / SECOND, UTC)

    @property
    def next(self) -> datetime | None:
        """When something happens next, if nobody does anything."""
        return datetime.fromtimestamp(self._heap[0][0] / SECOND, UTC) if self._heap else None

    def run(self, until: datetime) -> None:
        """Let time pass. Raises CannotRehearse, and WalkBroke when a walk's code does."""
        stop = _nanoseconds(until)
        self._until(lambda: stop)
        self.now = max(self.now, stop)

    def settle(self) -> None:
        """Do whatever goes on at once, and leave alone what waits. Raises as `run`."""
        self._until(lambda: min((at for at, _, prompt, _ in self._heap if prompt), default=-1))

    def _until(self, stop: Callable[[], int]) -> None:
        here, count = self.now, 0
        while self._heap and self._heap[0][0] <= stop():
            at, _, _, action = heapq.heappop(self._heap)
            count = count + 1 if at - here < SECOND else 0
            here = here if count else at
            if count > AT_ONCE:
                raise WalkBroke("A walk", ", ".join(self.runs), "it goes round in circles while no time passes")
            self.now = at
            action()

    # What runs need --------------------------------------------------------------------------------------------------

    def at(self, instant: int, action: Callable[[], None], *, prompt: bool = False) -> None:
        """See `Stage`."""
        self._tie += 1
        heapq.heappush(self._heap, (max(instant, self.now), self._tie, prompt, action))

    def activity(self, name: str) -> tuple[Callable[..., Any], list[type] | None] | None:
        """See `Stage`."""
        return self._activities.get(name)

    def continue_anew(self, run: Run, command: Any) -> None:
        """See `Stage`."""
        following = Run(
            self,
            workflow=run.workflow,
            run=self._run_id(run.workflow, len(self.runs[run.workflow])),
            type=command.workflow_type or run.type,
            input=command.arguments,
            previous=run,
        )
        self._enter(following, after=command.backoff_start_interval.ToNanoseconds())

    def _enter(self, run: Run, after: int = 0) -> None:
        if run.type not in self._definitions:
            raise CannotRehearse(run.type, "a workflow that nobody serves here")
        self.runs.setdefault(run.workflow, []).append(run)
        self.at(self.now + after, lambda: self._begin(run), prompt=not after)

    def _begin(self, run: Run) -> None:
        run.begin(
            Instance(
                self._making,
                self._definitions[run.type],
                workflow=run.workflow,
                run=run.run,
                first_run=run.first_run,
                continued=run.continued,
                memo=run.memo,
                at=self.now,
            )
        )

    def _tell(self, id: str, deliver: Callable[[Run], None]) -> bool:
        """The newest run when it is delivered, which may be another than now."""
        if id not in self.runs or self.latest(id).closed:
            return False

        def arrive() -> None:
            run = self.latest(id)
            if run.begun:
                deliver(run)
            else:
                run.early.append(lambda: deliver(run))

        self.at(self.now, arrive, prompt=True)
        return True

    @staticmethod
    def _run_id(workflow: str, count: int) -> str:
        return str(uuid5(_RUNS, f"{workflow}/{count}"))


def _nanoseconds(at: datetime) -> int:
    return int(at.timestamp()) * SECOND + at.microsecond * 1000
