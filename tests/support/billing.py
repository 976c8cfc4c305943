"""What a history costs: Temporal Cloud's billable actions, counted from the events themselves.

Start, timers, activities, signals, search-attribute upserts and cancel requests count one each (the "Actions" page of
Temporal Cloud's documentation). Retries of an activity count too, by its last attempt.
"""

from collections import Counter

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory

KINDS = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED: "start",
    EventType.EVENT_TYPE_TIMER_STARTED: "timer",
    EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: "activity",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: "signal",
    EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: "search attributes",
    EventType.EVENT_TYPE_MARKER_RECORDED: "marker",
}


def billable_actions(history: WorkflowHistory) -> Counter[str]:
    """Actions by kind; activities by their name, timers and signals as such."""
    counted: Counter[str] = Counter()
    for event in history.events:
        kind = KINDS.get(event.event_type)
        if kind == "activity":
            counted[f"activity {event.activity_task_scheduled_event_attributes.activity_type.name}"] += 1
        elif kind:
            counted[kind] += 1
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
            counted["retry"] += event.activity_task_started_event_attributes.attempt - 1
    return +counted
