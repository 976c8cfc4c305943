"""Who comes and goes: told once, never of what was only learned of, and whatever is written into a rule is a value."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from adapters.database import customers
from adapters.database.segment_sql import Statement
from domain.customers import Consent, ConsentStatus
from domain.errors import InvalidInput, Unavailable
from domain.segment_rules import read_rule
from domain.segments import Segment
from services.segment_catalogue import SegmentCatalogue
from services.segments import Segments
from tests.services.bench import Bench
from tests.support.factories import STAFF

BUYERS = {"event": {"name": "order_placed", "within": "30 days"}}
LABEL = {"en": "Some", "ru": "Кто-то"}


class Watching:
    """Segments that journeys watch, on a bench."""

    def __init__(self, bench: Bench, **rules: object) -> None:
        self.bench = bench
        self._catalogue = SegmentCatalogue(bench.clock, {name: a_segment(name, rule) for name, rule in rules.items()})
        self.segments = self.another()
        self._names = sorted(rules)

    def another(self) -> Segments:
        """The same in another process."""
        watched = dict.fromkeys(("buyers", "lookers"), "Trial")
        return Segments(self.bench.clock, self._catalogue, watched=watched)

    async def refresh(self, segment: str = "buyers", **how: Any) -> tuple[int, int, int]:
        """How many entered, how many left, and of how many it was told."""
        async with self.bench.database.transaction() as connection:
            moved = await self.segments.refresh(connection, segment, self.bench.clock.now(), **how)
        return moved.entered, moved.left, moved.told

    async def refresh_customer(self, customer: str = "anna", **how: Any) -> None:
        """As the projector does, after what happened to one customer."""
        async with self.bench.database.transaction() as connection:
            ours = self.bench.ours[customer]
            await self.segments.refresh_customers(connection, [ours], self.bench.clock.now(), **how)

    async def told(self) -> list[tuple[str, str, str]]:
        """What was told of whom, in order."""
        rows = await self.bench.rows("""
            SELECT name, customer_id, properties ->> 'segment' AS segment FROM events
            WHERE source = 'tropa' AND name LIKE 'segment\\_%' ORDER BY id
        """)
        return [(row["name"].removeprefix("segment_"), row["customer_id"], row["segment"]) for row in rows]


def a_segment(name: str, rule: object) -> Segment:
    return Segment(name=name, label=LABEL, description=LABEL, rule=rule)


@pytest.fixture
async def watching(bench: Bench) -> Watching:
    """Anna and Boris, and two watched segments whose members were found while nobody was in them."""
    lookers = {"event": {"name": "product_viewed", "count": {"at_least": 2}}}
    here = Watching(bench, buyers=BUYERS, lookers=lookers)
    for name in ("anna", "boris"):
        await bench.a_customer(name)
    return here


async def ready(watching: Watching) -> None:
    await watching.refresh("buyers")
    await watching.refresh("lookers")


async def test_who_was_there_at_first_is_not_told_of_and_who_comes_and_goes_is_once(
    bench: Bench, watching: Watching
) -> None:
    await bench.does("order_placed", "anna")
    assert await watching.refresh() == (1, 0, 0)

    bench.clock.pass_(timedelta(days=29))
    await bench.does("order_placed", "boris")
    assert await watching.refresh() == (1, 0, 1)
    assert await watching.refresh() == (0, 0, 0)
    bench.clock.pass_(timedelta(days=1))
    assert await watching.refresh() == (0, 1, 1)

    assert await watching.told() == [("entered", "boris", "buyers"), ("left", "anna", "buyers")]
    since = await bench.rows("SELECT customer, since FROM segment_members")
    assert since == [{"customer": bench.ours["boris"], "since": bench.clock.now() - timedelta(days=1)}]


async def test_the_projector_tells_of_one_customer_at_once(bench: Bench, watching: Watching) -> None:
    await ready(watching)

    for name in ("order_placed", "product_viewed", "product_viewed"):
        await bench.does(name, "anna")
        await watching.refresh_customer()
    await watching.refresh_customer("boris")
    await watching.refresh_customer()

    assert await watching.told() == [("entered", "anna", "buyers"), ("entered", "anna", "lookers")]
    assert await watching.refresh() == (0, 0, 0), "everybody was known already"
    bench.clock.pass_(timedelta(days=30))
    await watching.refresh_customer()
    assert (await watching.told())[2:] == [("left", "anna", "buyers")]


async def test_before_its_members_were_found_nobody_enters_a_segment(bench: Bench, watching: Watching) -> None:
    await watching.refresh("lookers")
    await bench.does("order_placed", "anna")

    await watching.refresh_customer()

    assert (await watching.told(), await bench.rows("SELECT * FROM segment_members")) == ([], [])


async def test_history_moves_people_silently(bench: Bench, watching: Watching) -> None:
    await ready(watching)
    await bench.does("order_placed", "anna", source="import")

    await watching.refresh_customer(silently=True)

    assert await watching.told() == []
    assert await watching.refresh() == (0, 0, 0)


async def test_a_changed_rule_finds_its_members_silently(bench: Bench, watching: Watching) -> None:
    await bench.does("order_placed", "anna")
    await bench.does("product_viewed", "boris")
    await ready(watching)
    other = watching.another()  # a worker that has not heard of the change yet

    async with bench.database.transaction() as connection:
        await other.refresh_customers(connection, [bench.ours["anna"]], bench.clock.now())
        changed = a_segment("buyers", {"event": {"name": "product_viewed"}})
        await watching.segments.set(connection, changed, actor=STAFF)
    async with bench.database.transaction() as connection:
        for name in ("anna", "boris"):
            await other.refresh_customers(connection, [bench.ours[name]], bench.clock.now())

    assert await watching.told() == []
    assert await bench.rows("SELECT segment, customer FROM segment_members") == [
        {"segment": "buyers", "customer": bench.ours["boris"]}
    ]


async def test_a_segment_within_a_watched_one_is_watched_too(bench: Bench) -> None:
    watching = Watching(bench, buyers={"segment": "paid"}, paid=BUYERS)
    await bench.a_customer("anna")
    await bench.does("order_placed", "anna")
    await watching.refresh()

    async with bench.database.transaction() as connection:
        await watching.segments.set(connection, a_segment("paid", {"event": {"name": "left"}}), actor=STAFF)

    assert (await watching.told(), await bench.rows("SELECT * FROM segment_members")) == ([], [])
    assert await watching.refresh() == (0, 0, 0), "it was found anew with the one inside"


async def test_two_at_once_tell_of_everybody_once(bench: Bench, watching: Watching) -> None:
    await ready(watching)
    for number in range(20):
        await bench.does("order_placed", f"customer-{number}", project=False)
    await bench.project()
    bench.ours |= {row["customer_id"]: row["id"] for row in await bench.rows("SELECT id, customer_id FROM customers")}
    one_by_one = (watching.refresh_customer(f"customer-{number}") for number in range(20))

    await asyncio.gather(*one_by_one, watching.refresh(), watching.refresh())

    assert sorted(await watching.told()) == sorted(("entered", f"customer-{n}", "buyers") for n in range(20))


async def test_who_is_erased_is_in_no_segment_and_nothing_is_told_of_them(bench: Bench, watching: Watching) -> None:
    await bench.does("order_placed", "anna")
    await ready(watching)

    await bench.erase("anna")

    assert await bench.rows("SELECT * FROM segment_members") == []
    assert (await watching.refresh(), await watching.told()) == ((0, 0, 0), [])


async def test_a_merged_customer_stays_where_either_was(bench: Bench, watching: Watching) -> None:
    await bench.does("order_placed", "anna")
    await ready(watching)

    await bench.merge("boris", "anna")
    await watching.refresh_customer("boris")

    assert await bench.rows("SELECT segment, customer FROM segment_members") == [
        {"segment": "buyers", "customer": bench.ours["boris"]}
    ]
    assert await watching.told() == []


async def test_all_are_refreshed_and_those_that_nobody_watches_are_forgotten(bench: Bench, watching: Watching) -> None:
    await bench.does("order_placed", "anna")
    await bench.change("INSERT INTO segment_watches VALUES ('once', '', :at)", at=bench.clock.now())
    await bench.change("INSERT INTO segment_members VALUES ('once', 'cus_1', :at)", at=bench.clock.now())

    found = await watching.segments.refresh_all(bench.database, bench.clock.now())

    assert {name: moved.entered for name, moved in found.items()} == {"buyers": 1, "lookers": 0}
    assert {row["segment"] for row in await bench.rows("SELECT segment FROM segment_watches")} == {"buyers", "lookers"}
    assert {row["segment"] for row in await bench.rows("SELECT segment FROM segment_members")} == {"buyers"}


async def test_a_stored_rule_that_cannot_be_read_any_more_stands_in_nobodys_way(
    bench: Bench, watching: Watching
) -> None:
    await bench.change(
        """
        INSERT INTO segments (name, version, at, actor, label, description, rule)
        VALUES ('buyers', 1, :at, 'somebody', '{}', '{}', '{"horoscope": "leo"}')
        """,
        at=bench.clock.now(),
    )

    found = await watching.segments.refresh_all(bench.database, bench.clock.now())
    await watching.refresh_customer()
    async with bench.database.transaction() as connection:
        known, _ = await watching.segments.set(connection, a_segment("others", BUYERS), actor=STAFF)
        with pytest.raises(InvalidInput, match="the segment buyers cannot be read any more: horoscope: is no kind"):
            await watching.segments.count(connection, {"segment": "buyers"})

    assert sorted(found) == ["lookers"]
    assert {"buyers", "others"} <= set(known.now)


async def test_a_rule_that_takes_too_long_is_given_up_and_nothing_is_saved(bench: Bench, watching: Watching) -> None:
    catalogue = SegmentCatalogue(bench.clock, {})
    hasty = Segments(bench.clock, catalogue, watched={}, patience=timedelta(milliseconds=1))
    rule = {"any": [{"event": {"name": f"e{n}", "where": {"x": {"contains": "y"}}}} for n in range(100)]}

    with pytest.raises(Unavailable, match=r"took longer than 0\.001 seconds, and was given up"):
        async with bench.database.transaction() as connection:
            await hasty.set(connection, a_segment("slow", rule), actor=STAFF)

    assert await bench.rows("SELECT * FROM segments") == []


HOSTILE = [
    "'; DROP TABLE customers; --",
    "' OR '1'='1",
    '") OR true --',
    ":now",
    ":v0 ::text",
    "$1",
    "%s %(now)s",
    "{} {0} #>> '{}'",
    "\\' \\",
    "null",
    "*/ SELECT pg_sleep(9) /*",
    "п’ривет😀",
]


def speaking(words: str) -> dict[str, Any]:
    """A rule with words in every place that takes some of one's own; names of events and segments take none."""
    looked = {"name": "looked", "where": {words: words}}
    return {
        "all": [
            {"customer": {"email": words, "locale": {"contains": words}, "stage": [words, "other"]}},
            {"attribute": {words: {"equals": words, "in": [words], "contains": words}, "tags": {"contains": words}}},
            {"not": {"rfm": {"segment": words}}},
            {"consent": {f"sms/{words}": "granted"}},
            {"event": {**looked, "sum": {f"{words}s": 7}}},
            {"sequence": {"first": looked, "then_not": looked, "within": "1 second"}},
        ]
    }


@pytest.mark.parametrize("words", HOSTILE)
async def test_whatever_is_written_into_a_rule_is_a_value(bench: Bench, words: str) -> None:
    await bench.a_customer("boris")
    anna = await bench.a_customer("anna", email=words, locale=words)
    said: dict[str, Any] = {words: words, f"{words}s": 7}
    await bench.does("looked", "anna", **said)
    await bench.change(
        "UPDATE customers SET stage = :words, attributes = cast(:attributes AS jsonb) WHERE id = :anna",
        words=words,
        attributes=json.dumps({words: words, "tags": [words]}),
        anna=anna,
    )
    async with bench.database.transaction() as connection:
        word = Consent(status=ConsentStatus.GRANTED, at=bench.clock.now(), source="test")
        await customers.put_consent(connection, anna, f"sms/{words}", word)
    bench.clock.pass_(timedelta(days=1))
    segments = Segments(bench.clock, SegmentCatalogue(bench.clock, {}), watched={})

    async with bench.database.transaction() as connection:
        counted = await segments.count(connection, speaking(words))

    assert counted.sample == [anna]
    assert Statement().members(read_rule(speaking(words))) == Statement().members(read_rule(speaking("plain")))
