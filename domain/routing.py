"""What projection knows of the installation: its journeys, and how what customers do is counted."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from domain.engagement import EngagementModel
from domain.journeys import Declaration


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A journey as an installation runs it: its declaration and what starts it here."""

    declaration: Declaration
    starts_on: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Routing:
    """Which journeys there are. `surrogate` keys a foreign id; Temporal sees nothing else of it.

    `currency` is the installation's.
    """

    journeys: Mapping[str, Listed]
    surrogate: Callable[[str], str]
    currency: str = "EUR"
    engagement: EngagementModel = field(default_factory=EngagementModel)

    def starting_on(self, name: str) -> Iterable[Listed]:
        """The journeys that an event of this name starts."""
        return (listed for listed in self.journeys.values() if name in listed.starts_on)
