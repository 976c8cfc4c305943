"""The private parts of Temporal's SDK, all of them: an instance of a workflow class, driven by hand.

What is public here are `WorkflowRunner`, `WorkflowInstance` and `WorkflowInstanceDetails`. Not public, and therefore
nowhere else: the activation that core would send, the definitions behind the decorators, and the running loop, which
an activation leaves unset. `tests/rehearsal/test_engine.py` is what an upgrade of the SDK has to pass.
"""

import asyncio
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import temporalio.activity
import temporalio.bridge.proto.workflow_activation as activation
import temporalio.workflow
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.failure.v1 import Failure
from temporalio.common import MetricMeter, Priority, TypedSearchAttributes
from temporalio.converter import DataConverter, FailureConverter, PayloadConverter
from temporalio.worker import WorkflowInboundInterceptor, WorkflowInstanceDetails, WorkflowRunner

from tropa.rehearsal.seed import seed_of

TASK_QUEUE = "rehearsal"
TASK_TIMEOUT = timedelta(seconds=10)
SUGGEST_ANEW = 4096  # events, as the server does

Command = Any
"""One of core's commands: `WhichOneof("variant")` names it."""


def workflow_definition(of: type) -> Any:
    """What `@workflow.defn` knows of a class."""
    return temporalio.workflow._Definition.must_from_class(of)


def activity_definition(of: Callable[..., Any]) -> tuple[str, list[type] | None]:
    """An activity's name and the types of its arguments."""
    found = temporalio.activity._Definition.must_from_callable(of)
    return found.name or "", found.arg_types


@dataclasses.dataclass(frozen=True, kw_only=True)
class Making:
    """What every instance is made with."""

    runner: WorkflowRunner
    converter: DataConverter
    interceptors: Sequence[type[WorkflowInboundInterceptor]]


class TaskFailed(Exception):
    """A workflow's code raised what is no failure of the workflow (its cause); a server would try this for ever."""


class Instance:
    """One run of a workflow class. Every call is one activation and answers the commands that it led to."""

    def __init__(
        self,
        making: Making,
        definition: Any,
        *,
        workflow: str,
        run: str,
        first_run: str,
        continued: str | None,
        memo: Mapping[str, Payload],
        at: int,
    ) -> None:
        self._run, self._workflow, self._first_run = run, workflow, first_run
        self._type, self._seed = definition.name, seed_of(run)
        self._failures = remembering(making.converter.failure_converter_class)
        started = datetime.fromtimestamp(at / 1e9, UTC)
        info = temporalio.workflow.Info(
            attempt=1,
            continued_run_id=continued,
            cron_schedule=None,
            execution_timeout=None,
            first_execution_run_id=first_run,
            headers={},
            namespace="rehearsal",
            original_execution_run_id=run,
            parent=None,
            root=None,
            raw_memo=dict(memo),
            retry_policy=None,
            run_id=run,
            run_timeout=None,
            search_attributes={},
            start_time=started,
            workflow_start_time=started,
            task_queue=TASK_QUEUE,
            task_timeout=TASK_TIMEOUT,
            typed_search_attributes=TypedSearchAttributes.empty,
            workflow_id=workflow,
            workflow_type=self._type,
            priority=Priority.default,
        )
        details = WorkflowInstanceDetails(
            payload_converter_factory=lambda: making.converter.payload_converter,
            failure_converter_class=self._failures,
            interceptor_classes=making.interceptors,
            defn=definition,
            info=info,
            randomness_seed=self._seed,
            extern_functions={"__temporal_get_metric_meter": lambda: MetricMeter.noop},
            disable_eager_activity_execution=True,
            worker_level_failure_exception_types=[],
            patch_activation_callback=None,
            last_completion_result=Payloads(),
            last_failure=None,
        )
        with _loop_put_aside():
            carrier = asyncio.new_event_loop()  # the constructor wants a running one, to hang its runtime on
            asyncio._set_running_loop(carrier)
            try:
                self._instance = making.runner.create_instance(details)
            finally:
                carrier.close()

    def begin(self, at: int, arguments: Sequence[Payload]) -> Sequence[Command]:
        """The first task."""
        told, job = self._activation(at)
        begins = job.initialize_workflow
        begins.workflow_type, begins.workflow_id = self._type, self._workflow
        begins.randomness_seed, begins.attempt, begins.first_execution_run_id = self._seed, 1, self._first_run
        begins.arguments.extend(arguments)
        return self._activate(told)

    def signal(self, at: int, events: int, came: int, name: str, payloads: Sequence[Payload]) -> Sequence[Command]:
        """A signal came, as the event of that number."""
        told, job = self._activation(at, events)
        job.signal_workflow.originating_event_id = came
        job.signal_workflow.signal_name = name
        job.signal_workflow.input.extend(payloads)
        return self._activate(told)

    def cancel(self, at: int, events: int, reason: str) -> Sequence[Command]:
        """Somebody asked for its cancellation."""
        told, job = self._activation(at, events)
        job.cancel_workflow.reason = reason
        return self._activate(told)

    def fire_timer(self, at: int, events: int, timer: int) -> Sequence[Command]:
        """A timer fired."""
        told, job = self._activation(at, events)
        job.fire_timer.seq = timer
        return self._activate(told)

    def resolve(self, at: int, events: int, results: Mapping[int, Any]) -> Sequence[Command]:
        """Activities came to a result: each an `ActivityResolution`, by its number."""
        told = self._activation(at, events)[0]
        told.ClearField("jobs")
        for number, result in results.items():
            job = told.jobs.add().resolve_activity
            job.seq = number
            job.result.CopyFrom(result)
        return self._activate(told)

    def query(self, at: int, events: int, name: str, payloads: Sequence[Payload]) -> Command:
        """The answer to a query: `succeeded.response` or `failed`."""
        told, job = self._activation(at, events)
        job.query_workflow.query_id, job.query_workflow.query_type = "asked", name
        job.query_workflow.arguments.extend(payloads)
        return self._activate(told)[0].respond_to_query

    @property
    def workflow(self) -> Any:
        """The workflow object itself, where the runner has no sandbox; None before its first task."""
        return getattr(self._instance, "_object", None)

    def evict(self) -> None:
        """It has closed: let go of its tasks."""
        told, job = self._activation(0)
        job.remove_from_cache.SetInParent()
        self._activate(told)

    def _activation(self, at: int, events: int = 0) -> tuple[Any, Any]:
        told = activation.WorkflowActivation(
            run_id=self._run, history_length=events, continue_as_new_suggested=events > SUGGEST_ANEW
        )
        told.timestamp.FromNanoseconds(at)
        return told, told.jobs.add()

    def _activate(self, told: Any) -> Sequence[Command]:
        with _loop_put_aside():
            done = self._instance.activate(told)
        if done.HasField("failed"):
            raise TaskFailed from self._failures.last
        return list(done.successful.commands)


def activity_result() -> Any:
    """An empty `ActivityResolution`: fill in `completed`, `failed` or `cancelled`."""
    return activation.WorkflowActivationJob().resolve_activity.result


@contextmanager
def _loop_put_aside() -> Iterator[None]:
    """An activation runs on a loop of its own and leaves the thread without any."""
    outer = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(outer)


class Remembering(FailureConverter):
    """A failure converter that knows what it was given last."""

    last: ClassVar[BaseException | None] = None


def remembering(base: type[FailureConverter]) -> type[Remembering]:
    """The same converter, which remembers what it was given: failures as they are written hold no messages."""

    class Both(base, Remembering):  # type: ignore[misc, valid-type]
        def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
            type(self).last = exception
            super().to_failure(exception, payload_converter, failure)  # type: ignore[safe-super]

    return Both
