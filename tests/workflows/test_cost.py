"""What a walk costs in Temporal, counted from its real history."""

import re

import pytest

from tests.support.billing import billable_actions
from tests.support.playback import Playback
from tests.workflows.stories.welcome_chain import converts_at_the_end

JOURNEYS = "WelcomeChain"  # that events start

APART = ("activity create_task", "activity customer")


async def test_the_reference_walk_stays_within_12_actions_and_70_events(
    play: Playback, capsys: pytest.CaptureFixture[str]
) -> None:
    await converts_at_the_end(play)
    history = await play.history()
    actions = billable_actions(history)
    with capsys.disabled():
        print("\nreference walk:", len(history.events), "events;", dict(actions))

    assert await play.sent() == ["greeting", "basics", "did_it_work", "personal_help"]
    assert actions["timer"] == 4
    assert actions["activity send"] == 4
    assert sum(count for kind, count in actions.items() if kind not in APART) <= 12
    assert len(history.events) <= 70


async def test_histories_hold_no_name_address_or_foreign_id(play: Playback) -> None:
    await converts_at_the_end(play)

    found = (await play.history()).to_json()

    assert not re.search("anna|example.com", found, re.IGNORECASE)
