"""A storm: workers are killed, each at one point of one customer's send. Then all must come right by itself."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from domain.messages import Channel
from domain.sends import SendState
from tests.kills.bugs import Bug
from tests.kills.fates import STILL, Fate, look
from tests.kills.ground import Ground, Person, death_of
from tests.kills.points import Point
from tests.kills.traps import Death

RESOLVED = 0.99  # of the outcomes that nobody knew


@dataclass(kw_only=True)
class Kill(Fate):
    """One kill, and what became of the send.

    `left` is what the ledger said just after it, `at` is monotonic. `unknown`: a worker died with the claim, so that
    nobody but the provider knows: in this kill, or in a later one that was meant for somebody else.
    """

    point: Point
    at: float
    left: str | None = None
    unknown: bool = False
    recovered_in: float | None = None

    @property
    def name(self) -> str:
        """As the report calls it."""
        return self.point.name.lower() + (" by mail" if self.person.channel is Channel.EMAIL else "")

    @property
    def expected(self) -> set[int]:
        """How often the provider may have taken it."""
        if self.point.value.arrives and self.unknown and self.left != SendState.CLAIMED:
            return {0, 1}
        return {int(self.point.value.arrives)}

    @property
    def found_out(self) -> bool:
        """Whether the ledger has come to know what only the provider knew. A mail server cannot be asked."""
        return self.settled and self.right and self.state != SendState.UNKNOWN

    def __str__(self) -> str:
        return f"{self.name}, {self.person.customer_id}: {self.left} -> {self.state}, taken {len(self.taken)} times"


async def strike(ground: Ground, point: Point, person: Person, before: Sequence[Kill], bug: Bug | None) -> Kill:
    """Kill a worker at a point of somebody's send. `before`: the earlier ones, whose sends it may also be at."""
    with ground.worker(trap=Death(point=point, customer=person.customer), bug=bug) as process:
        if point is Point.TAKEN:  # the one moment that the provider knows of, and not the worker
            ground.doomed[person.address] = process
        await ground.happens("order_placed", person)
        await death_of(process)
        at = time.monotonic()
    kill = Kill(point=point, person=person, at=at)
    await look(ground, [*before, kill])
    kill.left = kill.rows[0]["state"] if kill.rows else None
    for each in (*before, kill):
        each.unknown |= each.state == SendState.CLAIMED
    return kill


async def storm(
    ground: Ground, strikes: Sequence[tuple[Point, Person]], *, within: float, bug: Bug | None = None
) -> list[Kill]:
    """Kill a worker for each strike. Then let one more run until every send is at its end and every walk goes on.

    Gives up after `within` seconds.
    """
    kills: list[Kill] = []
    watching = asyncio.create_task(_keep_watching(ground, kills))
    for point, person in strikes:
        kills.append(await strike(ground, point, person, kills, bug))
    with ground.worker(bug=bug):
        deadline = time.monotonic() + within
        while any(kill.recovered_in is None for kill in kills) and time.monotonic() < deadline and not watching.done():
            await asyncio.sleep(0.1)
        await asyncio.sleep(STILL)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    await _watch(ground, kills)
    return kills


async def _keep_watching(ground: Ground, kills: Sequence[Kill]) -> None:
    while True:
        await _watch(ground, kills)
        await asyncio.sleep(0.5)


async def _watch(ground: Ground, kills: Sequence[Kill]) -> None:
    """Note where each send stands, and which have just come right."""
    await look(ground, kills)
    for kill in list(kills):
        if kill.recovered_in is None and kill.settled and await ground.goes_on(kill.person):
            kill.recovered_in = time.monotonic() - kill.at


def problems(kills: Sequence[Kill]) -> list[str]:
    """All that is not as promised, each with its count and the first offenders."""
    broken: dict[str, Callable[[Kill], bool]] = {
        "the kill missed its point": lambda kill: kill.left != kill.point.value.leaves,
        "taken twice": lambda kill: len(kill.taken) > 1,
        "lost, or sent after all": lambda kill: len(kill.taken) not in kill.expected,
        "not one row in the ledger": lambda kill: len(kill.rows) != 1,
        "the ledger says otherwise than the provider": lambda kill: kill.settled and not kill.right,
        "not at its end, or its walk stands still": lambda kill: kill.recovered_in is None,
    }
    found = []
    for what, so in broken.items():
        if offenders := [kill for kill in kills if so(kill)]:
            found.append(f"{what}: {len(offenders)}; first {'; '.join(str(kill) for kill in offenders[:5])}")
    unknown = [kill for kill in kills if kill.unknown and kill.person.channel is Channel.SMS]
    if (resolved := sum(kill.found_out for kill in unknown)) < RESOLVED * len(unknown):
        found.append(f"of {len(unknown)} unknown outcomes only {resolved} were found out")
    return found


def table(kills: Sequence[Kill]) -> list[dict[str, Any]]:
    """For each point: kills, what the provider took, how the sends ended, how long recovery took (real seconds)."""
    return [_line([kill for kill in kills if kill.name == name]) for name in dict.fromkeys(k.name for k in kills)]


def _line(kills: Sequence[Kill]) -> dict[str, Any]:
    times = [kill.recovered_in for kill in kills if kill.recovered_in is not None]
    return {
        "point": kills[0].name,
        "words": kills[0].point.value.words,
        "kills": len(kills),
        "taken": sum(len(kill.taken) for kill in kills),
        "twice": sum(len(kill.taken) > 1 for kill in kills),
        "unknown": sum(kill.unknown for kill in kills),
        "found_out": sum(kill.unknown and kill.found_out for kill in kills),
        "ended": dict(Counter(f"{kill.state} ({kill.rows[0]['rule']})" for kill in kills if kill.rows)),
        "recovered": len(times),
        "median_seconds": round(median(times), 1) if times else None,
        "longest_seconds": round(max(times), 1) if times else None,
    }
