"""A walk that turns to people: what it asks for is there once, and Temporal never holds a word of it."""

from collections.abc import AsyncIterator

import pytest

from domain.durations import hours
from domain.errors import InvalidDeclaration
from tests.services.test_telling import Ledger
from tests.support.playback import Playback
from workflows.toolkit.declaring import check_crm_facts


@pytest.fixture
async def play(database_url: str) -> AsyncIterator[Playback]:
    async with Playback.on(None, database_url, journeys="HotLead", crm=Ledger()) as bench:
        yield bench


async def test_a_hot_lead_is_told_called_and_the_crm_knows(play: Playback) -> None:
    await play.does("page_viewed", page="pricing")
    await play.after(hours(1))
    await play.is_done("call_hot_lead")

    assert await play.ending("HotLead") == "converted"
    assert await play.words() == [
        "Entered HotLead: looked at a page",
        "The staff were told: A lead is looking at the prices",
        "Task for a person: Call a lead: they are looking at the prices",
        "The CRM is told stage: decision, task: call_hot_lead",
        "The CRM is told outcome: converted",
        "Reached the goal: by its own plan",
    ]
    facts = [row["facts"] for row in await play.rows("SELECT facts FROM crm_updates ORDER BY at, facts ->> 'outcome'")]
    [task] = await play.rows("SELECT id::text FROM tasks")
    assert facts[0] == {"stage": "decision", "outcome": None, "task": task["id"]}
    assert facts[1] == {"stage": None, "outcome": "converted", "task": None}
    history = (await play.history()).to_json()
    assert "anna" not in history.casefold() and "prices" not in history and "demo" not in history
    assert await play.sends() == []


@pytest.mark.parametrize(
    ("stage", "task", "visits", "taught"),
    [("Call Anna on Friday", "", 0, "one word"), ("decision", "call", 0, "after create_task")],
)
def test_free_text_and_tasks_that_are_not_there_are_no_facts(stage: str, task: str, visits: int, taught: str) -> None:
    with pytest.raises(InvalidDeclaration, match=taught) as caught:
        check_crm_facts("HotLead", stage, task, visits)

    assert "Anna" not in str(caught.value)
