"""A month under the contact policy: every message that was meant to go has gone, or has its reason."""

import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta

from domain.experiments import held_out
from domain.sends import WAITING, SendState
from tests.services.bench import CALM, Bench

HOUR, DAYS, SHARE = timedelta(hours=1), 30, 0.3
ENDS = {SendState.ACCEPTED, SendState.REFUSED, SendState.EXPIRED, SendState.HOLDOUT}


async def test_intended_is_sent_and_refused_and_expired_each_with_its_reason(bench: Bench) -> None:
    """Three messages a day for each of four: one of the control group, one without consent, and one who chooses a
    week's peace midway.
    """
    luck, meant, bench = random.Random(7), 0, bench.with_policy(replace(CALM, holdout=SHARE))
    anna, david, emma = [await one(bench, held=False) for _ in range(3)]
    people = [anna, david, emma, await one(bench, held=True)]
    await bench.change("DELETE FROM consents WHERE customer = :emma", emma=bench.ours[emma])
    walks = {name: await bench.a_walk(name) for name in people}
    waiting: dict[tuple[str, str, int], object] = {}
    for hour in range(24 * (DAYS + 4)):
        if hour == 24 * 10:
            await bench.does("snoozed", david, until=(bench.clock.now() + timedelta(days=7)).isoformat())
        for (name, message, visit), until in list(waiting.items()):
            if until <= bench.clock.now():  # type: ignore[operator]  # instants
                del waiting[name, message, visit]
                await _ask(bench, walks, name, message, visit, waiting)
        if hour < 24 * DAYS and hour % 8 == 0:
            for name in people:
                meant += 1
                await _ask(bench, walks, name, luck.choice(("note", "either", "brief")), hour + 1, waiting)
        bench.clock.pass_(HOUR)

    rows = await bench.rows(
        "SELECT s.id, s.state, s.customer, c.customer_id FROM sends s JOIN customers c ON c.id = s.customer"
    )
    told = await bench.rows("SELECT DISTINCT send FROM decisions WHERE words <> ''")
    states = Counter(SendState(row["state"]) for row in rows)
    assert len(rows) == meant == states.total()
    assert set(states) <= ENDS
    assert {row["send"] for row in told} >= {row["id"] for row in rows}
    assert {row["state"] for row in rows if row["customer_id"] == emma} == {"refused"}
    assert {row["state"] for row in rows if row["customer_id"] == people[3]} <= {"holdout", "expired"}
    assert states[SendState.HOLDOUT] > 0
    by_reason = {row["rule"] for row in await bench.rows("SELECT DISTINCT rule FROM sends")}
    assert by_reason == {"accepted", "shelf_life", "no_consent", "holdout"}
    blocked = await bench.rows(
        "SELECT DISTINCT facts -> 'blocked' ->> 'rule' AS rule FROM decisions WHERE state = 'expired'"
    )
    assert {row["rule"] for row in blocked} >= {"cap", "snoozed"}


async def one(bench: Bench, *, held: bool) -> str:
    """Somebody new who is in the control group, or is not."""
    while True:
        name = f"p{len(bench.ours)}"
        if held_out(await bench.a_customer(name), SHARE, entered_at=bench.clock.now()) is held:
            return name


async def _ask(
    bench: Bench,
    walks: dict[str, str],
    name: str,
    message: str,
    visit: int,
    waiting: dict[tuple[str, str, int], object],
) -> None:
    result = await bench.send(walks[name], message, visit=visit, customer=name)
    if result.state in WAITING:
        waiting[name, message, visit] = result.until
