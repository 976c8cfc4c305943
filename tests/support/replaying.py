"""Replaying recorded walks against the code as it is now."""

from collections.abc import AsyncIterator, Sequence

from temporalio.client import WorkflowHistory

from tropa.replaying.findings import Alike
from tropa.replaying.judging import Judge

TEACHING = """
{journey} no longer replays {name}: a customer who stands where this history stands would be stuck.

  {words}
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

    async def alone() -> AsyncIterator[WorkflowHistory]:
        yield history

    [judged] = [each async for each in Judge(workflows).judge(alone())]
    if judged.broken is None:
        return None
    words = Alike(breaks=[judged.broken]).words
    return TEACHING.format(journey=judged.journey, name=name, words=words, problem=judged.broken.problem)
