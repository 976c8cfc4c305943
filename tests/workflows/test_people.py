"""A walk that turns to people: what it asks for is there once, and Temporal never holds a word of it."""

import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from adapters.staff_words import TEMPLATES, StaffWords
from domain.errors import InvalidDeclaration
from domain.tasks import TaskOutcome
from tests.services.test_telling import WORDS, Ledger
from tests.support.factories import STAFF
from tests.support.hot_lead import HotLead
from tests.support.playback import Playback
from workflows.toolkit.declaring import check_crm_facts

HOUR = timedelta(hours=1)


@pytest.fixture
async def play(
    time_skipping: WorkflowEnvironment, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Playback]:
    folder: Path = tmp_path_factory.mktemp("staff")
    for kind, name in (("tasks", "call"), ("notices", "hot")):
        shutil.copytree(TEMPLATES / kind, folder / kind)
        (folder / kind / "hot_lead").mkdir()
        (folder / kind / "hot_lead" / f"{name}.toml").write_text(WORDS, encoding="utf-8")
    words = StaffWords("task", "en", folder / "tasks"), StaffWords("notice", "en", folder / "notices")
    async with Playback.on(time_skipping, database_url, also=(HotLead,), staff_words=words, crm=Ledger()) as bench:
        yield bench
        await bench.close()


async def close(play: Playback, outcome: TaskOutcome) -> None:
    [task] = await play.rows("SELECT id FROM tasks")
    async with play.house.database.transaction() as connection:
        await play.house.tasks.close(connection, task["id"], outcome, "Anna wants a demo", actor=STAFF)
    await play.catch_up()


async def test_a_hot_lead_is_told_called_and_the_crm_knows(play: Playback) -> None:
    await play.does("pricing_viewed")
    await play.after(HOUR)
    await close(play, TaskOutcome.DONE)

    assert await play.ending("HotLead") == "converted"
    assert await play.words() == [
        "Entered HotLead: pricing_viewed",
        "The staff were told: Somebody is hot",
        "Task for a person: Somebody is hot",
        "The CRM is told stage: decision, task: call",
        "The CRM is told outcome: converted",
        "Reached the goal: its plan",
    ]
    facts = [row["facts"] for row in await play.rows("SELECT facts FROM crm_updates ORDER BY at, facts ->> 'outcome'")]
    [task] = await play.rows("SELECT id::text FROM tasks")
    assert facts[0] == {"stage": "decision", "outcome": None, "task": task["id"]}
    assert facts[1] == {"stage": None, "outcome": "converted", "task": None}
    history = (await play.history()).to_json()
    assert "anna" not in history.casefold() and "prices" not in history and "demo" not in history
    assert await play.sends() == []


@pytest.mark.parametrize("outcome", [TaskOutcome.NO_ANSWER, None])
async def test_nobody_reached_them_or_nobody_tried(play: Playback, outcome: TaskOutcome | None) -> None:
    await play.does("pricing_viewed")
    if outcome:
        await close(play, outcome)
    await play.after(25 * HOUR)
    await play.house.tasks.escalate_some()

    assert await play.ending("HotLead") == "lapsed"
    [task] = await play.rows("SELECT outcome, escalated_at IS NOT NULL AS escalated FROM tasks")
    assert (task["outcome"], task["escalated"]) == (outcome, outcome is None)


@pytest.mark.parametrize(
    ("stage", "task", "visits", "taught"),
    [("Call Anna on Friday", "", 0, "one word"), ("decision", "call", 0, "after create_task")],
)
def test_free_text_and_tasks_that_are_not_there_are_no_facts(stage: str, task: str, visits: int, taught: str) -> None:
    with pytest.raises(InvalidDeclaration, match=taught) as caught:
        check_crm_facts("HotLead", stage, task, visits)

    assert "Anna" not in str(caught.value)
