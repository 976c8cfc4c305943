"""What the workflow of the daily sweep asks: sweep everybody, and say how far it is."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Protocol

from temporalio import activity

from domain.sweep import Swept

BEAT = 10.0  # real seconds, for one statement may take longer than Temporal's patience


class Sweeping(Protocol):
    """What the activity needs. See `services.sweep.Sweeping`."""

    async def sweep(self, tell: Callable[[str], None]) -> Swept:
        """Sweep everybody as of now. `tell` hears how far it is."""
        ...


class SweepingActivities:
    """Sweeps. What was written is not written again, however often this is tried."""

    def __init__(self, sweeping: Sweeping) -> None:
        self._sweeping = sweeping

    @activity.defn
    async def sweep(self) -> Swept:
        """Find who fell silent, whose birthday it is and who changed their RFM segment, and append the events."""
        async with beating() as tell:
            return await self._sweeping.sweep(tell)


@contextlib.asynccontextmanager
async def beating() -> AsyncIterator[Callable[[str], None]]:
    """Heartbeats all the while. What is told is what the heartbeats say from then on."""
    said = "beginning"

    def tell(words: str) -> None:
        nonlocal said
        said = words
        activity.heartbeat(said)

    async def beat() -> None:
        while True:
            activity.heartbeat(said)
            await asyncio.sleep(BEAT)

    beats = asyncio.create_task(beat())
    try:
        yield tell
    finally:
        beats.cancel()
