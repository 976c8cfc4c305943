"""Rules of segments: what is read means what it says, and what is wrong is named by its path."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from domain.checks import Check, Comparison
from domain.durations import days
from domain.errors import InvalidInput
from domain.messages import Channel
from domain.segment_rules import read_rule
from domain.segments import (
    AllOf,
    AnyOf,
    Attribute,
    Bought,
    Happened,
    Known,
    Measure,
    Member,
    Missed,
    Not,
    Pattern,
    Rule,
    Said,
    Scored,
    Told,
    Word,
    named_in,
    resolved,
)

ONE = Check(Comparison.AT_LEAST, Decimal(1))


def problems(given: object, **known: Any) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        read_rule(given, **known)
    return list(caught.value.problems)


def test_a_tree_is_read_as_it_is_written() -> None:
    rule = read_rule(
        {
            "all": [
                {"rfm": {"vip": True, "r": {"at_most": 2}}},
                {"any": [{"segment": "sleeping"}, {"not": {"consent": {"email/news": "denied"}}}]},
            ]
        }
    )

    assert rule == AllOf(
        (
            AllOf(
                (
                    Scored(name="vip", checks=(Check(Comparison.EQUALS, True),)),
                    Scored(name="r", checks=(Check(Comparison.AT_MOST, Decimal(2)),)),
                )
            ),
            AnyOf(
                (Member(segment="sleeping"), Not(Said(channel=Channel.EMAIL, topic="news", word=Word.DENIED))),
            ),
        )
    )


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (
            {"customer": {"preferred_channel": "whatsapp"}},
            Known(name="preferred_channel", checks=(Check(Comparison.EQUALS, "whatsapp"),)),
        ),
        (
            {"customer": {"last_active_at": {"older_than": "90 days"}}},
            Known(name="last_active_at", checks=(Check(Comparison.OLDER_THAN, days(90)),)),
        ),
        (
            {"customer": {"first_seen_at": {"before": "2026-01-31T10:00:00+01:00"}}},
            Known(name="first_seen_at", checks=(Check(Comparison.BEFORE, datetime(2026, 1, 31, 9, tzinfo=UTC)),)),
        ),
        (
            {"attribute": {"plan": ["team", 3, 0.1, True]}},
            Attribute(name="plan", checks=(Check(Comparison.IN, ("team", Decimal(3), Decimal("0.1"), True)),)),
        ),
        (
            {"event": {"name": "page_viewed", "where": {"page": "/prices"}, "within": "30 days"}},
            Happened(
                pattern=Pattern(name="page_viewed", where=(("page", (Check(Comparison.EQUALS, "/prices"),)),)),
                within=days(30),
                measure=Measure.COUNT,
                checks=(ONE,),
            ),
        ),
        (
            {"event": {"name": "order_placed", "sum": {"total": {"more_than": 500}}}},
            Happened(
                pattern=Pattern(name="order_placed"),
                within=None,
                measure=Measure.SUM,
                checks=(Check(Comparison.MORE_THAN, Decimal(500)),),
                property="total",
            ),
        ),
        (
            {
                "sequence": {
                    "first": {"name": "cart_updated", "within": "7 days"},
                    "then_not": {"name": "order_placed"},
                    "within": "2 days",
                }
            },
            Missed(
                first=Pattern(name="cart_updated"), since=days(7), then=Pattern(name="order_placed"), within=days(2)
            ),
        ),
        (
            {"orders": {"with_code": False, "revenue": {"at_least": 10}, "within": "365 days"}},
            Bought(
                within=days(365),
                with_code=False,
                measure=Measure.SUM,
                checks=(Check(Comparison.AT_LEAST, Decimal(10)),),
            ),
        ),
        (
            {"messages": {"channel": "email", "seen": True, "within": "90 days"}},
            Told(within=days(90), channel=Channel.EMAIL, seen=True, checks=(ONE,)),
        ),
    ],
)
def test_every_condition_means_what_it_says(given: object, meant: Rule) -> None:
    assert read_rule(given) == meant


TESTS = "all, any, not, customer, attribute, rfm, consent, event, sequence, orders, messages, segment"


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (None, f"rule: must have exactly one of: {TESTS}"),
        ({}, f"rule: must have exactly one of: {TESTS}"),
        ({"all": []}, "all: must be a list of rules"),
        ({"any": {"segment": "vip"}}, "any: must be a list of rules"),
        ({"some": []}, f"some: is no kind of rule; these are: {TESTS}"),
        (
            {"any": [{"segment": "vip"}, {"event": {"name": "page_viewed", "within": "soon"}}]},
            "any[1].event.within: 'soon' is not a duration; write for example \"2 days\" or \"36 hours\"",
        ),
        (
            {"all": [{"not": {"event": {"name": "Page viewed"}}}]},
            "all[0].not.event.name: must be the name of an event, such as order_placed",
        ),
        ({"event": {"name": "order_placed\n"}}, "event.name: must be the name of an event, such as order_placed"),
        (
            {"event": {"name": "a", "withn": "2 days"}},
            "event.withn: is not known here; these are: name, where, within, count, sum, first, last",
        ),
        ({"event": {"name": "a", "within": 30}}, 'event.within: must be a duration, such as "2 days" or "36 hours"'),
        ({"event": {"name": "a", "within": "0 days"}}, "event.within: must be longer than nothing"),
        ({"event": {"name": "a", "within": "9999 weeks"}}, "event.within: must be longer than nothing and"),
        ({"event": {"name": "a", "count": {"at_least": "3"}}}, "event.count.at_least: must be a number"),
        ({"event": {"name": "a", "count": {"at_least": True}}}, "event.count.at_least: must be a number"),
        ({"event": {"name": "a", "count": {"older_than": "1 day"}}}, "event.count.older_than: cannot be asked here"),
        ({"event": {"name": "a", "count": {}}}, "event.count: must ask something: equals, in, at_least"),
        ({"event": {"name": "a", "sum": 3}}, "event.sum: must name something"),
        ({"event": {"name": "a", "where": {"": 3}}}, "event.where.: must be text"),
        ({"event": {"name": "a", "where": {"x": None}}}, "event.where.x.equals: must be text, a number, true or false"),
        ({"event": {"name": "a", "where": {"x": float("nan")}}}, "event.where.x.equals: must be between -1,000,000"),
        ({"event": {"name": "a", "where": {"x": "\ud800"}}}, "event.where.x.equals: holds a character that is none"),
        ({"customer": {"age": 3}}, "customer.age: is not known here; these are: customer_id, email"),
        ({"customer": {"preferred_channel": "fax"}}, "customer.preferred_channel.equals: must be one of email, sms"),
        ({"customer": {"last_order_at": "2026-01-01"}}, "customer.last_order_at.equals: cannot be asked"),
        (
            {"customer": {"last_order_at": {"before": "2026-01-31"}}},
            "customer.last_order_at.before: must be an instant such as 2026-01-31T09:00:00Z",
        ),
        (
            {"customer": {"last_order_at": {"before": "0001-01-01T00:00:00+14:00"}}},
            "customer.last_order_at.before: must be an instant such as 2026-01-31T09:00:00Z",
        ),
        ({"customer": {"email": {"in": []}}}, "customer.email.in: must be a list of 1 to 200 values"),
        ({"customer": {"email": "x" * 201}}, "customer.email.equals: must have at most 200 characters"),
        ({"rfm": {"vip": "yes"}}, "rfm.vip.equals: must be true or false"),
        ({"rfm": {"r": {"at_least": 1e16}}}, "rfm.r.at_least: must be between -1,000,000,000,000,000 and 1,000"),
        ({"consent": {"fax": "granted"}}, "consent.fax: must be one of email, sms, whatsapp, telegram, web_push"),
        ({"consent": {"email/news": True}}, "consent.email/news: must be one of granted, denied, none"),
        ({"sequence": {"first": {"name": "a"}, "then_not": {"name": "b"}}}, "sequence.within: is missing: how long"),
        ({"sequence": {"first": {"name": "a"}, "within": "1 day"}}, "sequence.then_not: must say some of: name, where"),
        ({"orders": {"with_code": 1}}, "orders.with_code: must be true or false"),
        ({"messages": {"channel": ["email"]}}, "messages.channel: must be one of email"),
        ({"segment": "V.I.P."}, "segment: must be the name of a segment"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_its_path(given: object, problem: str) -> None:
    found = problems(given)

    assert any(each.startswith(problem) for each in found), found


def test_everything_that_is_wrong_is_named_at_once() -> None:
    found = problems({"all": [{"event": {"name": "A", "within": "soon"}}, {"rfm": {"x": 1}}, {"orders": {}}]})

    assert [each.partition(":")[0] for each in found] == [
        *("all[0].event.name", "all[0].event.within"),
        *("all[1].rfm.x", "all[2].orders"),
    ]


def test_a_segment_that_is_not_there_is_named() -> None:
    given = {"any": [{"segment": "vip"}, {"segment": "pivs"}]}

    assert problems(given, known=["vip", "lost"]) == [
        "any[1].segment: there is no segment 'pivs'; there are: lost, vip"
    ]


def test_depth_and_size_are_bounded() -> None:
    deep: dict[str, Any] = {"segment": "vip"}
    for _ in range(8):
        deep = {"not": deep}
    wide = {"any": [{"segment": "vip"}] * 100}

    assert read_rule(deep) and read_rule(wide)
    assert problems({"all": [deep]}) == ["all[0].not.not.not.not.not.not.not.not: is nested more than 8 levels deep"]
    assert problems({"any": [{"segment": "vip"}] * 101}) == ["rule: has more than 100 conditions"]
    assert len(problems({"any": [{}] * 10_000})) == 20


def test_segments_take_the_place_of_their_names_and_never_lead_back() -> None:
    rules = {
        "vip": read_rule({"rfm": {"vip": True}}),
        "quiet_vip": read_rule({"all": [{"segment": "vip"}, {"not": {"segment": "quiet"}}]}),
        "quiet": read_rule({"any": [{"segment": "round"}]}),
    }
    around = {**rules, "round": read_rule({"segment": "quiet_vip"})}
    whole = resolved("quiet_vip", rules["quiet_vip"], {**rules, "round": rules["vip"]}.get)

    assert named_in(rules["quiet_vip"]) == ("vip", "quiet")
    assert whole == AllOf((rules["vip"], Not(AnyOf((rules["vip"],)))))
    with pytest.raises(InvalidInput, match="quiet_vip → quiet → round → quiet_vip"):
        resolved("quiet_vip", around["quiet_vip"], around.get)
    with pytest.raises(InvalidInput, match="there is no segment 'round'"):
        resolved("quiet_vip", rules["quiet_vip"], rules.get)


def test_segments_within_segments_are_bounded_together() -> None:
    wide = read_rule({"any": [{"rfm": {"vip": True}}] * 60})
    twice = read_rule({"any": [{"segment": "wide"}] * 2})

    with pytest.raises(InvalidInput, match="twice has 120 conditions with those of the segments it names"):
        resolved("twice", twice, {"wide": wide}.get)
