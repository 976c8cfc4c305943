"""How often, and for how long not at all: what a company tells of its customer's choice acts at once (S91, S97)."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec import structs

from adapters.database.events import NewEvent
from domain.customers import SNOOZE
from tests.services.bench import Bench
from tests.support.factories import an_event

DAY = timedelta(days=1)
DEEP = b'{"until": ' + b"[" * 2000 + b"]" * 2000 + b"}"
BIG = b'{"frequency": 1e5000}'


async def chosen(bench: Bench) -> tuple[str | None, datetime | None]:
    row = (await bench.rows("SELECT frequency, snoozed_until FROM customers WHERE customer_id = 'anna'"))[0]
    return row["frequency"], row["snoozed_until"]


async def a_choice(bench: Bench) -> None:
    """Once a month, and after a week of peace."""
    await bench.a_customer(frequency="monthly", snoozed_until=bench.clock.now() + 7 * DAY)


def garbled(name: str, body: bytes, at: datetime) -> NewEvent:
    return structs.replace(an_event(name, at=at), properties=body)


@pytest.fixture
def in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose clock on the wall is nine hours ahead."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("said", ["2026-05-01T00:00:00", "2026-05-01", "2026-05-01T00:00Z", "2026-05-01T05:00+05:00"])
@pytest.mark.usefixtures("in_tokyo")
async def test_an_end_of_the_break_without_a_zone_is_utc_wherever_we_run(bench: Bench, said: str) -> None:
    await bench.does("snoozed", until=said, project=False)

    assert await chosen(bench) == (None, datetime(2026, 5, 1, tzinfo=UTC))


NO_INSTANTS = ["soon", 7, ["2026-05-01"], "0001-01-01T00:00+14:00", "9999-12-31T23:59:59Z"]


@pytest.mark.parametrize("said", [{}, *({"until": each} for each in NO_INSTANTS)])
async def test_without_an_end_that_can_be_read_a_break_is_the_longest_that_is_offered(
    bench: Bench, said: dict[str, Any]
) -> None:
    await bench.does("snoozed", project=False, **said)

    assert await chosen(bench) == (None, bench.clock.now() + SNOOZE)


async def test_an_ended_break_lets_what_waits_go_at_once(bench: Bench) -> None:
    walk = await bench.a_walk()
    await bench.does("snoozed", until=(bench.clock.now() + 2 * DAY).isoformat())
    waiting = await bench.send(walk)
    told = await bench.dispatched(walk)

    await bench.does("snoozed", until=None, project=False)

    assert (waiting.rule, told) == ("snoozed", ["start"])
    assert await chosen(bench) == (None, None)
    assert await bench.dispatched(walk) == ["start", "released"]
    assert (await bench.send(walk)).state == "accepted"


async def test_a_choice_that_is_taken_back_lets_what_waits_go_at_once(bench: Bench) -> None:
    walk = await bench.a_walk()
    await bench.send(walk, "either")
    await bench.does("frequency_chosen", frequency="monthly")
    bench.clock.pass_(28 * DAY)
    waiting = await bench.send(walk)

    await bench.does("frequency_chosen", frequency=None, project=False)

    assert waiting.rule == "chose_monthly"
    assert await chosen(bench) == (None, None)
    assert await bench.dispatched(walk) == ["start", "released"]
    assert (await bench.send(walk)).state == "accepted"


@pytest.mark.parametrize("said", [{}, {"frequency": "daily"}, {"frequency": []}, {"frequency": {"a": 1}}])
async def test_a_frequency_that_there_is_not_changes_nothing(bench: Bench, said: dict[str, Any]) -> None:
    await a_choice(bench)

    await bench.does("frequency_chosen", project=False, **said)

    assert await chosen(bench) == ("monthly", bench.clock.now() + 7 * DAY)


@pytest.mark.parametrize("body", [DEEP, BIG], ids=["too deep", "too big a number"])
async def test_f20_a_choice_that_cannot_be_read_refuses_no_other_event(bench: Bench, body: bytes) -> None:
    await a_choice(bench)
    now = bench.clock.now()

    taken = await bench.ingest.accept(
        [garbled("frequency_chosen", body, now), garbled("snoozed", body, now), an_event("looked", at=now)]
    )

    assert taken.accepted == 3
    assert await chosen(bench) == ("monthly", now + SNOOZE)
