"""A walk that is ended at the very moment at which its step is done or its wait is over ends, and takes no other step.

Busy workers meet both in one workflow task. The histories are recorded ones, with the word that ends them put in.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from adapters.temporal import DATA_CONVERTER
from tropa.replaying.overhearing import Overhearing
from tropa.worker import RUNNER
from workflows.toolkit.endings import Endings
from workflows.welcome_chain import WelcomeChain

HISTORIES = Path(__file__).parent.parent / "histories" / "WelcomeChain"
SENT, TIMED, HEARD = ("silent", 7), ("silent", 12), ("gets_stuck", 12)


def told() -> HistoryEvent:
    """The signal that the goal was reached."""
    event = HistoryEvent(event_type=EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED)
    said = event.workflow_execution_signaled_event_attributes
    said.signal_name = "ended"
    data = json.dumps({"outcome": "converted"}).encode()
    said.input.payloads.append(Payload(metadata={"encoding": b"json/plain"}, data=data))
    return event


def cancelled() -> HistoryEvent:
    """What staff, an opt-out or an operator do."""
    event = HistoryEvent(event_type=EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED)
    event.workflow_execution_cancel_requested_event_attributes.cause = "opted out"
    return event


def together(name: str, number: int, word: HistoryEvent, *, before: bool) -> WorkflowHistory:
    """A recorded walk up to its event of this number, with the word just before it or just after it, in one task."""
    [file] = HISTORIES.glob(f"*-{name}.json")
    events = list(WorkflowHistory.from_json(name, file.read_text()).events)[:number]
    came = events.pop()
    scheduled = HistoryEvent(event_type=EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED)
    scheduled.workflow_task_scheduled_event_attributes.attempt = 1
    started = HistoryEvent(event_type=EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED)
    first, second = (word, came) if before else (came, word)
    events += [first, scheduled, second, started]
    for place, event in enumerate(events, start=1):
        event.event_id = place
        event.event_time.CopyFrom(event.event_time if event.HasField("event_time") else came.event_time)
    started.workflow_task_started_event_attributes.scheduled_event_id = number + 1
    return WorkflowHistory(name, events)


async def next_steps(history: WorkflowHistory) -> list[str]:
    """What the walk wants when it is told all this, in words."""
    overheard = Overhearing(RUNNER)
    replayer = Replayer(
        workflows=[WelcomeChain], interceptors=[Endings()], workflow_runner=overheard, data_converter=DATA_CONVERTER
    )
    await replayer.replay_workflow(history, raise_on_replay_failure=False)
    return [each.words for each in overheard.wanted if each.after == len(history.events)]


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("word", [told, cancelled])
@pytest.mark.parametrize(("name", "number"), [SENT, TIMED, HEARD])
async def test_an_ending_that_comes_with_the_answer_counts(
    name: str, number: int, word: Callable[[], HistoryEvent], before: bool
) -> None:
    wanted = await next_steps(together(name, number, word(), before=before))

    assert wanted[-1:] == ["record the ending"]
    assert not [step for step in wanted if step.startswith(("send", "wait", "look"))]


async def test_a_wait_whose_time_is_over_as_it_ends_leaves_no_step_for_a_replay_to_miss() -> None:
    over = HistoryEvent(event_type=EventType.EVENT_TYPE_TIMER_FIRED)
    over.timer_fired_event_attributes.timer_id, over.timer_fired_event_attributes.started_event_id = "1", 11

    for before in (True, False):
        assert await next_steps(together("gets_stuck", 12, over, before=before)) == ["send setup_help"]
