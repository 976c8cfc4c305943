"""The touchpoint map is derived (S27): order from the code, triggers and stages from declarations and settings."""

import pytest

from adapters.stage_sets import read_stage_set
from domain.journeys import Reached
from domain.stages import StageSet
from domain.touchpoints import touchpoints
from domain.triggers import Trigger, entering_stage
from tests.support.factories import compiled
from workflows.registry import declarations

DECLARED = {each.name: each for each in declarations()}


@pytest.fixture(scope="module")
def stages() -> StageSet:
    return read_stage_set("seven")


def test_every_message_of_a_journey_is_said_in_its_code_and_nothing_else_is() -> None:
    folders = {each.folder: set(each.says) for each in DECLARED.values() if each.says}
    written: dict[str, set[str]] = {}
    for message in compiled().messages():
        written.setdefault(message.journey, set()).add(message.name)

    assert folders == written


def test_messages_come_in_the_order_of_the_walk_through_the_functions_that_it_calls() -> None:
    assert DECLARED["WelcomeChain"].says == ("greeting", "setup_help", "basics", "did_it_work", "personal_help")
    assert DECLARED["NewsletterWelcome"].says[:3] == ("welcome", "seven_criteria", "others_choose")


def test_people_are_touchpoints_where_the_walk_comes_to_them(stages: StageSet) -> None:
    """S41: somebody answers, and hears of it who has not; S13: a task has an outcome."""
    declared = DECLARED["LeadRequest"]
    said = [message for message in compiled().messages() if message.journey == declared.folder]

    rows = touchpoints(declared, said, {}, stages, titles={(Reached.COLLEAGUE, "answer_request"): "Answer a lead"})

    assert [(row.reached.value, row.name) for row in rows] == [
        ("staff", "somebody_asks"),
        ("colleague", "answer_request"),
        ("customer", "we_have_it"),
        ("staff", "nobody_answers"),
        ("customer", "we_are_late"),
        ("customer", "when_suits_you"),
    ]
    assert (rows[1].goal, rows[1].channels, rows[1].purpose) == ("Answer a lead", (), None)


@pytest.mark.parametrize(
    ("journey", "settings", "led"),
    [
        ("AbandonedCart", {}, ("decision",)),
        ("NewsletterWelcome", {}, ("consideration",)),
        ("OrderAndDelivery", {}, ("purchase",)),
        ("Referral", {}, ("advocacy",)),
        ("LeadRequest", {"starts_on": ["form_submitted", "demo_requested"]}, ("consideration", "decision")),
        ("Birthday", {}, ()),
    ],
)
def test_a_row_is_in_the_stages_that_what_starts_it_leads_to(
    stages: StageSet, journey: str, settings: dict[str, object], led: tuple[str, ...]
) -> None:
    declared = DECLARED[journey]
    said = [message for message in compiled().messages() if message.journey == declared.folder]

    rows = touchpoints(declared, said, settings, stages)

    assert {row.stages for row in rows} == {led}
    goals = {row.name: row.goal for row in rows if row.reached is Reached.CUSTOMER}
    assert goals == {message.name: message.goal for message in said}


@pytest.mark.parametrize(
    ("trigger", "stage"), [("order_placed", "purchase"), (entering_stage("loyalty"), "loyalty"), ("nps_due", None)]
)
def test_the_stage_that_an_event_alone_leads_to(stages: StageSet, trigger: Trigger, stage: str | None) -> None:
    led = stages.entered_by(trigger)

    assert (led.name if led else None) == stage
