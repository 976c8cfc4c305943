"""Whenever a worker is killed in the middle of a send, nobody gets it twice and everything comes right by itself.

A small storm; `make kills` is the whole one.
"""

from collections import Counter

import pytest

from domain.messages import Channel
from domain.sends import SendState
from tests.kills.bugs import Bug
from tests.kills.bulk_trap import BulkDeath
from tests.kills.bulks import let_enter, stands, until_done
from tests.kills.freezing import freeze_before_the_call, freeze_in_the_call
from tests.kills.ground import Ground, death_of
from tests.kills.points import Point
from tests.kills.storm import Kill, problems, storm

pytestmark = pytest.mark.timeout(600)  # half a minute on an idle machine


@pytest.fixture(scope="module")
async def kills(ground: Ground) -> list[Kill]:
    """One at each point. The provider reports on every other one."""
    texts = zip(Point, await ground.settle_people(len(Point)), strict=True)
    letters = zip([Point.TAKEN], await ground.settle_people(1, Channel.EMAIL), strict=True)
    return await storm(ground, [*texts, *letters], within=240)


def of(kills: list[Kill], *points: Point, channel: Channel = Channel.SMS) -> list[Kill]:
    return [kill for kill in kills if kill.point in points and kill.person.channel is channel]


async def test_whatever_is_killed_no_text_is_taken_twice_and_every_send_comes_to_its_end(kills: list[Kill]) -> None:
    assert problems(kills) == []
    assert {kill.point for kill in kills} == set(Point)


async def test_f09_killed_before_the_slot_is_committed_nothing_happened(kills: list[Kill]) -> None:
    found = of(kills, Point.ARRIVED, Point.RESERVING)

    assert [kill.left for kill in found] == [None, None]
    assert all(kill.settled and kill.right for kill in found)


async def test_f10_killed_before_the_claim_is_committed_the_send_goes_on_with_its_slot(kills: list[Kill]) -> None:
    found = of(kills, Point.RESERVED, Point.WRITTEN, Point.CONNECTED, Point.CLAIMING)

    assert [kill.left for kill in found] == [SendState.RESERVED] * 4
    assert all(kill.settled and kill.right for kill in found)


async def test_f11_f14_killed_before_the_provider_has_it_nothing_is_sent_and_that_is_found_out(
    kills: list[Kill],
) -> None:
    found = of(kills, Point.CLAIMED, Point.CALLING)

    assert [kill.left for kill in found] == [SendState.CLAIMED] * 2
    assert [(kill.rows[0]["rule"], len(kill.taken)) for kill in found] == [("never_arrived", 0)] * 2


async def test_f12_f13_killed_when_the_provider_has_it_a_report_or_a_look_up_says_so(kills: list[Kill]) -> None:
    found = of(kills, Point.TAKEN, Point.ANSWERED, Point.RECORDING)

    assert [kill.left for kill in found] == [SendState.CLAIMED] * 3
    assert [(kill.state, len(kill.taken)) for kill in found] == [(SendState.ACCEPTED, 1)] * 3
    assert {kill.rows[0]["rule"] for kill in found if not kill.person.told} == {"resolved_by_look_up"}
    assert {kill.person.told for kill in found} == {True, False}


async def test_killed_before_temporal_hears_of_the_answer_nothing_is_sent_again(kills: list[Kill]) -> None:
    (found,) = of(kills, Point.RECORDED)

    assert found.left == SendState.ACCEPTED
    assert (found.state, len(found.taken)) == (SendState.ACCEPTED, 1)


async def test_f15_killed_after_the_final_dot_a_letter_stays_unknown_and_is_not_sent_again(kills: list[Kill]) -> None:
    (found,) = of(kills, Point.TAKEN, channel=Channel.EMAIL)

    assert (found.left, found.state) == (SendState.CLAIMED, SendState.UNKNOWN)
    assert len(found.taken) == 1


async def test_a_worker_that_does_not_claim_is_found_out_by_the_judge(ground: Ground) -> None:
    (person,) = await ground.settle_people(1)

    found = problems(await storm(ground, [(Point.ANSWERED, person)], within=60, bug=Bug.NO_CLAIM))

    assert any(problem.startswith("taken twice: 1") for problem in found)


async def test_f47_a_process_frozen_between_claim_and_call_does_not_call_after_an_opt_out(ground: Ground) -> None:
    fates = await freeze_before_the_call(ground, 5)

    assert [(fate.state, fate.taken) for fate in fates] == [(SendState.WITHDRAWN, [])] * 5


async def test_f48_a_process_that_wakes_up_in_its_call_after_another_took_over_is_the_only_one_that_calls(
    ground: Ground,
) -> None:
    fates = await freeze_in_the_call(ground, 5, Point.CALLING)

    assert [len(fate.taken) for fate in fates] == [1] * 5
    assert all(fate.right for fate in fates), [str(fate) for fate in fates]


async def test_a_bulk_whose_workers_are_killed_in_the_middle_lets_everybody_enter_once(ground: Ground) -> None:
    people = await ground.settle_people(120)
    bulk = await let_enter(ground, people, per_second=96)  # chunks of 24

    reached = []
    for committed in (False, True):
        with ground.worker(bulk=BulkDeath(chunk=2, committed=committed)) as process:
            await death_of(process)
        reached.append((await stands(ground, bulk)).row["reached"])
    with ground.worker():
        entered = await until_done(ground, bulk, people, within=120)

    now = await stands(ground, bulk)
    assert reached == [24, 72]
    assert (now.row["state"], now.row["reached"], now.row["refused"]) == ("done", 120, 0)
    assert Counter(row["customer"] for row in entered) == Counter(person.customer for person in people)
    assert [row["starts"] for row in entered] == [1] * 120
    assert len({row["run_id"] for row in entered}) == 120
