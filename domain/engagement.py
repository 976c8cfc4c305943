"""How actively a customer deals with us: every act counts and fades, by half in two weeks (S16; analytics 1.2).

One number and its instant are kept, so that no history is read again: a later act lets the old value fade until then,
an earlier one that is heard of late has faded itself.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from domain.durations import days
from domain.events import FORM_SUBMITTED, OPT_IN_CONFIRMED, OURS, UNPROVEN, Event
from domain.forms import FORM
from domain.tracking import CLICKED, OPENED

HALF_LIFE = days(14)
SCALE = 20.0
"""The value that scores about 63 of 100 until one is measured: a guess for a shop."""
LEAST_SCALE = 1.0  # where one page view scores 63
WORTH_MOVING = 0.1
FEW = 25  # active customers: fewer say nothing of the next

# What a customer did, where the event itself is ours. All others of ours tell what we found or decided.
THEIR_OWN = frozenset(
    {CLICKED, OPENED, "replied", "telegram_started", "snoozed", "frequency_chosen", "unsubscribe_reason", "opted_out"}
)
# A verified open, a click, a visit: the clock of engagement (design 7).
ENGAGING = frozenset(
    {
        CLICKED,
        OPENED,
        "replied",
        "survey_answered",
        "page_viewed",
        "category_viewed",
        "product_viewed",
        "visited",
        "search_made",
    }
)


def _weights() -> dict[str, float]:
    return {
        "order_placed": 10,
        "demo_requested": 6,
        "call_held": 6,
        "meeting_held": 6,
        FORM_SUBMITTED: 5,
        OPT_IN_CONFIRMED: 5,
        "downloaded": 5,
        CLICKED: 3,
        "cart_updated": 3,
        "replied": 3,
        "survey_answered": 3,
        "page_viewed": 1,
        "category_viewed": 1,
        "product_viewed": 1,
        "visited": 1,
        "feature_used": 1,
        OPENED: 1,
        "opted_out": -10,
    }


@dataclass(frozen=True, kw_only=True)
class EngagementModel:
    """What an act weighs."""

    weights: Mapping[str, float] = field(default_factory=_weights)


@dataclass(frozen=True, kw_only=True)
class Engagement:
    """A value as it was `at`. It fades from there."""

    value: float = 0.0
    at: datetime | None = None

    def on(self, now: datetime) -> float:
        """What is left of it."""
        return self.value * faded(now - self.at) if self.at else 0.0

    def after(self, event: Event, model: EngagementModel) -> "Engagement":
        """Having counted an event. It never falls below nothing."""
        weight = model.weights.get(event.name, 0.0)
        if not weight:
            return self
        at = max(event.occurred_at, self.at or event.occurred_at)
        return Engagement(value=max(0.0, self.on(at) + weight * faded(at - event.occurred_at)), at=at)


def faded(age: timedelta) -> float:
    """Which share is left after a time; the whole before it."""
    return math.exp2(-max(age / HALF_LIFE, 0.0))


def score(value: float, scale: float) -> int:
    """From 0 to 100, 50 for the median active customer."""
    return round(100 * (1 - math.exp(-value / scale)))


def scale_for(usual: float, active: int, before: float) -> float:
    """The scale at which the median of so many active customers, who has the value `usual`, scores 50 (analytics 1.2).

    It stays as it was `before` while there are few of them, and while it would move by less than a tenth: every other
    scale moves everybody's score at once.
    """
    measured = max(LEAST_SCALE, round(usual / math.log(2), 2))
    moved = abs(measured - before) >= before * WORTH_MOVING
    return measured if active >= FEW and moved else before


def is_theirs(event: Event) -> bool:
    """Whether it is something that the customer did, and not what we or others did about them.

    A form of a site may have been sent by anybody with their address: the press in the mailbox is theirs.
    """
    if event.source == FORM and event.name in UNPROVEN:
        return False
    return event.source != OURS or event.name in THEIR_OWN
