"""Every journey in the real house: silence, goals and exits, leaving, and events that come twice, late or too late.

`test_branches` shows what ends a walk wherever it stands; here, that it comes there, and what the ledger says then.
"""

from collections.abc import AsyncIterator

import pytest

from domain.durations import days, minutes
from domain.journeys import Outcome
from domain.messages import Purpose
from domain.options import NoOptions
from domain.sends import UNCLAIMED, SendState
from tests.support.playback import Playback
from tests.workflows.every_journey.stage import Stage
from workflows.registry import journeys

UNSETTLED = {*UNCLAIMED, SendState.CLAIMED, SendState.UNKNOWN}
TRANSACTIONAL = Purpose.TRANSACTIONAL.value
GONE_OR_GOING = {*UNSETTLED, SendState.ACCEPTED}
WITHOUT_END = [each for each in journeys() if each.plan.carries is not NoOptions]
WITH_AN_END = [each for each in journeys() if each not in WITHOUT_END]
ENDED_BY_EVENTS = [each for each in journeys() if each.plan.goal or each.plan.exits]
STARTED_BY_EVENTS = [each for each in journeys() if each.plan.starts_on]


@pytest.fixture(params=journeys(), ids=lambda each: each.__name__)
async def stage(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[Stage]:
    async with Playback.on(None, database_url, journeys=request.param.__name__) as play:
        stage = Stage(play, request.param)
        await stage.is_set()
        yield stage


def only(these: list[type]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("stage", these, ids=lambda each: each.__name__, indirect=True)


@only(WITH_AN_END)
async def test_silence_ends_it_and_what_comes_afterwards_changes_nothing(stage: Stage) -> None:
    await stage.begins()
    await stage.walks()
    before = await stage.stands()

    await stage.happen(stage.later())
    await stage.play.after(days(60))

    assert await stage.play.ending() in set(Outcome)
    assert not {state for _, state, _ in await stage.ledger()} & UNSETTLED
    assert bool(await stage.play.sent()) == bool(stage.messages)
    assert await stage.stands() == before


@only(WITHOUT_END)
async def test_in_silence_what_is_without_end_goes_on(stage: Stage) -> None:
    await stage.begins()
    await stage.walks(days(60))
    some = await stage.play.sent()
    await stage.walks(days(60))

    assert await stage.play.ending() is None
    assert 0 < len(some) < len(await stage.play.sent())


@only(ENDED_BY_EVENTS)
async def test_its_goal_and_each_exit_end_it_at_once_by_day_and_by_night(stage: Stage) -> None:
    """By night, what is to go in the morning waits in the ledger."""
    ends = [(each, outcome, hour) for each, outcome in stage.ends_by() for hour in (10, 3)]
    people = [await stage.somebody(number, hour=hour) for number, (_, _, hour) in enumerate(ends)]
    for who, (trigger, _, _) in zip(people, ends, strict=True):
        await stage.begins(who)
        await stage.happens(trigger, who)
    then = [await stage.ledger(who) for who in people]

    assert [await stage.ending(who) for who in people] == [outcome for _, outcome, _ in ends]
    assert not {state for each in then for _, state, _ in each} & UNSETTLED
    await stage.happen(stage.later(), *people)
    await stage.play.after(days(60))
    assert [await stage.ledger(who) for who in people] == then


async def test_who_leaves_gets_nothing_more_but_what_they_asked_for(stage: Stage) -> None:
    """Somebody in the first night, Anna after a message. A walk that serves goes on, with what is transactional."""
    serves, anna, soon = stage.plan.serves, stage.play, await stage.somebody(1, hour=3)
    await stage.begins()
    await stage.begins(soon)
    early = len(await stage.ledger(soon))
    await soon.does("opted_out")
    await stage.walks(days(60), until_sent=True)
    before, own = len(await stage.ledger()), await stage.ending(anna)

    await anna.does("opted_out")
    await stage.happen(stage.plan.hears, anna, soon, apart=days(3))
    await stage.walks()
    await anna.after(days(60))

    later = [*(await stage.ledger(soon))[early:], *(await stage.ledger())[before:]]
    assert {purpose for _, state, purpose in later if state in GONE_OR_GOING} <= ({TRANSACTIONAL} if serves else set())
    assert await stage.ending(anna) in (set(Outcome) if serves else {own or "opted_out"})
    assert await stage.ending(soon) in (set(Outcome) if serves else {"opted_out"})


async def test_the_same_event_told_again_is_none(stage: Stage) -> None:
    begins = stage.plan.starts_on[:1]
    if not begins:
        await stage.begins()

    again = [await stage.is_told_again(each) for each in (*begins, *stage.plan.hears)]
    await stage.play.after(days(1))
    again += [await stage.is_told_again(each) for each in (*stage.plan.hears, *stage.later()[-1:])]

    assert len(await stage.play.enrollments()) == 1
    assert not any(again)


@only(STARTED_BY_EVENTS)
async def test_late_news_starts_nothing_and_ends_what_walks_all_the_same(stage: Stage) -> None:
    late = stage.plan.fresh_within + minutes(1)
    await stage.begins(at=stage.play.clock.now() - late)
    assert await stage.play.enrollments() == []

    await stage.begins()
    began = stage.play.clock.now()
    await stage.walks(late + minutes(1))
    own = await stage.play.ending()
    for trigger, _ in stage.ends_by()[:1]:
        await stage.happens(trigger, at=began + minutes(1))

    assert await stage.play.ending() == next((own or outcome for _, outcome in stage.ends_by()), own)
