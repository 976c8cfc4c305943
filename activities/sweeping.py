"""What the workflow of the daily sweep asks: sweep everybody, and say how far it is."""

from collections.abc import Callable
from typing import Protocol

from temporalio import activity

from domain.sweep import Swept


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
        activity.heartbeat("beginning")
        return await self._sweeping.sweep(activity.heartbeat)
