"""A change of a deal, and the events that tell of it (S5)."""

from dataclasses import replace
from decimal import Decimal

import pytest

from domain.deals import Deal, DealStatus, told_as

DEAL = Deal(deal_id="D-1", pipeline="sales", stage="qualification", amount=Decimal("4800.00"), currency="EUR")
WON, LOST = replace(DEAL, status=DealStatus.WON), replace(DEAL, status=DealStatus.LOST, lost_reason="price")
MONEY = {"amount": 4800.0, "currency": "EUR"}
OF = {"deal": "D-1", "pipeline": "sales"}
STORIES = {
    "it begins": (None, DEAL, [("deal_opened", {**OF, "stage": "qualification", **MONEY})]),
    "nothing changes": (DEAL, DEAL, []),
    "the same sum, written otherwise": (DEAL, replace(DEAL, amount=Decimal("4800")), []),
    "it moves": (
        DEAL,
        replace(DEAL, stage="negotiation"),
        [("deal_stage_changed", {**OF, "from": "qualification", "to": "negotiation"})],
    ),
    "it moves to another pipeline": (
        DEAL,
        replace(DEAL, pipeline="onboarding"),
        [("deal_stage_changed", {"deal": "D-1", "pipeline": "onboarding", "from": "qualification", "to": DEAL.stage})],
    ),
    "it is won": (DEAL, WON, [("deal_won", {**OF, **MONEY})]),
    "it is lost": (DEAL, LOST, [("deal_lost", {**OF, "reason": "price"})]),
    "it is lost without a word": (DEAL, replace(LOST, lost_reason=None), [("deal_lost", OF)]),
    "it moves and is won": (
        DEAL,
        replace(WON, stage="signed"),
        [
            ("deal_stage_changed", {**OF, "from": "qualification", "to": "signed"}),
            ("deal_won", {**OF, **MONEY}),
        ],
    ),
    "it was won before we knew it": (
        None,
        WON,
        [("deal_opened", {**OF, "stage": "qualification", **MONEY}), ("deal_won", {**OF, **MONEY})],
    ),
    "it is opened again": (
        LOST,
        DEAL,
        [("deal_opened", {**OF, "stage": "qualification", **MONEY, "again": True})],
    ),
    "somebody else has it": (DEAL, replace(DEAL, owner="mira@acme.test"), [("deal_changed", OF)]),
}


@pytest.mark.parametrize(("before", "after", "told"), STORIES.values(), ids=STORIES.keys())
def test_what_a_change_is_told_as(before: Deal | None, after: Deal, told: list[object]) -> None:
    assert told_as(before, after) == told
