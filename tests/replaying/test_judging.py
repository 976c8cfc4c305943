"""Who would break, where, and what stands there in code and history, by Temporal's own Replayer."""

from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

from tests.support.altered_journey import AlteredWelcomeChain, Clumsy, Hasty, NeverLooks, Patched, RewordedWelcomeChain
from tropa.replaying.judging import Break, Judge, Kind
from workflows.welcome_chain import WelcomeChain

HISTORIES = Path(__file__).parent.parent / "histories" / "WelcomeChain"


def recorded(name: str, events: int | None = None) -> WorkflowHistory:
    """A walk of it, or its beginning."""
    [file] = HISTORIES.glob(f"*-{name}.json")
    history = WorkflowHistory.from_json(name, file.read_text())
    return WorkflowHistory(name, list(history.events)[:events])


async def broken(journey: type, histories: Iterable[WorkflowHistory]) -> list[Break]:
    async def all_of_them() -> AsyncIterator[WorkflowHistory]:
        for history in histories:
            yield history

    return [each.broken async for each in Judge([journey]).judge(all_of_them()) if each.broken]


@pytest.mark.parametrize(
    ("journey", "events", "kind", "event", "wanted", "has"),
    [
        (AlteredWelcomeChain, None, Kind.OTHER_STEP, 5, "wait 1 hour", "send greeting"),
        (AlteredWelcomeChain, 11, Kind.OTHER_STEP, 5, "wait 1 hour", "send greeting"),
        (NeverLooks, None, Kind.OTHER_STEP, 16, "send basics", "look at the customer"),
        (Clumsy, 11, Kind.RAISES, 9, "TypeError: a slip", "wait for setup_stuck"),
        (Hasty, 11, Kind.OTHER_STEP, 11, "look at the customer", "nothing"),  # the Replayer alone says that it replays
    ],
)
async def test_a_break_says_where_and_what_stands_there(
    journey: type, events: int | None, kind: Kind, event: int, wanted: str, has: str
) -> None:
    [found] = await broken(journey, [recorded("silent", events)])

    assert (found.enrollment, found.journey) == ("silent", "WelcomeChain")
    assert (found.kind, found.event, found.wanted, found.has) == (kind, event, wanted, has)


async def test_a_walk_of_a_journey_that_is_gone_is_told_and_one_not_begun_replays() -> None:
    [found] = await broken(Patched, [WorkflowHistory("other", renamed("FarewellChain")), recorded("silent", 2)])

    assert (found.journey, found.kind) == ("FarewellChain", Kind.GONE)


def renamed(name: str) -> list[HistoryEvent]:
    events = list(recorded("silent").events)
    events[0].workflow_execution_started_event_attributes.workflow_type.name = name
    return events


@pytest.mark.parametrize("journey", [WelcomeChain, Patched, RewordedWelcomeChain])
async def test_wherever_a_walk_stands_a_right_change_breaks_nobody(journey: type) -> None:
    """No false alarm: not in the middle of a step, nor with a task under way."""
    walk = recorded("gets_stuck")
    ends = [e.event_id for e in walk.events if e.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED]

    assert await broken(journey, [recorded("gets_stuck", n) for end in ends[1:] for n in (end - 1, end)]) == []
