"""One run of a workflow in a rehearsal: what it waits for, and what its commands do."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from temporalio.api.common.v1 import Payload

from tropa.rehearsal.limits import (
    SECOND,
    CannotRehearse,
    WalkBroke,
    check_activity,
    check_anew,
    check_cancelling,
    retry_in,
)
from tropa.rehearsal.recording import Recording
from tropa.rehearsal.sdk import Command, Instance, TaskFailed, activity_result
from tropa.rehearsal.stage import Call, Stage

ATTEMPTS = 2000  # more than a day of tries, a minute apart
CLOSED = {
    "complete_workflow_execution": "completed",
    "fail_workflow_execution": "failed",
    "cancel_workflow_execution": "canceled",
    "continue_as_new_workflow_execution": "continued_as_new",
}
TOLD = ("set_patch_marker", "upsert_workflow_search_attributes")
"""Commands that change nothing here, and are in the history."""


class Run:
    """A workflow execution. `closed` says how it ended: completed, failed, canceled or continued_as_new."""

    def __init__(
        self,
        stage: Stage,
        *,
        workflow: str,
        run: str,
        type: str,
        input: Sequence[Payload],
        previous: "Run | None" = None,
    ) -> None:
        self.workflow, self.run, self.type, self.input = workflow, run, type, list(input)
        self.first_run: str = previous.first_run if previous else run
        self.continued = previous.run if previous else None
        self.memo: Mapping[str, Payload] = previous.memo if previous else {}
        self.closed: str | None = None
        self.result: Payload | None = None
        self.failure: Any = None
        self.recording = Recording(self)
        self.early: list[Callable[[], None]] = []
        self._stage = stage
        self._instance: Instance | None = None
        self._timers: set[int] = set()
        self._activities: dict[int, Any] = {}

    # What happens to it ----------------------------------------------------------------------------------------------

    def begin(self, instance: Instance) -> None:
        """Its first task."""
        self._instance = instance
        self.recording.started(self._stage.now)
        self._task(lambda now, events: instance.begin(now, self.input))
        for each in self.early:  # what was told before its first task
            each()

    @property
    def begun(self) -> bool:
        """Whether its first task is behind it."""
        return self._instance is not None or self.closed is not None

    @property
    def object(self) -> Any:
        """The workflow object, while it is open and has no sandbox around it."""
        instance = self._open()
        return instance.workflow if instance else None

    def signal(self, name: str, payloads: Sequence[Payload]) -> None:
        """A signal reaches it, unless it has closed."""
        if instance := self._open():
            self.recording.signaled(self._stage.now, name, payloads)
            came = self.recording.length
            self._task(lambda now, events: instance.signal(now, events, came, name, payloads))

    def cancel(self, reason: str) -> None:
        """Its cancellation is asked for, unless it has closed."""
        if instance := self._open():
            self.recording.cancel_requested(self._stage.now, reason)
            self._task(lambda now, events: instance.cancel(now, events, reason))

    def query(self, name: str, payloads: Sequence[Payload]) -> Command:
        """The answer to a query. Raises LookupError when it has closed."""
        instance = self._open()
        if instance is None:
            raise LookupError(f"{self.workflow} has closed")
        return instance.query(self._stage.now, self.recording.length, name, payloads)

    def _fire(self, timer: int) -> None:
        if (instance := self._open()) and timer in self._timers:
            self._timers.remove(timer)
            self.recording.timer_fired(self._stage.now, timer)
            self._task(lambda now, events: instance.fire_timer(now, events, timer))

    def _attempt(self, number: int, attempt: int) -> None:
        instance, scheduled = self._open(), self._activities.get(number)
        if instance is None or scheduled is None:
            return
        stage, done = self._stage, activity_result()
        try:
            done.completed.result.CopyFrom(stage.converter.payload_converter.to_payload(self._do(scheduled, attempt)))
        except (CannotRehearse, WalkBroke):
            raise
        except Exception as error:  # an activity may raise anything
            wait = retry_in(scheduled.retry_policy, error, attempt)
            if wait is not None:
                self._check_patience(scheduled, attempt, error)
                stage.at(stage.now + wait, lambda: self._attempt(number, attempt + 1))
                return
            failure = self._failed(scheduled, done.failed.failure, "Activity task failed")
            stage.converter.failure_converter.to_failure(error, stage.converter.payload_converter, failure.cause)
        del self._activities[number]
        self.recording.activity_resolved(stage.now, number, done, attempt)
        self._task(lambda now, events: instance.resolve(now, events, {number: done}))

    def _do(self, scheduled: Any, attempt: int) -> Any:
        stage, name = self._stage, scheduled.activity_type
        found = stage.activity(name)
        if found is None:
            raise CannotRehearse(self.type, f"the activity {name}, which nobody serves here,")
        serves, types = found
        return stage.perform(
            Call(
                activity=serves,
                name=name,
                arguments=tuple(stage.converter.payload_converter.from_payloads(list(scheduled.arguments), types)),
                at=datetime.fromtimestamp(stage.now / SECOND, UTC),
                attempt=attempt,
                workflow=self.workflow,
                workflow_type=self.type,
                run=self.run,
            )
        )

    def _check_patience(self, scheduled: Any, attempt: int, error: Exception) -> None:
        if attempt >= ATTEMPTS:
            what = f"the activity {scheduled.activity_type} failed {attempt} times, last with {error!r}"
            raise WalkBroke(self.type, self.workflow, what) from error

    # What its commands do --------------------------------------------------------------------------------------------

    def _task(self, activate: Callable[[int, int], Sequence[Command]]) -> None:
        """One workflow task: activate, do the commands, and again while core itself would answer at once."""
        now = self._stage.now
        self.recording.task(now)
        while True:
            try:
                commands = activate(now, self.recording.length)
            except TaskFailed as error:
                why = error.__cause__
                raise WalkBroke(self.type, self.workflow, f"its code raised {type(why).__name__}: {why}") from why
            cancelled = self._do_commands(commands)
            instance = self._instance
            if not cancelled or self.closed or instance is None:
                break
            activate = _resolving(instance, cancelled)
        self.recording.task_done(now)
        if self.closed and self._instance:
            self._instance.evict()
            self._instance = None

    def _do_commands(self, commands: Sequence[Command]) -> dict[int, Any]:
        """Do them; answers the activities that this cancels at once."""
        cancelled: dict[int, Any] = {}
        for command in commands:
            kind = command.WhichOneof("variant")
            what = getattr(command, kind)
            if kind == "start_timer":
                self._timers.add(what.seq)
                fires = self._stage.now + what.start_to_fire_timeout.ToNanoseconds()
                self._stage.at(fires, partial(self._fire, what.seq))
            elif kind == "cancel_timer":
                self._timers.discard(what.seq)
            elif kind == "schedule_activity":
                check_activity(self.type, what)
                self._activities[what.seq] = what
                starts = self._stage.now + self._stage.latency
                self._stage.at(starts, partial(self._attempt, what.seq, 1), prompt=True)
            elif kind == "request_cancel_activity":
                cancelled |= self._cancelled(what.seq)
            elif kind in CLOSED:
                self._close(kind, what)
            elif kind == "modify_workflow_properties":
                self.memo = {**self.memo, **what.upserted_memo.fields}
            elif kind not in TOLD:
                raise CannotRehearse(self.type, f"the command {kind}")
            self.recording.command(kind, command)
        return cancelled

    def _cancelled(self, number: int) -> dict[int, Any]:
        """An activity that is cancelled, with its result; none when it was over."""
        scheduled = self._activities.pop(number, None)
        if scheduled is None:
            return {}
        check_cancelling(self.type, scheduled)
        done = activity_result()
        failure = self._failed(scheduled, done.cancelled.failure, "Activity cancelled")
        failure.cause.canceled_failure_info.SetInParent()
        return {number: done}

    def _close(self, kind: str, what: Any) -> None:
        self.closed = CLOSED[kind]
        if self.closed == "completed":
            self.result = what.result
        elif self.closed == "failed":
            self.failure = what.failure
        elif self.closed == "continued_as_new":
            check_anew(self.type, what)
            self._stage.continue_anew(self, what)

    def _failed(self, scheduled: Any, failure: Any, message: str) -> Any:
        failure.message = message
        failure.activity_failure_info.activity_type.name = scheduled.activity_type
        failure.activity_failure_info.activity_id = scheduled.activity_id
        return failure

    def _open(self) -> Instance | None:
        return None if self.closed else self._instance


def _resolving(instance: Instance, results: Mapping[int, Any]) -> Callable[[int, int], Sequence[Command]]:
    return lambda now, events: instance.resolve(now, events, results)
