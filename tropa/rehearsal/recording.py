"""A rehearsed run written as a Temporal history, so that the real Replayer can judge it and people can read it."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory
from temporalio.service import __version__

from tropa.rehearsal.sdk import TASK_QUEUE, TASK_TIMEOUT

if TYPE_CHECKING:
    from tropa.rehearsal.run import Run

UNSENT = {"cancel_timer": "start_timer", "request_cancel_activity": "schedule_activity"}
"""Who is cancelled in the task that began it was never there: core sends neither."""


class Recording:
    """The history of one run, event by event."""

    def __init__(self, run: "Run") -> None:
        self.events: list[HistoryEvent] = []
        self._run = run
        self._commands: list[tuple[str, Any]] = []
        self._timers: dict[int, int] = {}
        self._activities: dict[int, int] = {}
        self._patches: list[str] = []
        self._tasks = 0

    @property
    def length(self) -> int:
        """How many events there are."""
        return len(self.events)

    def history(self) -> WorkflowHistory:
        """As Temporal's client would fetch it."""
        return WorkflowHistory(self._run.workflow, list(self.events))

    # What comes from outside -----------------------------------------------------------------------------------------

    def started(self, at: int) -> None:
        """The run begins."""
        run, said = self._run, self._add(at, "workflow_execution_started")
        said.workflow_type.name, said.workflow_id, said.attempt = run.type, run.workflow, 1
        said.original_execution_run_id, said.first_execution_run_id = run.run, run.first_run
        said.continued_execution_run_id = run.continued or ""
        said.task_queue.name = TASK_QUEUE
        said.workflow_task_timeout.FromTimedelta(TASK_TIMEOUT)
        said.input.payloads.extend(run.input)
        for name, payload in run.memo.items():
            said.memo.fields[name].CopyFrom(payload)

    def signaled(self, at: int, name: str, payloads: Sequence[Payload]) -> None:
        """A signal came."""
        said = self._add(at, "workflow_execution_signaled")
        said.signal_name = name
        said.input.payloads.extend(payloads)

    def cancel_requested(self, at: int, reason: str) -> None:
        """Its cancellation was asked for."""
        self._add(at, "workflow_execution_cancel_requested").cause = reason

    def timer_fired(self, at: int, timer: int) -> None:
        """A timer fired."""
        said = self._add(at, "timer_fired")
        said.timer_id, said.started_event_id = str(timer), self._timers[timer]

    def activity_resolved(self, at: int, number: int, result: Any, attempt: int) -> None:
        """An activity came to its result."""
        scheduled = self._activities[number]
        said = self._add(at, "activity_task_started")
        said.scheduled_event_id, said.attempt = scheduled, attempt
        started = self.length
        if result.HasField("completed"):
            said = self._add(at, "activity_task_completed")
            said.result.payloads.append(result.completed.result)
        else:
            said = self._add(at, "activity_task_failed")
            said.failure.CopyFrom(result.failed.failure.cause)
        said.scheduled_event_id, said.started_event_id = scheduled, started

    # What the run does -----------------------------------------------------------------------------------------------

    def task(self, at: int) -> None:
        """A workflow task begins."""
        self._add(at, "workflow_task_scheduled").task_queue.name = TASK_QUEUE
        scheduled = self.length
        self._add(at, "workflow_task_started").scheduled_event_id = scheduled
        self._commands = []

    def command(self, kind: str, command: Any) -> None:
        """A command of this task."""
        if begun := UNSENT.get(kind):
            number = getattr(command, kind).seq
            kept = [
                (each, told) for each, told in self._commands if each != begun or getattr(told, begun).seq != number
            ]
            if len(kept) < len(self._commands):
                self._commands = kept
                return
        self._commands.append((kind, command))

    def task_done(self, at: int) -> None:
        """The task ends, and its commands become events."""
        said = self._add(at, "workflow_task_completed")
        said.scheduled_event_id, said.started_event_id = self.length - 2, self.length - 1
        if not self._tasks:
            said.sdk_metadata.core_used_flags.extend([1, 2, 3, 4])
            said.sdk_metadata.lang_used_flags.append(1)
            said.sdk_metadata.sdk_name, said.sdk_metadata.sdk_version = "temporal-python", __version__
        self._tasks += 1
        done = self.length
        for kind, command in self._commands:
            self._of_command(at, done, kind, command)

    def _of_command(self, at: int, done: int, kind: str, command: Any) -> None:
        what = getattr(command, kind)
        match kind:
            case "start_timer":
                said = self._add(at, "timer_started", command)
                said.timer_id = str(what.seq)
                said.start_to_fire_timeout.CopyFrom(what.start_to_fire_timeout)
                self._timers[what.seq] = self.length
            case "cancel_timer":
                said = self._add(at, "timer_canceled")
                said.timer_id, said.started_event_id = str(what.seq), self._timers[what.seq]
            case "schedule_activity":
                said = self._add(at, "activity_task_scheduled", command)
                said.activity_id, said.activity_type.name = what.activity_id, what.activity_type
                said.task_queue.name = what.task_queue
                said.input.payloads.extend(what.arguments)
                said.start_to_close_timeout.CopyFrom(what.start_to_close_timeout)
                said.retry_policy.CopyFrom(what.retry_policy)
                self._activities[what.seq] = self.length
            case "request_cancel_activity":
                said = self._add(at, "activity_task_cancel_requested")
                said.scheduled_event_id = self._activities[what.seq]
            case "set_patch_marker":
                said = self._patched(at, done, what)
            case "upsert_workflow_search_attributes":
                said = self._add(at, kind)
                said.search_attributes.CopyFrom(what.search_attributes)
            case "modify_workflow_properties":
                said = self._add(at, "workflow_properties_modified")
                said.upserted_memo.CopyFrom(what.upserted_memo)
            case _:
                said = self._closed(at, kind, what)
        said.workflow_task_completed_event_id = done

    def _patched(self, at: int, done: int, what: Any) -> Any:
        """A marker, and the search attribute that lists all of them."""
        said = self._add(at, "marker_recorded")
        said.marker_name = "core_patch"
        said.workflow_task_completed_event_id = done
        patch = {"id": what.patch_id, "deprecated": what.deprecated}
        said.details["patch-data"].payloads.append(_json(patch))
        self._patches.append(what.patch_id)
        said = self._add(at, "upsert_workflow_search_attributes")
        listed = said.search_attributes.indexed_fields["TemporalChangeVersion"]
        listed.CopyFrom(_json(self._patches))
        listed.metadata["type"] = b"KeywordList"
        return said

    def _closed(self, at: int, kind: str, what: Any) -> Any:
        said = self._add(at, f"workflow_execution_{self._run.closed}")
        if kind == "complete_workflow_execution":
            said.result.payloads.append(what.result)
        elif kind == "fail_workflow_execution":
            said.failure.CopyFrom(what.failure)
        elif kind == "continue_as_new_workflow_execution":
            said.workflow_type.name = what.workflow_type or self._run.type
            said.input.payloads.extend(what.arguments)
        return said

    def _add(self, at: int, kind: str, command: Any = None) -> Any:
        """A new event; answers its attributes."""
        number = self.length + 1
        event = HistoryEvent(
            event_id=number,
            task_id=number,
            event_type=EventType.Value(f"EVENT_TYPE_{kind.upper()}"),
        )
        event.event_time.FromNanoseconds(at)
        if command is not None:
            event.user_metadata.CopyFrom(command.user_metadata)
        self.events.append(event)
        attributes = getattr(event, f"{kind}_event_attributes")
        attributes.SetInParent()
        return attributes


def _json(value: object) -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(value).encode())
