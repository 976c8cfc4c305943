"""The daily sweep: who fell silent, whose birthday it is; once each, and silently where it would flood people."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import msgspec
import pytest

from adapters.database import sweeps
from adapters.database.customers import update_profile
from domain.durations import days
from domain.events import IMPORT
from domain.journeys import Plan
from domain.sweep import Silent, SweepRules, Swept
from domain.triggers import entering_stage, near_date
from services.saying import event_sentence
from services.sweep import Sweeping
from tests.services.bench import Bench

DAY = timedelta(days=1)
RULES = SweepRules()
SILENCES = ("engagement_lost", "became_dormant", "became_gone")


def sweeping(bench: Bench, rules: SweepRules = RULES, *, chunk: int = 2, zone: str = "UTC") -> Sweeping:
    """Small chunks, so that everything goes over several."""
    return Sweeping(bench.database, bench.clock, rules, zone, chunk=chunk)


async def sweep(bench: Bench, rules: SweepRules = RULES, **options: Any) -> Swept:
    return await sweeping(bench, rules, **options).sweep()


async def told(bench: Bench, *names: str) -> list[tuple[str, str, bool]]:
    """Who was told of by what, and whether it may start something, in the order of the sweeps."""
    rows = await bench.rows(
        """
        SELECT customer_id, name, properties ? 'silent' AS silent FROM events
        WHERE source = 'tropa' AND name = ANY(:names) ORDER BY occurred_at, name, customer_id
        """,
        names=list(names or SILENCES),
    )
    return [(row["customer_id"], row["name"], not row["silent"]) for row in rows]


async def quiet(bench: Bench, customer_id: str, active: timedelta, engaged: timedelta | None = None) -> str:
    """Somebody who last did anything so long ago."""
    ours = await bench.a_customer(customer_id)
    now = bench.clock.now()
    seen = {"last_active_at": now - active, "engaged_at": now - (active if engaged is None else engaged)}
    async with bench.database.transaction() as connection:
        await update_profile(connection, ours, seen)
    return ours


async def test_nps_is_due_once_in_a_quarter_on_a_day_of_ones_own(bench: Bench) -> None:
    rules = replace(RULES, dormant_after=days(400), gone_after=days(500))
    for who in ("anna", "boris", "clara", "dina"):
        await bench.does("order_placed", who)
    await bench.does("page_viewed", "eva, who never ordered")
    bench.clock.pass_(days(31))
    await bench.does("order_placed", "filip, who is new")
    await sweep(bench, rules)
    assert await told(bench, "nps_due") == []

    asked = []
    for week in range(26):
        bench.clock.pass_(days(7))
        told_of = (await sweep(bench, rules)).told.get("nps_due", 0)
        asked += [week] * told_of
        if week == 12:
            assert {who for who, _, _ in await told(bench, "nps_due")} >= {"anna", "boris", "clara", "dina"}

    times = Counter(who for who, _, _ in await told(bench, "nps_due"))
    assert times.pop("filip, who is new") in (1, 2)  # not before he is known for a month
    assert times == dict.fromkeys(("anna", "boris", "clara", "dina"), 2)
    assert len(set(asked)) > 4  # not everybody at once


async def test_nps_is_not_asked_of_who_fell_silent(bench: Bench) -> None:
    await bench.does("order_placed", "anna")
    await sweep(bench)
    bench.clock.pass_(days(95))

    await sweep(bench)

    assert await told(bench, "nps_due") == []


async def test_a_date_of_a_customer_starts_a_journey_so_many_days_before_and_once(bench: Bench) -> None:
    bench = bench.with_plans(Trial=Plan(starts_on=(near_date("contract_ends", days_before=30),)))
    rules = replace(RULES, dates={"contract_ends": (30, -2)})
    now = bench.clock.now()
    for who, ends in (("anna", now + days(31)), ("boris", now + days(40)), ("clara", None)):
        said = {"contract_ends": f"{ends:%Y-%m-%dT%H:%M:%SZ}"} if ends else {"contract_ends": "some day"}
        await bench.a_customer(who, attributes=msgspec.json.encode(said).decode())
    await sweep(bench)

    found = []
    for day in (1, 2, 33, 34):  # another rule about dates silences nothing; who sweeps too late says no more
        bench.clock.set(now + days(day))
        for _ in range(2):
            swept = await sweep(bench, rules)
            assert swept.silent is None
            found += [day] * swept.told.get("date_near", 0)
    await bench.project()

    assert found == [1, 33]
    assert [who for who, _, _ in await told(bench, "date_near")] == ["anna", "anna"]
    walking = await bench.rows("SELECT c.customer_id FROM enrollments e JOIN customers c ON c.id = e.customer")
    assert [row["customer_id"] for row in walking] == ["anna"]


# Clocks of silence ---------------------------------------------------------------------------------------------------


async def test_a_customer_who_falls_silent_is_told_of_at_each_threshold_and_once(bench: Bench) -> None:
    await sweep(bench)
    await quiet(bench, "anna", days(0))
    await quiet(bench, "boris", days(0))

    found, at = [], 0
    for day in (29, 30, 31, 58, 87, 89, 90, 91, 116, 145, 174, 179, 180, 181):
        bench.clock.pass_(days(day - at))
        at = day
        if day % 29 == 0:
            await bench.does("page_viewed", "boris")
        swept = await sweep(bench)
        found += [(day, name) for name in swept.told]

    assert found == [(30, "engagement_lost"), (90, "became_dormant"), (180, "became_gone")]
    assert await told(bench) == [("anna", name, True) for _, name in found]


async def test_it_happened_when_it_was_found_and_says_since_when(bench: Bench) -> None:
    await sweep(bench)
    await quiet(bench, "anna", days(0))
    began = bench.clock.now()
    bench.clock.pass_(days(30.5))

    await sweep(bench)

    [event] = await bench.rows("SELECT occurred_at, received_at, properties FROM events WHERE name = 'engagement_lost'")
    assert event["occurred_at"] == event["received_at"] == bench.clock.now()
    assert datetime.fromisoformat(event["properties"]["since"]) == began


async def test_whoever_comes_back_and_falls_silent_again_is_told_of_again(bench: Bench) -> None:
    await sweep(bench)
    await quiet(bench, "anna", days(89.5), days(0))
    for pause in (1, 1, 89, 1):
        bench.clock.pass_(days(pause))
        await sweep(bench)
        if pause == 1:
            await bench.does("page_viewed")

    assert (await told(bench, "became_dormant")) == [("anna", "became_dormant", True)] * 2


async def test_whoever_never_did_anything_is_silent_since_they_were_first_seen(bench: Bench) -> None:
    await sweep(bench)
    await bench.a_customer("anna")
    bench.clock.pass_(days(90))

    await sweep(bench)

    assert await told(bench) == [("anna", "became_dormant", True), ("anna", "engagement_lost", True)]


async def test_erased_customers_are_not_told_of(bench: Bench) -> None:
    await sweep(bench)
    await quiet(bench, "anna", days(0))
    await bench.erase("anna")
    bench.clock.pass_(days(200))

    swept = await sweep(bench)

    assert (swept.told, await told(bench)) == ({}, [])


async def test_our_own_event_brings_nobody_back_who_is_erased_meanwhile(bench: Bench) -> None:
    """Erased by a transaction that began before the sweep and ended after its look at them."""
    await sweep(bench)
    await quiet(bench, "anna", days(89.9))
    erased_at = bench.clock.now()
    bench.clock.pass_(DAY)
    await sweep(bench)
    bench.clock.set(erased_at)
    await bench.erase("anna")
    await bench.change(
        """
        UPDATE events SET customer_id = 'anna', number = NULL, customer = NULL, event_id = 'late', source = 'tropa'
        WHERE name = 'became_dormant'
        """
    )

    await bench.project()

    assert await bench.rows("SELECT 1 FROM customers WHERE erased_at IS NULL") == []


# Silence about silence -----------------------------------------------------------------------------------------------


def with_journey(bench: Bench) -> Bench:
    """A bench whose journey starts on whatever the sweep finds."""
    return bench.with_plans(Trial=Plan(starts_on=(*SILENCES, "birthday", "rfm_segment_entered")))


async def walking(bench: Bench) -> list[str]:
    """Who walks, having been projected."""
    await bench.project()
    rows = await bench.rows(
        "SELECT c.customer_id FROM enrollments e JOIN customers c ON c.id = e.customer ORDER BY c.customer_id"
    )
    return [row["customer_id"] for row in rows]


async def test_the_first_sweep_sets_states_silently_and_the_next_one_starts_journeys(bench: Bench) -> None:
    bench = with_journey(bench)
    await quiet(bench, "anna", days(100))
    await quiet(bench, "boris", days(200))
    await quiet(bench, "clara", days(89.5), days(0))

    first = await sweep(bench)

    assert (first.silent, first.told, first.silently) == (Silent.FIRST, {}, 4)
    assert Counter(name for _, name, _ in await told(bench)) == {
        "became_dormant": 1,
        "became_gone": 1,
        "engagement_lost": 2,
    }
    assert await walking(bench) == []

    bench.clock.pass_(DAY)
    second = await sweep(bench)

    assert (second.silent, second.told) == (None, {"became_dormant": 1})
    assert await walking(bench) == ["clara"]


async def test_what_is_set_silently_moves_stages_and_wakes_nobody(bench: Bench) -> None:
    bench = bench.with_stages("nine").with_plans(Trial=Plan(starts_on=(*SILENCES, entering_stage("win_back"))))
    await bench.does("order_placed", total=10)
    bought_at = bench.clock.now()
    bench.clock.pass_(days(100))

    first = await sweep(bench)

    assert (first.silent, await walking(bench)) == (Silent.FIRST, [])
    [anna] = await bench.rows("SELECT stage, last_active_at FROM customers")
    assert anna == {"stage": "win_back", "last_active_at": bought_at}
    bench.clock.pass_(DAY)
    assert (await sweep(bench)).silent is None, "what followed from it is no import"


async def test_a_sweep_by_another_threshold_is_silent_and_nobody_is_told_twice(bench: Bench) -> None:
    await sweep(bench)
    await quiet(bench, "anna", days(0))
    await quiet(bench, "boris", days(0), days(-25))
    short = replace(RULES, dormant_after=days(20))
    bench.clock.pass_(days(25))

    changed = await sweep(bench, short)
    again = await sweep(bench, short)

    assert (changed.silent, changed.silently, again.silent, again.silently) == (Silent.RULES, 2, None, 0)
    bench.clock.pass_(days(64))
    back = await sweep(bench, RULES)
    bench.clock.pass_(days(5))
    then = await sweep(bench, RULES)
    assert (back.silent, then.told) == (Silent.RULES, {})
    assert (await told(bench, "became_dormant")) == [(who, "became_dormant", False) for who in ("anna", "boris")]


async def test_the_first_sweep_after_an_import_is_silent(bench: Bench) -> None:
    bench = with_journey(bench)
    await sweep(bench)
    at = bench.clock.now() - days(89.5)
    for who in ("anna", "boris"):
        await bench.does("order_placed", who, at=at, received=bench.clock.now(), source=IMPORT, total=10)
    bench.clock.pass_(DAY)

    swept = await sweep(bench)

    assert (swept.silent, swept.told, swept.silently) == (Silent.IMPORT, {}, 2)
    assert await walking(bench) == []
    bench.clock.pass_(DAY)
    assert (await sweep(bench)).silent is None


async def test_an_import_that_waits_to_be_applied_silences_the_next_sweep_too(bench: Bench) -> None:
    await sweep(bench)
    at = bench.clock.now() - days(10)
    await bench.does("order_placed", at=at, received=bench.clock.now(), source=IMPORT, project=False)
    bench.clock.pass_(DAY)

    reasons = [(await sweep(bench)).silent]
    await bench.project()
    for _ in range(2):
        bench.clock.pass_(DAY)
        reasons.append((await sweep(bench)).silent)

    assert reasons == [Silent.IMPORT, Silent.IMPORT, None]


async def test_a_few_imported_customers_silence_no_sweep_and_what_is_long_past_starts_nothing(bench: Bench) -> None:
    bench = with_journey(bench)
    await bench.change(
        "INSERT INTO customers (customer_id, first_seen_at) SELECT 'c' || n, :at FROM generate_series(1, 150) AS n",
        at=bench.clock.now(),
    )
    await sweep(bench)
    now = bench.clock.now()
    await bench.does("order_placed", "old", at=now - days(100), received=now, source=IMPORT)
    await quiet(bench, "clara", days(89.5), days(0))
    bench.clock.pass_(DAY)

    swept = await sweep(bench, chunk=100)

    assert (swept.silent, swept.told) == (None, {"became_dormant": 1})
    assert ("old", "became_dormant", False) in await told(bench)
    assert await walking(bench) == ["clara"]


# Broken off, repeated ------------------------------------------------------------------------------------------------


async def test_a_sweep_that_is_broken_off_is_done_again_and_writes_nothing_twice(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sweep(bench)
    names = [f"c{n}" for n in range(7)]
    for name in names:
        await quiet(bench, name, days(89.5), days(0))
    bench.clock.pass_(DAY)
    chunks, whole = list[sweeps.Chunk](), sweeps.crossings

    async def twice(*arguments: Any, **options: Any) -> sweeps.Chunk:
        if len(chunks) == 2:
            raise ConnectionError
        chunks.append(await whole(*arguments, **options))
        return chunks[-1]

    monkeypatch.setattr(sweeps, "crossings", twice)
    with pytest.raises(ConnectionError):
        await sweep(bench)
    monkeypatch.undo()
    before = [who for who, _, _ in await told(bench)]
    bench.clock.pass_(timedelta(minutes=5))

    swept = await sweep(bench)

    assert (len(before), swept.told) == (4, {"became_dormant": 3})
    assert await told(bench) == [(name, "became_dormant", True) for name in before + sorted(set(names) - set(before))]
    assert (await sweep(bench)).told == {}


async def test_a_sweep_says_how_far_it_is_and_what_it_did(bench: Bench) -> None:
    await quiet(bench, "anna", days(100))
    said: list[str] = []

    swept = await sweeping(bench).sweep(said.append)

    assert {"RFM: scoring everybody", "silence: looked at 1 customers; 0 told, 2 silently"} <= {*said}
    assert (
        said[-1]
        == swept.words()
        == (
            "1 customers as of 2026-03-02 10:00, silently (first): nothing to tell; "
            "2 states set silently; RFM of 0, 0 in another segment; 0 visitors without a name forgotten"
        )
    )
    [row] = await bench.rows("SELECT as_of, silent, counts, rules FROM sweeps")
    assert (row["as_of"], row["silent"], row["counts"]["silently"]) == (bench.clock.now(), "first", 2)
    assert row["rules"]["dormant_after"] == "P90D"


@pytest.mark.parametrize("locale", ["en", "ru"])
def test_whatever_a_sweep_finds_has_a_sentence_of_its_own(locale: str) -> None:
    names = (*SILENCES, "birthday", "rfm_segment_entered")
    said = [event_sentence(name, {"segment": "at_risk"}, locale) for name in names]

    assert len({*said}) == 5 and not any(":" in each and "_" in each for each in said)
    assert said[-1] == {"en": "RFM: now At risk", "ru": "RFM: теперь В зоне риска"}[locale]


# Birthdays -----------------------------------------------------------------------------------------------------------


async def born(bench: Bench, **birthdays: tuple[str, str | None]) -> None:
    """Customers with a birthday, in a zone."""
    await bench.change(
        """
        INSERT INTO customers (customer_id, attributes, timezone, first_seen_at)
        SELECT who, jsonb_build_object('birthday', birthday), timezone, :at
        FROM unnest(CAST(:who AS text[]), CAST(:birthdays AS text[]), CAST(:zones AS text[]))
            AS given (who, birthday, timezone)
        """,
        at=bench.clock.now(),
        who=list(birthdays),
        birthdays=[birthday for birthday, _ in birthdays.values()],
        zones=[zone for _, zone in birthdays.values()],
    )


async def congratulated(bench: Bench) -> list[tuple[str, str]]:
    rows = await bench.rows("""
        SELECT customer_id, properties ->> 'on' AS day FROM events WHERE name = 'birthday' ORDER BY 1, 2
    """)
    return [(row["customer_id"], row["day"]) for row in rows]


async def test_a_birthday_is_told_on_its_day_where_the_customer_is(bench: Bench) -> None:
    bench.clock.set(datetime(2026, 3, 2, 4, tzinfo=UTC))
    await born(
        bench,
        anna=("1990-03-02", "UTC"),
        boris=("03-02", None),
        clara=("1990-03-02", "America/Los_Angeles"),  # there it is still the first
        denis=("1990-03-01", "America/Los_Angeles"),
        elena=("1990-03-03", "UTC"),
    )

    swept = await sweep(bench)

    assert swept.told == {"birthday": 3}
    assert await congratulated(bench) == [("anna", "2026-03-02"), ("boris", "2026-03-02"), ("denis", "2026-03-01")]
    bench.clock.pass_(DAY)
    assert (await sweep(bench)).told == {"birthday": 2}


async def test_every_birthday_is_told_once_a_year_wherever_the_customer_is(bench: Bench) -> None:
    zones = ["UTC", "Etc/GMT+12", "Etc/GMT-12", "Europe/Berlin", "Pacific/Kiritimati"]
    dates = ["02-20", "02-21", "02-28", "02-29", "03-01", "03-02", "03-08", "03-29", "03-30", "03-31"]
    people = {f"c{n:02}": each for n, each in enumerate(product(dates, zones))}
    began = datetime(2026, 2, 17, 11, 59, 30, tzinfo=UTC)
    await born(bench, **people)

    for day in range(45):  # never quite a day apart, about the midnight of some
        bench.clock.set(began + DAY * day + timedelta(seconds=17 * day % 61))
        await sweep(bench, chunk=100)

    found = await congratulated(bench)
    assert [who for who, _ in found] == sorted(people)
    on = dict(found)
    assert {who: on[who][5:] for who in people} == {
        who: "02-28" if birthday == "02-29" else birthday for who, (birthday, _) in people.items()
    }


async def test_a_birthday_of_the_29th_of_february_is_on_its_day_in_a_leap_year(bench: Bench) -> None:
    await born(bench, anna=("1992-02-29", "UTC"))
    for year, last in ((2027, 28), (2028, 28), (2028, 29)):
        bench.clock.set(datetime(year, 2, last, 4, tzinfo=UTC))
        await sweep(bench)

    assert await congratulated(bench) == [("anna", "2027-02-28"), ("anna", "2028-02-29")]


@pytest.mark.parametrize("birthday", ["2 March", "1990-3-02", "xx-03-02", "1990-03-02T00:00:00Z", "", "3-02"])
async def test_what_is_no_date_is_nobodys_birthday(bench: Bench, birthday: str) -> None:
    await born(bench, anna=(birthday, "UTC"))

    assert (await sweep(bench)).told == {}


async def test_a_birthday_that_no_sweep_saw_is_told_a_day_late_and_no_later(bench: Bench) -> None:
    await sweep(bench)
    await born(bench, anna=("03-04", "UTC"), boris=("03-03", "UTC"))
    bench.clock.pass_(3 * DAY)

    await sweep(bench)

    assert await congratulated(bench) == [("anna", "2026-03-04")]
