"""Recorded walks replay against the code as it is; the wrong change is caught with words that teach."""

from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory

from tests.support.altered_journey import AlteredWelcomeChain, RewordedWelcomeChain
from tests.support.replaying import replay
from workflows.registry import journeys

HISTORIES = Path(__file__).parent.parent / "histories"
RECORDED = sorted(HISTORIES.glob("*/*.json"))


def recorded(file: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json(file.stem, file.read_text())


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: f"{file.parent.name}/{file.stem}")
async def test_a_recorded_walk_replays(file: Path) -> None:
    # Its own class alone: a Replayer that knows all of them looks at all of them first.
    own = [journey for journey in journeys() if journey.__name__ == file.parent.name]
    problem = await replay(str(file.relative_to(HISTORIES)), recorded(file), own)

    assert problem is None, problem


def test_every_journey_has_a_recorded_walk() -> None:
    assert {file.parent.name for file in RECORDED} >= {journey.__name__ for journey in journeys()}


async def test_an_inserted_step_fails_with_words_that_teach() -> None:
    file = next(file for file in RECORDED if file.stem.endswith("silent"))

    problem = await replay("silent", recorded(file), [AlteredWelcomeChain])

    assert problem is not None
    assert "WelcomeChain no longer replays silent" in problem
    assert "workflow.patched" in problem
    assert "docs/change-a-live-journey.md" in problem


async def test_other_durations_replay() -> None:
    file = next(file for file in RECORDED if file.stem.endswith("silent"))

    assert await replay("silent", recorded(file), [RewordedWelcomeChain]) is None
