"""Overhearing what a class wants at each step of a replay: Temporal's SDK says only that it was something else."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import temporalio.bridge.proto.workflow_activation as activation
import temporalio.bridge.proto.workflow_completion as completion
import temporalio.workflow
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner

from tropa.rehearsal.sdk import Remembering, remembering
from tropa.replaying.steps import command_words

NO_STEPS = frozenset({"respond_to_query", "update_response"})
"""Commands that leave no event of a step's own."""
BEGINS = {"start_timer": "cancel_timer", "schedule_activity": "request_cancel_activity"}
"""What begins a step, and what takes it back: both at once leave no event."""


@dataclass(frozen=True)
class Wanted:
    """A step that the code wanted when the walk had so many events."""

    words: str
    after: int


class Overhearing(WorkflowRunner):
    """A runner that remembers what the last instance wanted. For replays, which go one after another."""

    def __init__(self, runner: WorkflowRunner) -> None:
        self._runner = runner
        self._failures: type[Remembering] | None = None
        self.wanted: list[Wanted] = []
        self.raised, self.raised_after = "", 0

    def prepare_workflow(self, defn: temporalio.workflow._Definition) -> None:
        """As the runner does."""
        self._runner.prepare_workflow(defn)

    def set_worker_level_failure_exception_types(self, types: Any) -> None:
        """As the runner does."""
        self._runner.set_worker_level_failure_exception_types(types)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """Another walk: what was remembered is forgotten."""
        self.forget()
        self._failures = remembering(det.failure_converter_class)
        heard = dataclasses.replace(det, failure_converter_class=self._failures)
        return _Overheard(self._runner.create_instance(heard), self)

    def forget(self) -> None:
        """Nothing was wanted yet."""
        self.wanted, self.raised, self.raised_after = [], "", 0

    def hear(self, act: activation.WorkflowActivation, done: completion.WorkflowActivationCompletion) -> None:
        """One activation's commands, or what it raised after so many events."""
        if done.HasField("failed"):
            error = self._failures.last if self._failures else None
            self.raised = f"{type(error).__name__}: {error}" if error else done.failed.failure.message
            self.raised_after = act.history_length
        self.wanted += [Wanted(command_words(command), act.history_length) for command in _steps(act, done)]


def _steps(act: activation.WorkflowActivation, done: completion.WorkflowActivationCompletion) -> Iterator[Any]:
    """The commands that leave an event. To end a wait or a step that is over by then leaves none."""
    over = {("cancel_timer", job.fire_timer.seq) for job in act.jobs if job.HasField("fire_timer")}
    over |= {
        ("request_cancel_activity", job.resolve_activity.seq) for job in act.jobs if job.HasField("resolve_activity")
    }
    commands = [(str(command.WhichOneof("variant")), command) for command in done.successful.commands]
    taken = {(kind, getattr(command, kind).seq) for kind, command in commands if kind in BEGINS.values()}
    begun = {(BEGINS[kind], getattr(command, kind).seq) for kind, command in commands if kind in BEGINS}
    for kind, command in commands:
        ends = (BEGINS.get(kind, kind), getattr(getattr(command, kind), "seq", None))
        if kind not in NO_STEPS and ends not in taken & begun and ends not in over:
            yield command


class _Overheard(WorkflowInstance):
    def __init__(self, instance: WorkflowInstance, listener: Overhearing) -> None:
        self._instance, self._listener = instance, listener

    def activate(self, act: activation.WorkflowActivation) -> completion.WorkflowActivationCompletion:
        done = self._instance.activate(act)
        self._listener.hear(act, done)
        return done

    def get_serialization_context(self, command_info: Any) -> Any:
        return self._instance.get_serialization_context(command_info)

    def get_external_store_context(self, command_info: Any) -> Any:
        return self._instance.get_external_store_context(command_info)

    def get_info(self) -> temporalio.workflow.Info:
        return self._instance.get_info()

    def get_thread_id(self) -> int | None:
        return self._instance.get_thread_id()
