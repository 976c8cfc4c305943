"""Triggers: exactly the events that say what is asked of them (S65–S69)."""

import pytest

from domain.triggers import (
    Bounds,
    On,
    Trigger,
    Wanted,
    any_fits,
    at_least,
    at_most,
    entering_segment,
    entering_stage,
    events_of,
    leaving_segment,
    problems_in,
)
from tests.domain.test_projection import an_event


@pytest.mark.parametrize(
    ("wanted", "value", "fits"),
    [
        ("pricing", "pricing", True),
        ("pricing", "Pricing", False),
        ("pricing", None, False),
        (("checklist", "guide"), "guide", True),
        (("checklist", "guide"), "film", False),
        (at_most(6), 6, True),
        (at_most(6), 7, False),
        (at_most(6), "6", False),
        (at_most(6), False, False),
        (at_least(9), 9.5, True),
        (Bounds(at_least=7, at_most=8), 8, True),
        (Bounds(at_least=7, at_most=8), 9, False),
        (True, True, True),
        (True, 1, False),
        (1, True, False),
        ("laptops", ["phones", "laptops"], True),
        ("laptops", ["phones"], False),
        ("laptops", [["laptops"]], False),
        (at_least(3), [1, 5], True),
    ],
)
def test_a_property_fits_what_is_asked_of_it(wanted: Wanted, value: object, *, fits: bool) -> None:
    assert On("page_viewed", {"page": wanted}).fits(an_event("page_viewed", page=value)) is fits


def test_all_that_is_asked_must_hold_and_the_name_first() -> None:
    both = On("downloaded", {"kind": "whitepaper", "topic": "crm"})

    assert both.fits(an_event("downloaded", kind="whitepaper", topic="crm", size=3))
    assert not both.fits(an_event("downloaded", kind="whitepaper"))
    assert not both.fits(an_event("viewed", kind="whitepaper", topic="crm"))


def test_a_bare_name_is_a_trigger_too() -> None:
    triggers: tuple[Trigger, ...] = ("signed_up", On("page_viewed", {"page": "pricing"}), "signed_up")

    assert events_of(triggers) == ("signed_up", "page_viewed")
    assert any_fits(triggers, an_event("signed_up"))
    assert not any_fits(triggers, an_event("page_viewed", page="start"))


def test_triggers_read_as_words() -> None:
    told = [
        On("order_placed"),
        On("page_viewed", {"page": "pricing"}),
        On("survey_answered", {"score": at_most(6)}),
        On("downloaded", {"kind": ("guide", "checklist"), "new": True}),
        entering_stage("loyalty"),
        entering_segment("vip"),
        leaving_segment("vip"),
    ]

    assert [str(each) for each in told] == [
        "order_placed",
        "page_viewed (page pricing)",
        "survey_answered (score at most 6)",
        "downloaded (kind guide or checklist, new true)",
        "stage_entered (stage loyalty)",
        "segment_entered (segment vip)",
        "segment_left (segment vip)",
    ]


@pytest.mark.parametrize(
    "trigger",
    ["", "Order", On("a b"), On("viewed", {"page": None}), On("viewed", {"page": ()}), On("v", {"n": Bounds()})],
)
def test_a_trigger_that_cannot_be_is_told(trigger: Trigger) -> None:
    assert problems_in(trigger)
