"""All branches of every journey, searched with answered activities: what must hold wherever a walk goes."""

import itertools
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pytest

from domain.journeys import Leaving, Outcome
from domain.options import NoOptions
from tests.support.exploring import MOST_WALKS, declared, found, said_by
from tests.support.stubborn_journey import Stubborn
from tropa.rehearsal.exploring.alternatives import Alternatives
from tropa.rehearsal.exploring.drawing import draw
from tropa.rehearsal.exploring.report import told
from tropa.rehearsal.exploring.routing import CARD_HEIGHT, Box
from tropa.rehearsal.exploring.search import Found
from tropa.rehearsal.exploring.walker import BEGAN, Step, Walked, Walker
from tropa.rehearsal.exploring.words import say
from workflows.registry import journeys
from workflows.toolkit import Journey

SVG = "{http://www.w3.org/2000/svg}"
ARROW = re.compile(r"[ML]([\d.]+) ([\d.]+)")
SECONDS = timedelta(seconds=10)
WORDS = {*Outcome, Leaving.OPTED_OUT, None}  # None: it goes on as another walk did

every_journey = pytest.mark.parametrize("journey", journeys(), ids=lambda each: each.__name__)


@every_journey
def test_all_of_it_is_reached_and_nothing_breaks(journey: type[Journey]) -> None:
    """A search that is cut off says so; all that the journey does must have been seen by then."""
    seen = found(journey)

    assert seen.broken == {}
    assert seen.unsent == []
    assert seen.gaps == []
    assert seen.complete or len(seen.walks) == MOST_WALKS
    assert seen.complete != any(line == say("cut off", "en") for line, _ in told(seen, "en"))


@every_journey
def test_silence_ends_it_by_its_plan_unless_it_is_without_end(journey: type[Journey]) -> None:
    without_end = journey.plan.carries is not NoOptions

    assert found(journey).silent.ended in ({None} if without_end else set(Outcome))


@every_journey
def test_a_goal_an_exit_and_leaving_end_it_at_once_wherever_it_stands(journey: type[Journey]) -> None:
    plan, seen = journey.plan, found(journey)
    declares = {str(each) for each in (plan.goal, *plan.exits) if each}

    assert {each.ended for each in seen.walks} <= WORDS
    assert {name for name, _ in ends(seen)} == (declares if plan.serves else {*declares, "opted_out"})
    assert list(unfit(seen)) == []


def test_a_journey_that_does_not_let_go_is_seen() -> None:
    assert set(unfit(found(Stubborn))) == {
        "bought: message one_more_word, end converted",
        "moved_away: message one_more_word, end exited",
        "opted_out: message one_more_word, end lapsed",
    }


@every_journey
def test_what_is_told_twice_is_heard_once(journey: type[Journey]) -> None:
    """Signals come at least once; the same event has the same id."""
    heard = {
        point.choice.value: each
        for each in reversed(found(journey).walks)
        for point in each.script
        if point.choice.kind == "event"
    }

    assert heard.keys() == set(journey.plan.hears)
    assert [walk(journey, each, Walker).steps for each in heard.values()] == [
        walk(journey, each, ToldTwice).steps for each in heard.values()
    ]


@every_journey
def test_its_map_can_be_read(journey: type[Journey]) -> None:
    """Words lie on no card and on no other words, and no arrow passes behind a card."""
    drawing = ElementTree.fromstring(draw(found(journey), "ru"))
    boxes = [placed(each) for each in drawing.iter(f"{SVG}rect")]
    corners = [ARROW.findall(each.attrib["d"]) for each in drawing.iter(f"{SVG}path") if "class" in each.attrib]
    lines = [
        Box(x=min(x1, x2) + 1, y=min(y1, y2) + 1, width=abs(x1 - x2) - 2, height=abs(y1 - y2) - 2)
        for each in corners
        for (x1, y1), (x2, y2) in itertools.pairwise([(float(x), float(y)) for x, y in each])
    ]

    assert [pair for pair in itertools.combinations(boxes, 2) if pair[0].meets(pair[1])] == []
    assert [line for line in lines for box in boxes if box.height == CARD_HEIGHT and box.meets(line)] == []


def placed(of: ElementTree.Element) -> Box:
    return Box(**{name: float(of.attrib[name]) for name in ("x", "y", "width", "height")})


class ToldTwice(Walker):
    """A walk that every event is told twice."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        tell = self._engine.signal
        self._engine.signal = lambda *told: tell(*told) and tell(*told)  # type: ignore[method-assign]


def walk(journey: type[Journey], again: Walked, walker: type[Walker]) -> Walked:
    """By the same choices, to the end."""
    alternatives = Alternatives(journey, declared(journey), said_by(journey), BEGAN)
    choices = [point.taken for point in again.points]
    return walker(journey, alternatives, found(journey).file, choices, set()).walk()


def ends(seen: Found) -> Iterator[tuple[str, list[Step]]]:
    """The goals, exits and leavings of all walks, each with what followed it, itself first."""
    for each in seen.walks:
        words = [point.choice.word for point in each.script if point.choice.kind in ("ends", "leaves")]
        places = [number for number, step in enumerate(each.steps) if step.name in words and step.kind == "choice"]
        yield from ((each.steps[number].name, each.steps[number:]) for number in places)


def unfit(seen: Found) -> Iterator[str]:
    """Of them those that were not the end at once, or another than the plan declares."""
    plan = seen.declaration.plan
    means = {str(plan.goal): "converted", "opted_out": "opted_out"} | {str(each): "exited" for each in plan.exits}
    for name, (came, *after) in ends(seen):
        if [step.node for step in after] != [("end", means[name])] or after[0].at - came.at > SECONDS:
            yield f"{name}: " + ", ".join(" ".join(step.node) for step in after)
