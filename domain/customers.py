"""A customer as the rules and the journeys know them: permissions, and one record of facts. No names, no addresses."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.messages import Channel

EVERY_CHANNEL = "all"


class ConsentStatus(StrEnum):
    """What a customer said about a channel."""

    GRANTED = "granted"
    DENIED = "denied"


@dataclass(frozen=True, kw_only=True)
class Consent:
    """A customer's word about one channel, or about `EVERY_CHANNEL`, when it was given and through what."""

    status: ConsentStatus
    at: datetime
    source: str


def in_force(consents: Mapping[str, Consent], channel: Channel) -> Consent | None:
    """The word that counts for a channel: the newest by the time it was given, its own or the one about everything.

    At the same instant a refusal wins.
    """
    found = [consents[scope] for scope in (channel.value, EVERY_CHANNEL) if scope in consents]
    return max(found, key=lambda c: (c.at, c.status is ConsentStatus.DENIED), default=None)


def opt_out_acts(consents: Mapping[str, Consent], scope: str, at: datetime) -> bool:
    """Whether an opt-out given `at` still counts: not when an explicit consent in its scope was given later."""
    later = (
        consent
        for channel, consent in consents.items()
        if scope in (EVERY_CHANNEL, channel) or channel == EVERY_CHANNEL
    )
    return not any(c.status is ConsentStatus.GRANTED and c.at > at for c in later)


@dataclass(frozen=True, kw_only=True)
class CustomerFacts:
    """What a journey may know of its customer: the fixed record that the verb `customer()` answers.

    Instants are business time. `reachable` are the channels that have an address and are not refused.
    """

    first_seen_at: datetime
    orders: int = 0
    last_order_at: datetime | None = None
    feature_used_at: datetime | None = None
    activated_at: datetime | None = None
    reachable: tuple[Channel, ...] = ()
