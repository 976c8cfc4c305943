"""A walk without end: run follows run, and it stays one walk that repeats nothing and forgets nothing."""

import json
from collections.abc import AsyncIterator
from dataclasses import make_dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from temporalio.client import WorkflowHistory

from domain.durations import days
from domain.errors import InvalidDeclaration
from tests.services.bench import NO_LIMITS, write_messages
from tests.support.endless_journey import Trial
from tests.support.playback import Playback
from tests.support.replaying import replay
from workflows.registry import declarations
from workflows.toolkit import Plan
from workflows.toolkit.declaring import check_carried, check_plan

RUNS = "SELECT count(DISTINCT wished_at) AS days, count(*) AS sends, max(visit) AS visits FROM sends"


@pytest.fixture
async def play(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Playback]:
    library = write_messages(Path(tmp_path_factory.mktemp("messages")) / "messages")
    async with Playback.on(
        None,
        database_url,
        also=(Trial,),
        journeys="Trial",
        library=library,
        policy=NO_LIMITS,
        declared=declarations((Trial,)),
    ) as bench:
        yield bench


async def begin(play: Playback, days_of_notes: int) -> None:
    """The walk goes on for so many days; it starts but once."""
    await play.does("trial_started")
    for _ in range(days_of_notes):
        await play.after(days(1))


def carried(history: WorkflowHistory) -> dict[str, Any]:
    """What the latest run began with."""
    began = history.events[0].workflow_execution_started_event_attributes
    found: dict[str, Any] = json.loads(began.input.payloads[0].data)["carried"]
    return found


async def test_a_fresh_run_sends_anew_and_nothing_is_taken_for_what_was_sent(play: Playback) -> None:
    await begin(play, 9)

    [enrollment] = await play.enrollments()
    history = await play.history()
    assert await play.sent() == ["note"] * 9
    assert (await play.rows(RUNS))[0] == {"days": 9, "sends": 9, "visits": 9}
    assert carried(history)["state"]["notes"] >= 4  # several runs by now
    assert carried(history)["visits"] == {"send note": carried(history)["state"]["notes"]}
    assert history.workflow_id == enrollment["id"]
    assert await replay("the latest run", history, [Trial]) is None


async def test_what_was_heard_and_not_used_is_there_in_the_next_run_and_told_twice_is_heard_once(
    play: Playback,
) -> None:
    await begin(play, 1)
    await play.does("winked")
    await begin(play, 7)
    async with play.house.database.transaction() as connection:  # as if a dispatcher had died before it wrote this down
        await connection.execute(text("UPDATE dispatches SET done_at = NULL WHERE kind = 'customer_event'"))

    await begin(play, 7)

    [told] = await play.rows("SELECT payload FROM dispatches WHERE kind = 'customer_event'")
    took_along = carried(await play.history())
    assert took_along["state"]["notes"] >= 8
    assert [event["name"] for event in took_along["waiting"]] == ["winked"]
    assert took_along["seen"] == [told["payload"]["id"]]


async def test_the_goal_ends_it_in_whichever_run(play: Playback) -> None:
    await begin(play, 9)

    await play.does("bought")

    assert await play.ending() == "converted"
    assert await play.closed() == "completed"


def test_only_what_is_declared_is_carried() -> None:
    with pytest.raises(InvalidDeclaration, match="go_on takes what the plan declares as `carries`: Rounds"):
        check_carried("Trial", Trial.plan, 3)


def test_free_text_is_not_carried() -> None:
    words = make_dataclass("Words", [("said", str, "")], frozen=True, kw_only=True)

    with pytest.raises(InvalidDeclaration, match="'said' is of type"):
        check_plan("Trial", Plan(carries=words))
