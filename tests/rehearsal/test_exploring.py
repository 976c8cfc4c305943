"""The search through a journey: what can happen, by the shortest way, and what cannot; and the map of it."""

import functools
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest

from domain.messages import Message
from tests.support import exploring
from tests.support.dead_end import DeadEnd
from tests.support.factories import compiled
from tropa.__main__ import command_line
from tropa.rehearsal.exploring.chart import chart, grouped
from tropa.rehearsal.exploring.drawing import draw
from tropa.rehearsal.exploring.report import data, shortest, told
from tropa.rehearsal.exploring.search import Found, explore
from workflows.registry import declarations, journeys


def found(journey: str) -> Found:
    return exploring.found(next(each for each in journeys() if each.__name__ == journey))


SAID = ("come_in", "never", "who_is_there", "goodbye", "we_know_you")


@functools.cache
def dead_end() -> Found:
    [declared] = declarations((DeadEnd,))
    said = tuple(replace(a_message(), name=name) for name in SAID)
    return explore(DeadEnd, declared, said)


def a_message() -> Message:
    return compiled().messages()[0]


def ways(of: Found) -> dict[str, str]:
    return {name: shortest(walked, (kind, name), "en") for (kind, name), walked in of.first.items()}


def test_everything_in_the_welcome_chain_is_reached_by_its_shortest_way() -> None:
    welcome = found("WelcomeChain")

    assert ways(welcome) == dict.fromkeys(
        ("greeting", "basics", "did_it_work", "personal_help", "lapsed"), "silence"
    ) | {"setup_help": "day 0: setup stuck", "converted": "day 0: activated", "opted_out": "day 0: opted out"}


def test_what_depends_on_a_message_not_going_is_found() -> None:
    cart = found("AbandonedCart")

    assert ways(cart)["still_waiting"] == "2 hours: order by six: expired"


@pytest.mark.parametrize(
    ("journey", "message", "way"),
    [
        ("Upsell", "more_room", "day 0: started by limit reached"),
        ("Reactivation", "come_back_for_less", "day 0: audience: sleeping"),
    ],
)
def test_what_depends_on_how_it_began_or_on_facts_that_it_keeps_is_found(journey: str, message: str, way: str) -> None:
    assert ways(found(journey))[message] == way


def test_answers_to_a_survey_are_tried_with_every_score() -> None:
    nps = found("Nps")

    assert ways(nps)["call_the_unhappy"] == "day 0: survey answered: score 0"
    [edge] = [each for each in chart(nps).edges if each.to == ("task", "call_the_unhappy")]
    assert grouped(edge.words) == [("survey_answered", "score 0–6")]


def test_what_cannot_be_reached_is_named_and_so_is_what_breaks() -> None:
    lost = dead_end()

    assert lost.unsent == ["never"]
    assert [(gap.source, gap.missing) for gap in lost.gaps] == [
        ('if await self.variant("door") == "ajar":', "true"),
        ('await self.send("never")', ""),
    ]
    assert [what.partition(": ")[2] for what in lost.broken] == ["its code raised RuntimeError: too loud"]
    assert {"who_is_there", "we_know_you", "converted", "lapsed"} <= ways(lost).keys()
    assert ways(lost)["we_know_you"] == "3 days: first success 1\N{NO-BREAK SPACE}day\N{NO-BREAK SPACE}ago"
    assert ways(lost)["come_in"] == "day 0: started by door shown"
    words = "\n".join(line for line, _ in told(lost, "en"))
    assert "never true:  if await self.variant" in words and "message never" in words
    assert data(lost)["not_reached"]["messages"] == ["never"]


def test_the_map_has_the_silent_walk_as_its_spine_and_what_may_come_at_any_time_beside_it() -> None:
    laid = chart(found("WelcomeChain"))

    spine = {spot.node[1]: spot.at for spot in laid.spots if spot.column == 0}
    assert spine["did_it_work"] == pytest.approx(timedelta(days=5), abs=timedelta(seconds=1))
    assert [(word, node[1]) for word, node in laid.anytime] == [
        ("setup_stuck", "setup_help"),
        ("activated", "converted"),
        ("opted_out", "opted_out"),
    ]
    detour = next(each for each in laid.edges if each.of[1] == "greeting" and each.to[1] == "did_it_work")
    assert detour.words[0] == "feature_used"
    assert next(each for each in laid.edges if each.to[1] == "basics").lasting == timedelta(days=2)


@pytest.mark.parametrize(("journey", "language"), [("WelcomeChain", "en"), ("AbandonedCart", "ru"), ("Nps", "en")])
def test_the_drawing_is_whole_and_its_cards_do_not_overlap(journey: str, language: str) -> None:
    drawing = ElementTree.fromstring(draw(found(journey), language))

    words = " ".join(each.text or "" for each in drawing.iter("{http://www.w3.org/2000/svg}text"))
    assert all(message.name.replace("_", " ") in words for message in found(journey).messages)
    assert ("В любой момент" in words) == (language == "ru")
    cards = [
        (float(each.attrib["x"]), float(each.attrib["y"]))
        for each in drawing.iter("{http://www.w3.org/2000/svg}rect")
        if each.attrib["height"] == "48"
    ]
    assert len(cards) == len(set(cards))


def test_the_command_explores_without_a_database_and_draws(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "map.svg"

    def typed(*words: str) -> int:
        monkeypatch.setattr(sys, "argv", ["tropa", "rehearse", "nps", *words])
        with pytest.raises(SystemExit) as left:
            command_line()
        return int(left.value.code or 0)

    assert typed("--explore", "--svg", str(file), "--language", "ru") == 0
    assert capsys.readouterr().out.startswith("Nps: пройдено всё")
    assert file.read_text().startswith("<svg")
    assert typed("--svg", str(file)) == 2
