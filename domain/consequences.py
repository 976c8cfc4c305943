"""What can follow from an event: a walk begins, hears of it, or ends."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain.decisions import Decision
from domain.events import Event, HeardEvent
from domain.journeys import Ending


@dataclass(frozen=True, kw_only=True)
class Walk:
    """An open enrollment as projection sees it. It began after the customer's event number `after_event`.

    `hearing` counts its signals of the current hour, by event name.
    """

    id: str
    journey: str
    about: str
    started_at: datetime
    after_event: int = 0
    signals: int = 0
    hearing: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Past:
    """When a customer last entered a journey about a thing, and whether that walk is over."""

    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Start:
    """Enter a journey."""

    enrollment: Walk
    event: Event


@dataclass(frozen=True, kw_only=True)
class NotStarted:
    """A journey would have started, and why it did not."""

    journey: str
    decision: Decision


@dataclass(frozen=True, kw_only=True)
class Signal:
    """Tell a walk what it listens for."""

    walk: Walk
    heard: HeardEvent


@dataclass(frozen=True, kw_only=True)
class CatchUp:
    """Tell a walk, at `at`, to read what it was not told one by one."""

    walk: Walk
    at: datetime


@dataclass(frozen=True, kw_only=True)
class End:
    """End a walk by its own plan."""

    walk: Walk
    ending: Ending
    decision: Decision
    event: Event


Consequence = Start | NotStarted | Signal | CatchUp | End
