"""What the workflow of the audiences for ads asks: their files, written anew."""

from collections.abc import Callable
from typing import Protocol

from temporalio import activity


class Audiences(Protocol):
    """What the activity needs. See `services.ad_audiences.AdAudiences`."""

    async def write_all(self, tell: Callable[[str], None]) -> int:
        """Write those that the settings name. Answers how many files there are. `tell` hears which."""
        ...


class AudienceActivities:
    """Writes files, each in one step: whoever reads one has all of it."""

    def __init__(self, audiences: Audiences) -> None:
        self._audiences = audiences

    @activity.defn
    async def write_audiences(self) -> int:
        """Write the audiences that the settings name. Answers how many files there are."""
        return await self._audiences.write_all(activity.heartbeat)
