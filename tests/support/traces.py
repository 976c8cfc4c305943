"""What a walk did and when, read from its history: comparable between servers, which mint ids and batch tasks each in
their own way."""

import json
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory

SAID = ("message", "visit", "leg", "name", "stage", "outcome", "task", "experiment", "ending")
"""What of an activity's request tells the same everywhere."""


def trace(history: WorkflowHistory) -> list[str]:
    """A line for each timer, activity, marker and signal, and for the ending, with the minute at which it was."""
    began = history.events[0].event_time.ToDatetime()
    lines = []
    for event in history.events:
        kind = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_").lower()
        told = _told(kind, getattr(event, f"{kind}_event_attributes"))
        if told:
            minute = round((event.event_time.ToDatetime() - began).total_seconds() / 60)
            lines.append(f"{minute:>6} {told}")
    return lines


def _told(kind: str, said: Any) -> str:
    match kind:
        case "timer_started":
            return f"timer of {round(said.start_to_fire_timeout.ToSeconds() / 60)} minutes"
        case "activity_task_scheduled":
            return f"{said.activity_type.name} {_request(said.input.payloads)}"
        case "workflow_execution_signaled":
            return f"heard {said.signal_name}"
        case "activity_task_failed":
            return f"failed {said.failure.application_failure_info.type}"
        case "workflow_execution_completed":
            return f"completed {said.result.payloads[0].data.decode()}"
        case "timer_canceled" | "activity_task_cancel_requested" | "marker_recorded" | "workflow_execution_canceled":
            return kind.replace("_", " ")
    return ""


def _request(payloads: Any) -> str:
    told = json.loads(payloads[0].data) if payloads else None
    return " ".join(f"{name}={told[name]}" for name in SAID if told.get(name)) if isinstance(told, dict) else ""
