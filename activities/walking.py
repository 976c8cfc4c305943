"""What a walk asks besides sending: who its customer is now, what it missed, its ending."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from temporalio import activity

from domain.customers import CustomerFacts
from domain.events import HeardEvent
from domain.journeys import Ending
from domain.local_time import Weekday
from domain.sends import Reaction


@dataclass(frozen=True, kw_only=True)
class EndRequest:
    """An enrollment that reached its end. `failed` names the error type of one that broke."""

    enrollment: str
    customer: str
    ending: Ending
    failed: str = ""


@dataclass(frozen=True, kw_only=True)
class MissedRequest:
    """What an enrollment wants to catch up on: events after this number, and after it began."""

    enrollment: str
    customer: str
    after: int


@dataclass(frozen=True, kw_only=True)
class VariantRequest:
    """Which variant of an experiment a customer gets."""

    enrollment: str
    customer: str
    experiment: str


@dataclass(frozen=True, kw_only=True)
class LocalTimeRequest:
    """When it is next `clock` (09:30) by the customer's own clock, on a weekday if one is said; at or after `after`."""

    customer: str
    after: datetime
    clock: str
    weekday: Weekday | None = None


@dataclass(frozen=True, kw_only=True)
class ReactionRequest:
    """What the customer did with the last send of a message in this walk."""

    enrollment: str
    message: str


class Walking(Protocol):
    """What these activities need. See `services.walking.Walking`."""

    async def facts(self, customer: str) -> CustomerFacts:
        """Fresh facts about a customer."""
        ...

    async def missed(self, request: MissedRequest) -> list[HeardEvent]:
        """Events that were not told one by one."""
        ...

    async def variant(self, request: VariantRequest) -> str:
        """A customer's variant, and that they saw it."""
        ...

    async def local_time(self, request: LocalTimeRequest) -> datetime:
        """The instant at which it is that time where the customer lives."""
        ...

    async def reaction(self, request: ReactionRequest) -> Reaction:
        """Whether they have seen a message, and clicked."""
        ...

    async def end(self, request: EndRequest) -> Ending:
        """Write the first ending; answer the one that counts."""
        ...


class WalkingActivities:
    """Idempotent, short, and free of names and addresses."""

    def __init__(self, walking: Walking) -> None:
        self._walking = walking

    @activity.defn
    async def customer(self, customer: str) -> CustomerFacts:
        """Fresh facts about a customer."""
        return await self._walking.facts(customer)

    @activity.defn
    async def catch_up(self, request: MissedRequest) -> list[HeardEvent]:
        """What an enrollment was not told one by one."""
        return await self._walking.missed(request)

    @activity.defn
    async def variant(self, request: VariantRequest) -> str:
        """Which variant of an experiment a customer gets: always the same. They count as exposed from the first ask."""
        return await self._walking.variant(request)

    @activity.defn
    async def local_time(self, request: LocalTimeRequest) -> datetime:
        """When it is a time of day where the customer lives, by what is known of that now."""
        return await self._walking.local_time(request)

    @activity.defn
    async def reaction(self, request: ReactionRequest) -> Reaction:
        """What the customer did with a message so far. Doubtful opens and clicks are none."""
        return await self._walking.reaction(request)

    @activity.defn
    async def end(self, request: EndRequest) -> Ending:
        """Record how an enrollment ended; the first ending wins, and is the answer."""
        return await self._walking.end(request)
