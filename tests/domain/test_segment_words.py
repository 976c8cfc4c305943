"""A segment's rule in words, and what journeys do by a segment."""

from collections.abc import Sequence
from typing import Any

import pytest

from domain.checks import Comparison
from domain.journeys import Declaration, Plan
from domain.segment_names import COMPARISONS, FIELDS, MEASURES, SCORES
from domain.segment_rules import read_rule
from domain.segment_uses import Use, uses
from domain.segment_words import Line, Words
from domain.segments import CUSTOMER, RFM, Measure
from domain.triggers import entering_segment, leaving_segment


def said(rule: Any, lang: str = "en") -> list[str]:
    """The lines, set in by how deep they are."""

    def flat(lines: Sequence[Line], depth: int = 0) -> list[str]:
        return [text for line in lines for text in ("  " * depth + line.text, *flat(line.parts, depth + 1))]

    words = Words(lang=lang, label=lambda name: name.upper(), stage=lambda stage: stage.title())
    return flat(words.lines(read_rule(rule)))


def test_everything_that_a_rule_may_ask_has_a_name() -> None:
    assert (FIELDS.keys(), SCORES.keys()) == (CUSTOMER.keys(), RFM.keys())
    assert MEASURES.keys() == set(Measure)
    assert COMPARISONS.keys() == set(Comparison) - {Comparison.EXISTS}


def test_a_tree_is_set_in_and_what_must_hold_together_needs_no_heading() -> None:
    rule = {
        "all": [
            {"segment": "vip"},
            {"any": [{"all": [{"rfm": {"r": 1}}, {"customer": {"stage": "loyalty"}}]}, {"not": {"segment": "gone"}}]},
            {"not": {"any": [{"segment": "a"}, {"segment": "b"}]}},
        ]
    }

    assert said(rule) == [
        "in the segment “VIP”",
        "at least one of these:",
        "  all of these:",
        "    RFM, R: 1",
        "    stage: Loyalty",
        "  none of this:",
        "    in the segment “GONE”",
        "none of this:",
        "  in the segment “A”",
        "  in the segment “B”",
    ]


@pytest.mark.parametrize(
    ("rule", "en", "ru"),
    [
        (
            {"customer": {"last_active_at": {"older_than": "90 days"}}},
            "last did anything: 90 days ago or earlier",
            "последняя активность: 90 дней назад и раньше",
        ),
        (
            {"customer": {"orders": {"at_least": 2, "less_than": 5}}},
            "orders: at least 2 and less than 5",
            "заказов: не меньше 2 и меньше 5",
        ),
        ({"customer": {"email": {"exists": False}}}, "email: not known", "почта: неизвестно"),
        (
            {"attribute": {"plan": ["team", 3, True]}},
            "your own “plan”: team or 3 or yes",
            "ваше «plan»: team или 3 или да",
        ),
        (
            {"consent": {"email/news": "none"}},
            "consent for email, news: never asked",
            "согласие, почта, news: не спрашивали",
        ),
        (
            {"event": {"name": "order_placed", "within": "7 days"}},
            "“Placed an order” in the last 7 days",
            "«Заказ оформлен» за последние 7 дней",
        ),
        (
            {"event": {"name": "page_viewed", "where": {"page": "prices"}, "last": {"within": "2 days"}}},
            "“Looked at a page” (page: prices), the last time: in the last 2 days",
            "«Просмотр страницы» (page: prices), последний раз: за последние 2 дня",
        ),
        (
            {"event": {"name": "order_placed", "sum": {"total": {"more_than": 500}}}},
            "“Placed an order”, sum of “total”: more than 500",
            "«Заказ оформлен», сумма «total»: больше 500",
        ),
        (
            {"sequence": {"first": {"name": "cart_updated"}, "then_not": {"name": "order_placed"}, "within": "2 days"}},
            "“Changed the cart”, and no “Placed an order” within 2 days of it",
            "«Корзина изменена», и за 2 дня после этого нет «Заказ оформлен»",
        ),
        (
            {"orders": {"with_code": True, "count": 0}},
            "orders with an offer code, how many: 0",
            "заказы с промокодом, сколько: 0",
        ),
        (
            {"messages": {"channel": "email", "seen": True, "within": "9 days"}},
            "messages certainly seen (email) in the last 9 days, how many: at least 1",
            "точно увидено сообщений (почта) за последние 9 дней, сколько: не меньше 1",
        ),
        ({"rfm": {"effective_segment": "at_risk"}}, "RFM, segment: At risk", "RFM, сегмент: В зоне риска"),
    ],
    ids=str,
)  # fmt: skip
def test_a_condition_is_a_line(rule: Any, en: str, ru: str) -> None:
    assert (said(rule), said(rule, "ru")) == ([en], [ru])


def test_journeys_begin_and_end_by_segments_as_they_are_set_here() -> None:
    plan = Plan(
        starts_on=(entering_segment("vip"),),
        may_start_on=(leaving_segment("quiet"),),
        goal=entering_segment("loyal"),
        exits=(leaving_segment("vip"),),
    )
    journeys = [Declaration(name="Club", folder="club", plan=plan, story="")]
    started_otherwise = {"Club": {"starts_on": ["segment_left"]}}

    assert uses("vip", journeys, {}) == [
        Use(journey="Club", does="begins", event="segment_entered"),
        Use(journey="Club", does="ends", event="segment_left"),
    ]
    assert [use.does for use in uses("loyal", journeys, {})] == ["goal"]
    assert uses("quiet", journeys, {}) == []
    assert [use.does for use in uses("quiet", journeys, started_otherwise)] == ["begins"]
    assert [use.does for use in uses("vip", journeys, started_otherwise)] == ["ends"]
