"""Replaying recorded walks against the code as it is now."""

from collections.abc import Sequence

from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from adapters.temporal import DATA_CONVERTER
from tropa.worker import RUNNER
from workflows.toolkit.endings import Endings

TEACHING = """
{journey} no longer replays {name}: a customer who stands where this history stands would be stuck.

  {problem}

A verb was added, removed or moved in workflows/. Words and durations may change at any time; steps may not. Either put
the old steps back, or keep both, so that people inside finish as they began:

    if workflow.patched("say-what-changed"):
        ...the new steps...
    else:
        ...the old steps...

See docs/change-a-live-journey.md. Never edit a recorded history.
"""


async def replay(name: str, history: WorkflowHistory, workflows: Sequence[type]) -> str | None:
    """What is wrong, in words that teach, or None when the history replays."""
    replayer = Replayer(
        workflows=list(workflows), interceptors=[Endings()], workflow_runner=RUNNER, data_converter=DATA_CONVERTER
    )
    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    if result.replay_failure is None:
        return None
    journey = history.events[0].workflow_execution_started_event_attributes.workflow_type.name
    return TEACHING.format(journey=journey, name=name, problem=result.replay_failure)
