"""RFM of a whole installation in one statement: the same as the rules of `domain.rfm`, one customer at a time."""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

import pytest

from adapters.database import rfm
from adapters.database.rfm import Snapshot
from domain.rfm import Code, Place, Purchases, RfmRules, codes, guarded, segment_of, settled, vips
from domain.sweep import Sweep, SweepRules
from tests.services.bench import Bench
from tests.support.cdnow import CUSTOMERS, SEGMENTS, purchases

DAY = timedelta(days=1)
ZONE = "America/New_York"  # where many of UTC's evenings are the same day, and some nights are an hour short


@dataclass(frozen=True, kw_only=True)
class Bought:
    """An order."""

    customer: str
    at: datetime
    net: Decimal
    status: str = "placed"
    currency: str = "EUR"


async def customers(bench: Bench, names: list[str]) -> dict[str, str]:
    """Known customers: our ids, by the company's."""
    rows = await bench.rows(
        """
        INSERT INTO customers (customer_id, first_seen_at) SELECT unnest(CAST(:names AS text[])), :at
        RETURNING customer_id, id
        """,
        names=names, at=bench.clock.now(),
    )  # fmt: skip
    return {row["customer_id"]: row["id"] for row in rows}


async def ordered(bench: Bench, orders: list[Bought]) -> None:
    """Orders, as projection would have stored them."""
    columns = ("customer", "at", "net", "status", "currency")
    await bench.change(
        """
        INSERT INTO orders (customer, "order", placed_at, status, gross, refunded, rate, net, currency)
        SELECT customer, gen_random_uuid(), at, status, net, 0, 1, net, currency
        FROM unnest(CAST(:customer AS text[]), CAST(:at AS timestamptz[]), CAST(:net AS numeric[]),
                    CAST(:status AS text[]), CAST(:currency AS text[])) AS o (customer, at, net, status, currency)
        """,
        **{name: [getattr(order, name) for order in orders] for name in columns},
    )


async def run(bench: Bench, rules: RfmRules, last: Sweep | None, *, loud: bool = True, zone: str = ZONE) -> Snapshot:
    """One snapshot, now."""
    async with bench.database.transaction() as connection:
        return await rfm.take(connection, rules, at=bench.clock.now(), zone=zone, last=last, loud=loud)


def done(at: datetime, rules: RfmRules, *, ranked: bool) -> Sweep:
    """A sweep, as the next one knows it."""
    return Sweep(as_of=at, rules=SweepRules(rfm=rules), ranked=ranked, imports_until=at)


async def told(bench: Bench) -> list[tuple[str, str | None, str, str]]:
    """Who was told to have gone from where to where, with which code."""
    rows = await bench.rows("SELECT * FROM events WHERE name = 'rfm_segment_entered' ORDER BY occurred_at, event_id")
    assert {(row["source"], row["occurred_at"] == row["received_at"]) for row in rows} <= {("tropa", True)}
    said = [(row["customer_id"], row["properties"]) for row in rows]
    return [(who, news.get("from"), news["segment"], news["code"]) for who, news in said]


# The oracle ----------------------------------------------------------------------------------------------------------


@dataclass
class Oracle:
    """What ought to be, run by run."""

    rules: RfmRules
    places: dict[str, Place] = field(default_factory=dict)
    since: dict[str, datetime] = field(default_factory=dict)
    last: datetime | None = None
    ranked: bool = False
    told: list[tuple[str, str | None, str, str]] = field(default_factory=list)

    def run(self, orders: list[Bought], now: datetime) -> dict[str, dict[str, object]]:
        """The rows of `rfm` after a run."""
        zone = ZoneInfo(ZONE)
        today = now.astimezone(zone).date()
        since = now - self.rules.window if self.rules.window else datetime.min.replace(tzinfo=UTC)
        counted = [o for o in orders if o.status == "placed" and o.currency and since < o.at <= now]
        theirs: dict[str, list[Bought]] = {}
        for each in counted:
            theirs.setdefault(each.customer, []).append(each)
        population = {}
        for who, all_ in theirs.items():
            days = {each.at.astimezone(zone).date() for each in all_}
            paid = sum((each.net for each in all_), Decimal(0))
            recency = (today - max(days)).days
            population[who] = Purchases(recency_days=recency, frequency=len(days), monetary=paid)
        ranked = not self.rules.are_fixed(len(population))
        best, found = vips(population), codes(population, self.rules)
        self.places = {who: place for who, place in self.places.items() if who in population}
        rows = {}
        for who, code in found.items():
            bought, before = population[who], self.places.get(who)
            another_day = self.last is not None and self.last.astimezone(zone).date() < today
            acts = guarded(segment_of(code), bought.recency_days)
            place = self.places[who] = settled(acts, before, another_day=another_day)
            if before is None or place.segment is not before.segment:
                self.since[who] = now
                fresh = before is not None or (self.last and max(o.at for o in theirs[who]) > self.last)
                if self.last and ranked == self.ranked and fresh:
                    came_from = before.segment.value if before else None
                    self.told.append((who, came_from, place.segment.value, str(code)))
            rows[who] = self._row(bought, code, place) | {"since": self.since[who], "vip": who in best}
        self.last, self.ranked = now, ranked
        return rows

    @staticmethod
    def _row(bought: Purchases, code: Code, place: Place) -> dict[str, object]:
        return {
            "recency_days": bought.recency_days,
            "frequency": bought.frequency,
            "monetary": bought.monetary,
            "code": str(code),
            "segment": segment_of(code),
            "effective_segment": place.segment,
            "candidate": place.candidate,
            "one_off": bought.one_off,
        }


def invented(chance: Random, who: list[str], now: datetime, count: int, *, within: int) -> list[Bought]:
    """Orders of some days, many of them alike; a few do not count."""
    return [
        Bought(
            customer=chance.choice(who),
            at=now - timedelta(days=chance.randrange(within), hours=chance.randrange(24), minutes=chance.randrange(60)),
            net=Decimal(chance.choice([0, 10, 10, 10, 25, 40, 150, 1000])),
            status=chance.choice(["placed"] * 8 + ["cancelled", "refunded"]),
            currency=chance.choice(["EUR"] * 12 + [""]),
        )
        for _ in range(count)
    ]


@pytest.mark.parametrize("seed", range(16))
async def test_one_statement_does_what_the_rules_do_one_by_one(bench: Bench, seed: int) -> None:
    chance = Random(seed)
    rules = RfmRules(fixed=seed % 4 == 3, window=chance.choice([None, 60 * DAY]))
    names = [f"c{n:02}" for n in range([20, 30, 60, 60][seed % 4])]
    ours = await customers(bench, names)
    oracle, last, orders = Oracle(rules), None, list[Bought]()
    for turn in range(5):
        now = bench.clock.now()
        new = invented(chance, names, now, 8 if turn else 3 * len(names), within=2 if turn else 200)
        await ordered(bench, [replace(each, customer=ours[each.customer]) for each in new])
        orders += new
        expected = oracle.run(orders, now)

        taken = await run(bench, rules, last)

        rows = await bench.rows("""
            SELECT c.customer_id AS who, r.recency_days, r.frequency, r.monetary, concat(r.r, r.f, r.m) AS code,
                   r.segment, r.effective_segment, r.candidate, r.since, r.vip, r.one_off
            FROM rfm r JOIN customers c ON c.id = r.customer
        """)
        assert {row.pop("who"): row for row in rows} == expected
        assert (taken.customers, taken.ranked) == (len(expected), oracle.ranked)
        assert Counter(await told(bench)) == Counter(oracle.told)
        last = done(now, rules, ranked=taken.ranked)
        bench.clock.pass_(DAY if turn != 2 else 2 * timedelta(hours=1))
    assert oracle.told, "nothing was told: this shows nothing"


# Stories -------------------------------------------------------------------------------------------------------------


async def shop(bench: Bench, count: int = 50) -> list[str]:
    """Customers of whom each bought more, more often and more lately than the one before. Answers our ids."""
    ids = list((await customers(bench, [f"c{n:03}" for n in range(count)])).values())
    now = bench.clock.now()
    orders = [
        Bought(customer=who, at=now - DAY * (count - n + each), net=Decimal(10 * n + 10))
        for n, who in enumerate(ids)
        for each in range(1 + n // 5)
    ]
    await ordered(bench, orders)
    return ids


async def segments(bench: Bench) -> Counter[str]:
    return Counter(row["effective_segment"] for row in await bench.rows("SELECT effective_segment FROM rfm"))


async def test_a_champion_who_is_quiet_for_90_days_acts_as_at_risk_at_once(bench: Bench) -> None:
    await shop(bench)
    rules = RfmRules()
    await run(bench, rules, None)
    last = done(bench.clock.now(), rules, ranked=True)
    assert (await segments(bench))["champions"] == 10

    bench.clock.pass_(89 * DAY)
    taken = await run(bench, rules, last)

    # Nobody bought: the scores are what they were. Who last ordered before the day of the first run is past 90 days.
    assert await bench.rows("SELECT count(*) FROM rfm WHERE segment = 'champions'") == [{"count": 10}]
    gone = {(frm, to) for _, frm, to, _ in await told(bench)}
    assert gone == {("champions", "at_risk"), ("loyal", "at_risk")}
    assert taken.told == taken.changed == len(await told(bench)) == 20


async def test_a_run_repeated_on_its_day_writes_nothing_twice(bench: Bench) -> None:
    ids = await shop(bench)
    rules = RfmRules()
    await run(bench, rules, None)
    last = done(bench.clock.now(), rules, ranked=True)
    bench.clock.pass_(DAY)
    await ordered(bench, [Bought(customer=ids[-12], at=bench.clock.now(), net=Decimal(9000))])

    first = await run(bench, rules, last)
    before = await bench.rows("SELECT * FROM rfm ORDER BY customer")
    again = await run(bench, rules, last)

    assert (first.told, again.told, again.changed) == (1, 0, 0)
    assert [(to, code) for _, _, to, code in await told(bench)] == [("champions", "545")]
    assert await bench.rows("SELECT * FROM rfm ORDER BY customer") == before


async def test_a_silent_run_sets_segments_and_tells_nobody(bench: Bench) -> None:
    ids = await shop(bench)
    rules = RfmRules()
    await run(bench, rules, None)
    last = done(bench.clock.now(), rules, ranked=True)
    bench.clock.pass_(DAY)
    await ordered(bench, [Bought(customer=ids[-12], at=bench.clock.now(), net=Decimal(9000))])

    taken = await run(bench, rules, last, loud=False)

    assert (taken.changed, taken.told, await told(bench)) == (1, 0, [])
    assert (await segments(bench))["champions"] == 11


async def test_when_customers_begin_to_be_compared_nobody_is_told(bench: Bench) -> None:
    await shop(bench, 24)
    rules = RfmRules()
    taken = await run(bench, rules, None)
    bench.clock.pass_(DAY)
    last = done(bench.clock.now() - DAY, rules, ranked=taken.ranked)
    [new] = (await customers(bench, ["new"])).values()
    await ordered(bench, [Bought(customer=new, at=bench.clock.now(), net=Decimal(5))])

    then = await run(bench, rules, last)

    assert (taken.ranked, then.ranked, then.told) == (False, True, 0)
    assert then.changed > 1


async def test_whoever_orders_for_the_first_time_is_told_of_and_whoever_comes_with_history_is_not(bench: Bench) -> None:
    await shop(bench)
    rules = RfmRules()
    await run(bench, rules, None)
    last = done(bench.clock.now(), rules, ranked=True)
    bench.clock.pass_(DAY)
    ours = await customers(bench, ["new", "old"])
    now = bench.clock.now()
    await ordered(bench, [
        Bought(customer=ours["new"], at=now, net=Decimal(20)),
        Bought(customer=ours["old"], at=now - 30 * DAY, net=Decimal(20)),
    ])  # fmt: skip

    await run(bench, rules, last)

    assert [(who, frm, to) for who, frm, to, _ in await told(bench) if who in ours] == [("new", None, "potential")]


async def test_whose_orders_are_all_cancelled_has_no_rfm_any_more(bench: Bench) -> None:
    ids = await shop(bench)
    await run(bench, RfmRules(), None)
    await bench.change("UPDATE orders SET status = 'cancelled' WHERE customer = :id", id=ids[0])

    taken = await run(bench, RfmRules(), None)

    assert (taken.without, taken.customers) == (1, 49)
    assert await bench.rows("SELECT 1 FROM rfm WHERE customer = :id", id=ids[0]) == []


async def test_who_is_erased_or_merged_away_has_no_rfm_any_more(bench: Bench) -> None:
    ids = await shop(bench)
    await run(bench, RfmRules(), None)

    await bench.erase("c000")
    await bench.merge("c002", "c001")

    assert await bench.rows("SELECT 1 FROM rfm WHERE customer = ANY(:ids)", ids=ids[:2]) == []
    taken = await run(bench, RfmRules(), None)
    assert taken.customers == 48


async def test_the_customers_of_cdnow(bench: Bench) -> None:
    bought = list(purchases())
    ours = await customers(bench, sorted({each.customer for each in bought}))
    await ordered(bench, [
        Bought(customer=ours[each.customer], at=datetime(each.day.year, each.day.month, each.day.day, 12, tzinfo=UTC),
               net=each.paid)
        for each in bought
    ])  # fmt: skip
    bench.clock.set(datetime(1998, 7, 1, tzinfo=UTC))

    taken = await run(bench, RfmRules(), None, zone="UTC")

    assert (taken.customers, taken.ranked) == (CUSTOMERS, True)
    rows = await bench.rows("SELECT segment, count(*) FROM rfm GROUP BY segment")
    assert {row["segment"]: row["count"] for row in rows} == SEGMENTS
