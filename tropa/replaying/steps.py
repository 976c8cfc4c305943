"""A walk's steps in words: as its history has them, and as the code wants them. Words that differ in times alone are
the same.
"""

from typing import Any

import msgspec
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.sdk.v1 import UserMetadata

NOTHING = "nothing"
_ENDS = {
    "complete_workflow_execution": "the end",
    "workflow_execution_completed_event_attributes": "the end",
    "cancel_workflow_execution": "the end, cancelled",
    "workflow_execution_canceled_event_attributes": "the end, cancelled",
    "fail_workflow_execution": "the end, failed",
    "workflow_execution_failed_event_attributes": "the end, failed",
    "continue_as_new_workflow_execution": "a fresh run",
    "workflow_execution_continued_as_new_event_attributes": "a fresh run",
    "cancel_timer": "an end of waiting",
    "timer_canceled_event_attributes": "an end of waiting",
    "request_cancel_activity": "an end of a step",
    "activity_task_cancel_requested_event_attributes": "an end of a step",
}


def command_words(command: Any) -> str:
    """What the code wants. `command` is one of core's."""
    kind = command.WhichOneof("variant")
    match kind:
        case "start_timer":
            return _timer(command.user_metadata)
        case "schedule_activity":
            return _activity(command.schedule_activity.activity_type, command.user_metadata)
        case "set_patch_marker":
            return f"patched({command.set_patch_marker.patch_id!r})"
    return _ENDS.get(kind, str(kind).replace("_", " "))


def event_words(event: HistoryEvent) -> str:
    """What the history has."""
    kind = str(event.WhichOneof("attributes"))
    match kind:
        case "timer_started_event_attributes":
            return _timer(event.user_metadata)
        case "activity_task_scheduled_event_attributes":
            scheduled = event.activity_task_scheduled_event_attributes
            return _activity(scheduled.activity_type.name, event.user_metadata)
        case "marker_recorded_event_attributes":
            return _marker(event)
    return _ENDS.get(kind, EventType.Name(event.event_type).removeprefix("EVENT_TYPE_").replace("_", " ").lower())


def is_step(event: HistoryEvent) -> bool:
    """Whether the code wanted it, rather than that it happened to the walk."""
    said = getattr(event, str(event.WhichOneof("attributes")))
    return bool(getattr(said, "workflow_task_completed_event_id", 0))


def _activity(kind: str, metadata: UserMetadata) -> str:
    """A send by its message; what speaks for itself as it is."""
    said = _summary(metadata)
    return f"{kind.replace('_', ' ')} {said}" if said and " " not in said else said or kind.replace("_", " ")


def _timer(metadata: UserMetadata) -> str:
    return _summary(metadata).partition(", ")[0] or "a wait"


def _marker(event: HistoryEvent) -> str:
    patch = event.marker_recorded_event_attributes.details.get("patch-data")
    return f"patched({msgspec.json.decode(patch.payloads[0].data)['id']!r})" if patch else "a marker"


def _summary(metadata: UserMetadata) -> str:
    data = metadata.summary.data
    return str(msgspec.json.decode(data)) if data else ""
