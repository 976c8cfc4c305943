"""The segments that come with Tropa (S72–S75): each with people who are in it, and others who are not."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from adapters.segments import shipped_segments
from domain.checks import Kind
from domain.customers import Trouble
from domain.segments import CUSTOMER, Segment
from services.segment_catalogue import SegmentCatalogue
from services.segments import Segments
from tests.services.bench import Bench
from tests.support.populating import settle
from tests.support.segment_oracle import Person, Row

LIFECYCLE = ("new_leads", "active_leads", "new_customers", "active_customers", "sleeping", "gone")


class Town:
    """Invented people. All numbers are days ago."""

    def __init__(self, bench: Bench) -> None:
        self._now = bench.clock.now()
        self.people: list[Person] = []

    def add(
        self,
        name: str,
        *,
        seen: float = 400,
        active: float | None = 5,
        orders: dict[float, list[str]] | None = None,
        rfm: dict[str, Any] | None = None,
        messages: dict[str, tuple[int, int]] | None = None,
        complained: float | None = None,
        **row: object,
    ) -> None:
        """`orders` are by when, with their codes; `messages` by channel: how many went out, how many were seen."""
        known: dict[str, Any] = {field: None for field, of in CUSTOMER.items() if of.kind is not Kind.NUMBER}
        known |= {"customer_id": name, "first_seen_at": self._ago(seen), "engagement": 0.0, "engagement_at": None}
        known |= {"last_active_at": None if active is None else self._ago(active), "first_touch": None, **row}
        placed = {"status": "placed", "currency": "EUR", "stands": True, "net": Decimal(10)}
        event = [] if complained is None else [Row(at=self._ago(complained), name="complaint_opened")]
        self.people.append(
            Person(
                id="",
                row=known,
                attributes={},
                consents={},
                rfm=self._rfm(**rfm) if rfm else None,
                events=event,
                orders=[Row(at=self._ago(at), facts={**placed, "codes": c}) for at, c in (orders or {}).items()],
                sends=[each for channel, sent in (messages or {}).items() for each in self._sends(channel, *sent)],
            )
        )

    def _ago(self, days: float) -> Any:
        return self._now - timedelta(days=days)

    def _rfm(self, **known: object) -> dict[str, Any]:
        scores = {"r": 3, "f": 3, "m": 3, "recency_days": 9, "frequency": 3, "monetary": Decimal(30)}
        words = {"segment": "potential", "effective_segment": "potential"}
        return {**scores, **words, "vip": False, "one_off": False, "since": self._now, **known}

    def _sends(self, channel: str, out: int, seen: int) -> list[Row]:
        facts = {"state": "accepted", "purpose": "value", "channel": channel}
        at = self._ago(20)
        return [Row(at=at, facts={**facts, "seen_at": at if number < seen else None}) for number in range(out)]


def a_town(bench: Bench) -> Town:
    """At least one person for each segment."""
    town = Town(bench)
    town.add("new_lead", seen=3, active=1)
    town.add("old_lead", seen=7, active=6, complained=10)
    town.add("silent_lead", seen=95, active=None)
    town.add("new_customer", seen=40, orders={10: []}, rfm={"one_off": True, "f": 1, "m": 5, "r": 5})
    town.add(
        "regular", orders={300: [], 100: [], 8: []}, rfm={"effective_segment": "loyal"}, messages={"email": (9, 4)}
    )
    town.add(
        "champion", orders={99: []}, rfm={"effective_segment": "champions", "vip": True}, messages={"email": (5, 1)}
    )
    town.add("hunter", orders={200: ["X"], 50: ["Y"], 9: []}, rfm={"effective_segment": "at_risk", "f": 2})
    town.add("sleeper", active=90, orders={90: []}, rfm={"vip": True}, preferred_channel="whatsapp")
    town.add("nearly", active=89.9, orders={95: [], 94: ["X"]}, messages={"whatsapp": (4, 3), "email": (4, 0)})
    town.add("gone", active=180, orders={180: []}, rfm={"effective_segment": "lost", "f": 1, "m": 4})
    town.add("angry", orders={50: []}, trouble=Trouble.COMPLAINT, rfm={"f": 2, "m": 4, "effective_segment": "at_risk"})
    return town


MEMBERS = {
    "new_leads": {"new_lead"},
    "active_leads": {"old_lead"},
    "new_customers": {"new_customer"},
    "active_customers": {"regular", "champion", "hunter", "nearly", "angry"},
    "sleeping": {"silent_lead", "sleeper"},
    "gone": {"gone"},
    "vip": {"champion", "sleeper"},
    "loyal": {"regular", "champion"},
    "growth_potential": {"new_customer", "angry"},
    "one_off": {"new_customer"},
    "at_risk": {"hunter", "angry"},
    "lost": {"gone"},
    "reads_actively": {"regular", "nearly"},
    "rarely_opens": {"champion"},
    "prefers_whatsapp": {"sleeper", "nearly"},
    "buys_on_promotion": {"hunter"},
    "buys_without_discount": {"regular"},
    "complains": {"old_lead", "angry"},
}
VIP_ASLEEP_ON_WHATSAPP = {"all": [{"segment": "vip"}, {"segment": "sleeping"}, {"segment": "prefers_whatsapp"}]}


@pytest.fixture
def segments(bench: Bench) -> Segments:
    catalogue = SegmentCatalogue(bench.clock, shipped_segments())
    return Segments(bench.clock, catalogue, watched={})


async def test_every_shipped_segment_has_its_people_and_no_others(bench: Bench, segments: Segments) -> None:
    town = a_town(bench)
    names = {person.row["customer_id"] for person in town.people}
    async with bench.database.transaction() as connection:
        await settle(connection, town.people)
        found = {
            name: {row["customer_id"] for row in await segments.members(connection, name, after="", limit=100)}
            for name in shipped_segments()
        }

    assert found == MEMBERS
    assert [name for name, members in found.items() if not members or members == names] == []
    assert sorted(name for each in LIFECYCLE for name in found[each]) == sorted(names), "everybody in exactly one"


async def test_segments_cross_into_a_micro_segment(bench: Bench, segments: Segments) -> None:
    town = a_town(bench)
    async with bench.database.transaction() as connection:
        await settle(connection, town.people)
        counted = await segments.count(connection, VIP_ASLEEP_ON_WHATSAPP)

    ours = {person.id: person.row["customer_id"] for person in town.people}
    assert (counted.count, [ours[each] for each in counted.sample]) == (1, ["sleeper"])


@pytest.mark.parametrize("segment", shipped_segments().values(), ids=lambda segment: segment.name)
def test_every_shipped_segment_is_told_in_both_languages(segment: Segment) -> None:
    for words in (segment.label, segment.description):
        assert words["en"].isascii()
        assert re.search("[а-я]", words["ru"])
    assert all(sentence.endswith(".") for sentence in segment.description.values())
