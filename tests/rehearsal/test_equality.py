"""The same story on the rehearsal ground and on Temporal's time-skipping server: the same walk, to the minute."""

from datetime import timedelta

import pytest
from temporalio.testing import WorkflowEnvironment

from domain.contact_policy import ContactPolicy
from tests.support.playback import Playback
from tests.support.traces import trace
from tests.workflows.stories import STORIES

COMPARED = [
    *(("WelcomeChain", each) for each in ("converts_at_the_end", "gets_stuck", "opts_out")),
    *(("AbandonedCart", each) for each in ("a_cart_nobody_wants", "a_cart_of_the_evening", "a_cart_emptied")),
]


CALM = ContactPolicy(jitter=timedelta(0))  # which would spread them by their ids


@pytest.mark.parametrize(("journey", "story"), COMPARED, ids=lambda value: value)
async def test_a_walk_is_the_same_on_the_server(
    journey: str, story: str, two_databases: tuple[str, str], time_skipping: WorkflowEnvironment
) -> None:
    here, there = two_databases
    async with Playback.on(time_skipping, there, policy=CALM) as play:
        began = play.clock.now()
        on_the_server = await played(play, journey, story)
    async with Playback.on(None, here, policy=CALM, began=began) as play:
        on_the_ground = await played(play, journey, story)

    assert on_the_ground == on_the_server


async def played(play: Playback, journey: str, story: str) -> dict[str, object]:
    await STORIES[journey][story](play)
    told = {
        "trace": trace(await play.history(journey)),
        "words": await play.words(),
        "sends": await play.sends(),
        "closed": await play.closed(journey),
    }
    await play.close()
    return told
