"""Workers that stand still in the middle of many sends, and go on when the world has changed (F47, F48)."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path

from domain.sends import SendState
from services.calling import AT_ONCE
from tests.kills.bugs import Bug
from tests.kills.fates import STILL, Fate, look
from tests.kills.ground import Ground
from tests.kills.points import Point
from tests.kills.traps import Freeze

WITHIN = 180.0  # seconds, for a busy machine


async def freeze_before_the_call(ground: Ground, sends: int, bug: Bug | None = None) -> list[Fate]:
    """F47: frozen between claim and call for longer than a claim is good for. Meanwhile everybody opts out."""
    people = await ground.settle_people(sends)
    fates = [Fate(person=person) for person in people]
    with ground.worker(trap=Freeze(point=Point.CLAIMED, sends=sends), bug=bug, hurry=None) as frozen:
        await ground.happens("order_placed", *people)
        await _stopped(frozen)
        await ground.happens("opted_out", *people)
        await asyncio.sleep(AT_ONCE + 0.5)
        _wake(frozen)
        await _until(ground, fates, lambda: all(fate.settled for fate in fates))
        await asyncio.sleep(STILL)
        await look(ground, fates)
    return fates


async def freeze_in_the_call(ground: Ground, sends: int, point: Point) -> list[Fate]:
    """F48: frozen in the call until Temporal has given up on the worker and another one has taken over."""
    people = await ground.settle_people(sends)
    fates = [Fate(person=person) for person in people]
    with ground.worker(trap=Freeze(point=point, sends=sends)) as zombie:
        await ground.happens("order_placed", *people)
        await _stopped(zombie)
        with ground.worker():
            await _until(ground, fates, lambda: all(fate.state != SendState.CLAIMED for fate in fates))
            _wake(zombie)
            await _until(ground, fates, lambda: all(fate.right for fate in fates))
            await asyncio.sleep(STILL)
            await look(ground, fates)
    return fates


async def _until(ground: Ground, fates: Sequence[Fate], seen: Callable[[], bool]) -> None:
    """Look until it has come about; whoever judges sees what has not."""

    async def looked() -> bool:
        await look(ground, fates)
        return seen()

    await _wait(looked)


async def _stopped(process: BaseProcess) -> None:
    async def stands_still() -> bool:
        return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"

    assert await _wait(stands_still), "the worker never came to the point at which it is to freeze"


def _wake(process: BaseProcess) -> None:
    assert process.pid is not None
    os.kill(process.pid, signal.SIGCONT)


async def _wait(seen: Callable[[], Awaitable[bool]]) -> bool:
    deadline = time.monotonic() + WITHIN
    while not (found := await seen()) and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
    return found
