"""What an installation allows itself: the contact policy as data that a marketer may set (design 6).

S81 and C8–C10 (limits of scheduled journeys), S84 (value before offers), S87–S89 (cap, gap, WhatsApp before email), S91
and S97 (the customer's own frequency), S100–S103 and C2 (which purposes a channel is for), C12 (quiet hours).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from domain.customers import Audience, Frequency
from domain.durations import days, hours, minutes, spoken
from domain.errors import InvalidInput
from domain.experiments import MOST_HELD_OUT
from domain.messages import Channel, Limit, Purpose
from domain.quiet_hours import QuietHours

LONGEST = days(366)
_MARKETING = frozenset(Channel) - {Channel.SMS}
_REACHING_OUT = frozenset(Channel) - {Channel.IN_APP}  # a notice waits where its reader comes by themselves


class Kind(StrEnum):
    """Why a journey speaks: it answers what the customer did, follows a plan of ours, or wins back who sleeps."""

    TRIGGERED = "triggered"
    SCHEDULED = "scheduled"
    REACTIVATION = "reactivation"


def _audiences() -> dict[Audience, Limit]:
    return {
        Audience.NEW_LEAD: Limit(times=3, within=days(7)),
        Audience.ACTIVE: Limit(times=2, within=days(7)),
        Audience.VIP: Limit(times=1, within=days(7)),
        Audience.SLEEPING: Limit(times=2, within=days(30)),
    }


def _frequencies() -> dict[Frequency, Limit]:
    return {
        Frequency.WEEKLY: Limit(times=1, within=days(7)),
        Frequency.MONTHLY: Limit(times=1, within=days(30)),
    }


def _channels() -> dict[Purpose, frozenset[Channel]]:
    everything = frozenset(Channel)
    return {
        Purpose.TRANSACTIONAL: everything,
        Purpose.SERVICE: _MARKETING,
        Purpose.VALUE: _MARKETING,
        Purpose.OFFER: _MARKETING,
        Purpose.FEEDBACK: _MARKETING,
    }


@dataclass(frozen=True, kw_only=True)
class ContactPolicy:
    """What an installation allows itself.

    `cap` and `gap` bind touches over all channels, `scheduled_cap` those of scheduled journeys among them, `audiences`
    the same by who the customer is, and `reactivation` takes their place while somebody is being won back.
    `frequencies` are what a customer may choose. Releases at the end of quiet hours are spread over `jitter`.
    After a WhatsApp message no email goes for `whatsapp_before_email`. An offer of a scheduled journey needs
    `values_before_offer` messages of value since the last offer; what was bought within `just_bought_within` is not
    offered. `explicit_consent`: a channel in it needs a recorded yes; in any other, the absence of a no is enough.
    `channels` are those that a purpose may use. `holdout` is the share of customers who get nothing of value and no
    offer, so that it can be seen what these change.

    Raises InvalidInput naming every field that cannot work.
    """

    cap: Limit = Limit(times=2, within=hours(24))
    scheduled_cap: Limit = Limit(times=1, within=hours(24))
    gap: timedelta = hours(4)
    quiet: QuietHours = QuietHours()
    jitter: timedelta = minutes(30)
    whatsapp_before_email: timedelta = hours(24)
    audiences: Mapping[Audience, Limit] = field(default_factory=_audiences)
    reactivation: Limit = Limit(times=4, within=days(14))
    frequencies: Mapping[Frequency, Limit] = field(default_factory=_frequencies)
    values_before_offer: int = 2
    just_bought_within: timedelta = days(30)
    explicit_consent: frozenset[Channel] = _REACHING_OUT
    channels: Mapping[Purpose, frozenset[Channel]] = field(default_factory=_channels)
    holdout: float = 0.0

    def __post_init__(self) -> None:
        problems = [f"{name}: {problem}" for name, limit in self._limits() if (problem := _wrong(limit))]
        lasting = {
            "gap": (self.gap, days(7)),
            "jitter": (self.jitter, hours(3)),
            "whatsapp_before_email": (self.whatsapp_before_email, days(7)),
            "just_bought_within": (self.just_bought_within, LONGEST),
        }
        for name, (value, most) in lasting.items():
            if not timedelta(0) <= value <= most:
                problems.append(f"{name}: must be between nothing and {spoken(most)}; got {spoken(value)}")
        if not 0 <= self.values_before_offer <= 20:
            problems.append(f"values_before_offer: must be between 0 and 20; got {self.values_before_offer}")
        if not 0 <= self.holdout <= MOST_HELD_OUT:
            problems.append(f"holdout: must be a share from 0 to {MOST_HELD_OUT}, such as 0.05; got {self.holdout}")
        if self.quiet.start == self.quiet.end or self.quiet.lasting > hours(20):
            problems.append("quiet: must leave at least 4 hours of the day to speak in")
        for enum, given, name in (
            (Audience, self.audiences, "audiences"),
            (Frequency, self.frequencies, "frequencies"),
            (Purpose, self.channels, "channels"),
        ):
            problems += [f"{name}.{missing.value}: is missing" for missing in enum if missing not in given]
        if problems:
            raise InvalidInput(problems)

    @property
    def horizon(self) -> timedelta:
        """How far back and ahead touches matter."""
        return max(self.gap, self.whatsapp_before_email, *(limit.within for _, limit in self._limits()))

    def _limits(self) -> list[tuple[str, Limit]]:
        return [
            ("cap", self.cap),
            ("scheduled_cap", self.scheduled_cap),
            ("reactivation", self.reactivation),
            *((f"audiences.{audience.value}", limit) for audience, limit in self.audiences.items()),
            *((f"frequencies.{frequency.value}", limit) for frequency, limit in self.frequencies.items()),
        ]


def _wrong(limit: Limit) -> str:
    if not 1 <= limit.times <= 1000:
        return f"times must be between 1 and 1000; got {limit.times}"
    if not hours(1) <= limit.within <= LONGEST:
        return f"within must be between 1 hour and {spoken(LONGEST)}; got {spoken(limit.within)}"
    return ""


@dataclass(frozen=True, kw_only=True)
class Touch:
    """One touch of a customer, past or to come: a send, or a cascade at its first leg."""

    at: datetime
    kind: Kind = Kind.TRIGGERED
    channel: Channel | None = None
