"""What the workflow of a bulk asks: let customers enter, for a while."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from temporalio import activity

from domain.bulk import BulkState


@dataclass(frozen=True, kw_only=True)
class BulkRequest:
    """Which bulk."""

    bulk: str


@dataclass(frozen=True, kw_only=True)
class BulkProgress:
    """How far a bulk has come: customers."""

    state: BulkState
    entered: int
    refused: int
    remaining: int


GoingOn = Callable[[BulkProgress], bool]
"""Hears of progress; answers whether to go on."""


class Entering(Protocol):
    """What the activity needs. See `services.bulk_entering.BulkEntering`."""

    async def enter(self, bulk: str, going_on: GoingOn) -> BulkProgress:
        """Let customers of a bulk enter until it rests, until it is told to stop, or for some minutes."""
        ...


class BulkActivities:
    """Enters many customers, each once however often this is tried."""

    def __init__(self, entering: Entering) -> None:
        self._entering = entering

    @activity.defn
    async def enter_some(self, request: BulkRequest) -> BulkProgress:
        """Let customers enter in small chunks, each in one transaction. What is committed is not done again."""

        def going_on(progress: BulkProgress) -> bool:
            activity.heartbeat(progress)
            return not activity.is_worker_shutdown()

        return await self._entering.enter(request.bulk, going_on)
