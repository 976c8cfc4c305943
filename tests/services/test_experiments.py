"""Experiments: a customer's variant is theirs, whoever sees one is counted, and marketers set the weights."""

from collections import Counter
from dataclasses import asdict, replace
from uuid import uuid4

import pytest
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.walking import VariantRequest, WalkingActivities
from adapters.database import experiments
from domain.errors import InvalidInput, NotFound
from domain.journeys import Enrollment
from domain.sends import SendState, send_id
from tests.services.bench import Bench
from tests.support.factories import STAFF
from tests.support.tried_journey import Trial
from tropa.worker import RUNNER
from workflows.toolkit.endings import Endings

TONE = "Trial/tone"


async def set_tone(bench: Bench, given: object) -> None:
    async with bench.database.transaction() as connection:
        await bench.catalogue.set_options(connection, "Trial", {"experiments": {"tone": given}}, actor=STAFF)


async def variant(bench: Bench, customer: str = "anna") -> str:
    walk = await bench.a_walk(customer)
    request = VariantRequest(enrollment=walk, customer=bench.ours[customer], experiment="tone")
    found = await bench.walking.variant(request)
    await bench.change("UPDATE enrollments SET ended_at = started_at, outcome = 'lapsed' WHERE id = :id", id=walk)
    return found


@pytest.fixture
def trying(bench: Bench) -> Bench:
    return bench.with_plans(Trial=Trial.plan)


async def test_a_variant_stays_whatever_the_weights_become(trying: Bench) -> None:
    first = await variant(trying)
    other = "warm" if first == "plain" else "plain"
    await set_tone(trying, {other: 1})

    assert await variant(trying) == first
    assert await variant(trying, "boris") == other
    async with trying.database.transaction() as connection:
        assert await experiments.exposed(connection) == {TONE: {first: 1, other: 1}}
    assert await trying.words(customer=trying.ours["boris"], state="variant") == [
        f"Takes part in the experiment tone: {other}"
    ]


async def test_a_winner_is_for_everybody_new_and_counts_nobody(trying: Bench) -> None:
    await set_tone(trying, "warm")

    assert [await variant(trying, who) for who in ("anna", "boris", "clara")] == ["warm"] * 3
    assert await trying.rows("SELECT * FROM assignments") == []


@pytest.mark.parametrize(
    "given", [{}, {"warm": 0}, {"warm": -1}, {"loud": 1}, {"warm": 0.5}, {"warm": True}, "loud", 3]
)
async def test_weights_that_cannot_be_are_told(trying: Bench, given: object) -> None:
    with pytest.raises(InvalidInput, match=r"options\.experiments\.tone: must be weights"):
        await set_tone(trying, given)


async def test_an_experiment_that_there_is_not_is_told(trying: Bench) -> None:
    walk = await trying.a_walk()
    request = VariantRequest(enrollment=walk, customer=trying.ours["anna"], experiment="price")
    with pytest.raises(NotFound):
        await trying.walking.variant(request)
    async with trying.database.transaction() as connection:
        with pytest.raises(InvalidInput, match="some of: tone"):
            await trying.catalogue.set_options(connection, "Trial", {"experiments": {"price": "a"}}, actor=STAFF)


async def test_two_who_are_one_saw_what_the_first_saw(trying: Bench) -> None:
    await set_tone(trying, {"warm": 1})
    await variant(trying, "anna")
    await set_tone(trying, {"plain": 1})
    await variant(trying, "visitor")
    await trying.merge("anna", "visitor")

    rows = await trying.rows("SELECT variant FROM assignments")
    assert rows == [{"variant": "warm"}]


async def test_a_journey_asks_for_a_variant(trying: Bench, time_skipping: WorkflowEnvironment) -> None:
    await set_tone(trying, {"warm": 1})
    walk = await trying.a_walk()
    queue, activities = uuid4().hex, WalkingActivities(trying.walking)
    enrollment = Enrollment(
        id=walk,
        customer=trying.ours["anna"],
        started_at=trying.clock.now(),
        anchor=trying.pace.anchor,
    )
    async with Worker(
        time_skipping.client,
        task_queue=queue,
        workflows=[Trial],
        activities=[activities.variant, activities.end],
        workflow_runner=RUNNER,
        interceptors=[Endings()],
    ):
        ending = await time_skipping.client.execute_workflow("Trial", asdict(enrollment), id=walk, task_queue=queue)

    assert ending == "converted"


async def test_a_control_group_goes_through_the_journey_without_what_is_measured(bench: Bench) -> None:
    bench = bench.with_policy(replace(bench.policy, holdout=0.5))
    states: Counter[str] = Counter()
    for number in range(40):
        who = f"customer-{number}"
        walk = await bench.a_walk(who)
        note = await bench.send(walk, customer=who)
        receipt = await bench.send(walk, "receipt", customer=who)
        assert (note.state, receipt.state) in {
            (SendState.ACCEPTED, SendState.ACCEPTED),
            (SendState.HOLDOUT, SendState.ACCEPTED),
        }
        states[note.state] += 1
        if note.state is SendState.HOLDOUT:
            assert (await bench.send(walk, customer=who)).state is SendState.HOLDOUT, "a retry stays what it was"
            assert "control group" in (await bench.words(send=send_id(walk, "note", 1)))[0]

    assert 8 < states[SendState.HOLDOUT] < 32
    assert len(bench.email.calls) == 40 + states[SendState.ACCEPTED]


async def test_a_journey_has_a_control_group_of_its_own(bench: Bench) -> None:
    async with bench.database.transaction() as connection:
        await bench.catalogue.set_options(connection, "Trial", {"holdout": 0.5}, actor=STAFF)
    states = Counter([(await bench.send(await bench.a_walk(f"c-{n}"), customer=f"c-{n}")).state for n in range(30)])

    assert set(states) == {SendState.HOLDOUT, SendState.ACCEPTED}
