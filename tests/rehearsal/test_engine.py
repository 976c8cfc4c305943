"""The engine does what a Temporal server would do, and refuses what it cannot. The SDK's own Replayer is the judge."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowHistory
from temporalio.exceptions import ApplicationError, FailureError

from domain.events import HeardEvent
from domain.journeys import Declaration, Enrollment
from domain.sends import Reaction, SendResult, SendState, send_id
from tests.support.hard_walks import HARD, work
from tests.support.replaying import replay
from tropa.rehearsal.engine import Engine
from tropa.rehearsal.exploring.alternatives import Alternatives
from tropa.rehearsal.exploring.walker import SERVED
from tropa.rehearsal.limits import CannotRehearse, WalkBroke
from tropa.rehearsal.stage import Call
from workflows.registry import declarations, journeys
from workflows.toolkit.journey import Journey

BEGAN = datetime(2026, 3, 2, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def hard(perform: Callable[[Call], Any] = lambda call: call.arguments[0]) -> Engine:
    return Engine(workflows=HARD, activities=[work], perform=perform, start=BEGAN)


def histories(engine: Engine) -> list[WorkflowHistory]:
    return [run.recording.history() for runs in engine.runs.values() for run in runs]


def ends(engine: Engine, id: str) -> tuple[str | None, Any]:
    run = engine.latest(id)
    payloads = engine.converter.payload_converter
    return run.closed, payloads.from_payload(run.result) if run.result else run.failure and run.failure.message


async def accepted(found: list[WorkflowHistory], workflows: tuple[type, ...]) -> None:
    for each in found:
        assert await replay(each.workflow_id, each, workflows) is None


async def test_signals_timers_cancelled_losers_patches_and_continuing_as_new_replay() -> None:
    engine, dice = hard(), random.Random(7)
    for name in ("a", "b"):
        engine.start("Race", 0, id=name)
        for _ in range(12):
            engine.run(engine.time + dice.uniform(0.1, 9) * HOUR)
            engine.signal(name, "tell", "now")
        engine.run(engine.time + 30 * DAY)

    assert [len(engine.runs[name]) for name in ("a", "b")] == [3, 3]
    assert {ends(engine, name)[0] for name in ("a", "b")} == {"completed"}
    assert ends(engine, "a")[1].endswith(" 2") and ends(engine, "a") != ends(engine, "b")
    await accepted(histories(engine), HARD)


async def test_a_history_that_lies_is_refused() -> None:
    engine = hard()
    engine.start("Race", 2, id="a")
    engine.run(BEGAN + DAY)
    history = histories(engine)[0]

    scheduled = next(e for e in history.events if e.HasField("activity_task_scheduled_event_attributes"))
    scheduled.activity_task_scheduled_event_attributes.activity_type.name = "another"

    assert "Nondeterminism" in (await replay("a", history, HARD) or "")


async def test_the_cancelled_say_goodbye_first() -> None:
    engine = hard()
    engine.start("Farewell", id="a")
    engine.run(BEGAN + DAY)
    assert engine.cancel("a", "enough")
    engine.settle()

    assert ends(engine, "a") == ("canceled", None)
    assert not engine.signal("a", "tell") and not engine.cancel("nobody")
    await accepted(histories(engine), HARD)


@pytest.mark.parametrize(
    ("error", "tries", "took"),
    [
        (RuntimeError(), 4, timedelta(seconds=10 + 20 + 40)),
        (ApplicationError("", type="Later", next_retry_delay=HOUR), 2, HOUR),
        (ApplicationError("", type="Hopeless"), 0, timedelta(0)),
        (ApplicationError("", type="Never", non_retryable=True), 0, timedelta(0)),
    ],
    ids=lambda value: getattr(value, "type", None) or type(value).__name__,
)
async def test_a_failing_activity_is_tried_again_by_its_policy(error: Exception, tries: int, took: timedelta) -> None:
    def perform(call: Call) -> Any:
        raise error

    engine = hard(perform)
    engine.start("Fails", tries, id="a")
    engine.run(BEGAN + took + timedelta(seconds=1))

    run = engine.latest("a")
    assert run.closed == "failed"
    assert run.failure.application_failure_info.type == (getattr(error, "type", None) or "RuntimeError")
    assert run.recording.events[-1].event_time.ToDatetime(UTC) - BEGAN >= took
    await accepted(histories(engine), HARD)


def test_an_activity_that_recovers_is_seen_with_its_attempt() -> None:
    seen: list[tuple[int, datetime]] = []

    def perform(call: Call) -> Any:
        seen.append((call.attempt, call.at))
        if call.attempt < 3:
            raise RuntimeError
        return "well"

    engine = hard(perform)
    engine.start("Fails", 0, id="a")
    engine.run(BEGAN + HOUR)

    assert ends(engine, "a") == ("completed", "well")
    assert [attempt for attempt, _ in seen] == [1, 2, 3]
    assert seen[2][1] - seen[0][1] == timedelta(seconds=30)


def test_a_query_is_answered_at_its_time() -> None:
    engine = hard()
    engine.start("Race", 2, id="a")
    engine.settle()
    assert engine.query("a", "rounds", result_type=int) == 0

    with pytest.raises(FailureError):
        engine.query("a", "nobody_knows")


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("a deadline", "schedule_to_close_timeout of the activity work"),
        ("a child", "start_child_workflow_execution"),
        ("nobody's activity", "unheard_of, which nobody serves"),
        ("anew", "continuing as new with workflow_run_timeout"),
    ],
)
def test_what_is_not_modelled_is_refused_by_name(what: str, told: str) -> None:
    engine = hard()
    engine.start("Wants", what, id="a")

    with pytest.raises(CannotRehearse, match=told):
        engine.settle()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("what", "told"),
    [("a bug", "RuntimeError: a bug"), ("circles", "round in circles"), ("patience", "failed 2000 times")],
)
def test_what_would_stand_still_on_a_server_is_told(what: str, told: str) -> None:
    def perform(call: Call) -> Any:
        raise RuntimeError("no")

    engine = hard(perform)
    engine.start("Wants", what, id="a")

    with pytest.raises(WalkBroke, match=told):
        engine.run(BEGAN + 30 * DAY)


def test_only_one_workflow_of_an_id_is_ever_started() -> None:
    engine = hard()

    assert engine.start("Farewell", id="a") is not None
    assert engine.start("Farewell", id="a") is None


# The certificate: whatever a journey of the house does here, the real core accepts as having happened -----------------


@pytest.mark.parametrize("journey", journeys(), ids=lambda journey: journey.__name__)
async def test_what_a_journey_does_here_the_real_core_accepts(journey: type[Journey]) -> None:
    [declared] = declarations((journey,))
    for seed in range(6):
        await accepted(histories(walked_at_random(journey, declared, seed)), (journey,))


def walked_at_random(journey: type[Journey], declared: Declaration, seed: int) -> Engine:
    """A walk whose customer, provider and facts are dice, and whose database is away now and then."""
    dice = random.Random(f"{declared.name}/{seed}")
    may = Alternatives(journey, declared, (), BEGAN)
    asked = ""

    def send(call: Call) -> SendResult:
        nonlocal asked
        request = call.arguments[0]
        asked = str(send_id("w", request.message, request.visit))
        if dice.random() < 0.2:
            return SendResult(state=SendState.DEFERRED, rule="gap", until=call.at + dice.uniform(0.5, 12) * HOUR)
        result: SendResult = dice.choice(may.of_a_send(request.message, request.leg, request.cascade)).value
        return result

    answers: dict[str, Callable[[Call], Any]] = {
        "send": send,
        "customer": lambda call: may.customer(dice.choice(may.of_facts), call.at),
        "variant": lambda call: dice.choice(may.of_variant(call.arguments[0].experiment)).value,
        "reaction": lambda call: dice.choice(list(Reaction)),
        "local_time": lambda call: call.arguments[0].after + dice.uniform(0, 30) * HOUR,
        "end": lambda call: call.arguments[0].ending,
        "catch_up": lambda call: [],
    }

    def perform(call: Call) -> Any:
        if dice.random() < 0.05:
            raise RuntimeError("the database is away")
        answer = answers.get(call.name)
        return answer(call) if answer else None

    engine = Engine(workflows=[journey], activities=SERVED, perform=perform, start=BEGAN)
    options = dice.choice(may.of_options()).value
    cause = dice.choice(may.of_causes()).value
    walk = Enrollment(
        id="w", customer="c", started_at=BEGAN, anchor=BEGAN, options=options, about="something", cause=cause
    )
    engine.start(declared.name, walk, id="w")
    for number in range(dice.randrange(8)):
        engine.run(engine.time + dice.uniform(0.01, 3) * DAY)
        choice = dice.choice(may.at_a_wait(False, asked))
        if choice.kind == "event":
            heard = HeardEvent(
                id=str(number), number=number, name=choice.value, at=engine.time, properties=dict(choice.properties)
            )
            engine.signal("w", "customer_event", heard)
        if dice.random() < 0.2:
            engine.signal("w", dice.choice(("released", "catch_up")))
    engine.run(engine.time + dice.uniform(0, 3) * DAY)
    match dice.randrange(3):
        case 1:
            engine.signal("w", "ended", {"outcome": "exited"})
        case 2:
            engine.cancel("w")
    engine.run(engine.time + 60 * DAY)
    return engine
