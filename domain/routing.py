"""What projection knows of the installation: its journeys, and how what customers do is counted."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from domain.engagement import EngagementModel
from domain.events import Event
from domain.journeys import Declaration
from domain.stages import StageSet
from domain.surveys import Survey
from domain.triggers import any_fits


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A journey as an installation runs it: its declaration, and the names of the events that start it here."""

    declaration: Declaration
    starts_on: frozenset[str]

    def starts(self, event: Event) -> bool:
        """Whether an event starts it."""
        plan = self.declaration.plan
        return event.name in self.starts_on and any_fits((*plan.starts_on, *plan.may_start_on), event)


@dataclass(frozen=True, kw_only=True)
class Routing:
    """Which journeys there are. `surrogate` keys a foreign id; Temporal sees nothing else of it.

    `currency` is the installation's, as are the `stages` of its customers' lives and the `surveys` that it asks.
    """

    journeys: Mapping[str, Listed]
    surrogate: Callable[[str], str]
    currency: str = "EUR"
    engagement: EngagementModel = field(default_factory=EngagementModel)
    stages: StageSet = field(default_factory=lambda: StageSet(name=""))
    surveys: Mapping[str, Survey] = field(default_factory=dict)

    def starting_on(self, event: Event) -> list[Listed]:
        """The journeys that an event starts."""
        return [listed for listed in self._waiting_for.get(event.name, ()) if listed.starts(event)]

    @functools.cached_property
    def _waiting_for(self) -> dict[str, list[Listed]]:
        """The journeys that may start, by the names of the events that start them."""
        found: dict[str, list[Listed]] = {}
        for listed in self.journeys.values():
            for name in listed.starts_on:
                found.setdefault(name, []).append(listed)
        return found
