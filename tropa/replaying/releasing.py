"""`tropa release`: give the walks to another release. Who replays follows, who would break stays.

Nobody is lost between two looks: whoever steps or begins meanwhile is looked at again after the switch, and stands
still for that long at most. It may be repeated, and interrupted, at any point.
"""

import asyncio
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from itertools import islice

from temporalio.client import Client

from adapters.releases import Releases
from domain.errors import Conflict
from tropa.replaying.findings import Findings
from tropa.replaying.judging import Judge, Judged
from tropa.replaying.looking import look
from tropa.replaying.walks import running

AT_ONCE = 20  # walks held or let go
SETTLES = 3.0  # seconds until Temporal has told everybody of a switch, and lists whoever began before it


@dataclass(frozen=True, kw_only=True)
class Released:
    """What was found, and what was done: nothing, unless `done`. `held` and `let_go` count walks."""

    name: str
    found: Findings
    done: bool
    held: int = 0
    let_go: int = 0


async def release(
    client: Client, name: str, *, stay: bool, task_queue: str, judge: Judge, settles: float = SETTLES
) -> Released:
    """Make a release current, whose code is the one here. Who would break stays where `stay` is said; without it the
    release is refused while anybody would.

    Raises NotFound when no worker of it asks for work, Conflict when walks would break that have no release to stay on,
    and Unavailable.
    """
    releases = Releases(client, task_queue)
    await releases.check(name)
    first = await look(client, await running(client, task_queue=task_queue), judge)
    if first.breaks and not stay:
        return Released(name=name, found=first, done=False)
    held = await _hold(releases, name, first)
    await releases.make_current(name)
    await asyncio.sleep(settles)
    again = await look(client, await running(client, task_queue=task_queue), judge, but=first)
    held += await _hold(releases, name, again)
    free = [each for each in first.judged if each.stays and not each.broken]
    await _each(releases.let_go(walk.id, walk.run) for walk in free)
    return Released(name=name, found=first, done=True, held=held, let_go=len(free))


async def _hold(releases: Releases, name: str, found: Findings) -> int:
    """Hold those who would break where they are. Answers how many."""
    broken = [each for each in found.judged if each.broken and not each.stays]
    if homeless := [each for each in broken if each.release in ("", name)]:
        raise Conflict(_why(homeless, name))
    await _each(releases.hold(walk.id, walk.run, walk.release) for walk in broken)
    return len(broken)


def _why(walks: list[Judged], name: str) -> str:
    some = ", ".join(each.id for each in walks[:3])
    if walks[0].release:
        return (
            f"{len(walks):,} walks that {name} itself took would break with the code here ({some}): is it the code that"
            " its workers run?"
        )
    return (
        f"{len(walks):,} walks would break that no release can keep, since they began on workers without TROPA_RELEASE"
        f" ({some}). Keep both ways with workflow.patched(…)."
    )


async def _each(calls: Iterable[Awaitable[None]]) -> None:
    calls = iter(calls)
    while some := list(islice(calls, AT_ONCE)):
        await asyncio.gather(*some)
