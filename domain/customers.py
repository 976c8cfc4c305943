"""A customer as the rules and the journeys know them: permissions, and one record of facts. No names, no addresses."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domain.durations import days
from domain.messages import Channel

EVERY_CHANNEL = "all"


class Frequency(StrEnum):
    """How often at most, as a customer chose (S91)."""

    WEEKLY = "weekly"
    MONTHLY = "monthly"


class Audience(StrEnum):
    """Who a customer is to scheduled journeys (S81). One may be several: a VIP who sleeps (C8)."""

    NEW_LEAD = "new_lead"
    ACTIVE = "active"
    VIP = "vip"
    SLEEPING = "sleeping"


class Trouble(StrEnum):
    """What stands between us and any offer until it is resolved."""

    COMPLAINT = "complaint"
    LOW_SCORE = "low_score"


class ConsentStatus(StrEnum):
    """What a customer said about a channel."""

    GRANTED = "granted"
    DENIED = "denied"


@dataclass(frozen=True, kw_only=True)
class Consent:
    """A customer's word, when it was given and through what.

    `wording` is what they were asked, `proof` where it can be seen again. What it is about is its scope: a channel or
    `EVERY_CHANNEL`, and with "/topic" behind it one topic there: "email", "all", "all/promotions".
    """

    status: ConsentStatus
    at: datetime
    source: str
    wording: str = ""
    proof: str = ""


@dataclass(frozen=True, kw_only=True)
class ConsentRequest:
    """A yes that is not proved: an address was written into a form, and its owner has not answered. It allows nothing.

    The fields are those of the consent that it may become.
    """

    at: datetime
    source: str
    wording: str = ""
    proof: str = ""


SNOOZE = days(90)  # the pause that is offered (S97)
SLEEPS_AFTER = days(90)  # without anything done (design 7, the clock of activity)
GONE_AFTER = days(180)


def audiences_of(*, orders: int, last_active_at: datetime | None, vip: bool, now: datetime) -> frozenset[Audience]:
    """Who a customer is now: a lead until the first order, sleeping after 90 quiet days, a VIP where it is said."""
    found = {Audience.VIP} if vip else set()
    if last_active_at is None or now - last_active_at >= SLEEPS_AFTER:
        found.add(Audience.SLEEPING)
    elif orders == 0:
        found.add(Audience.NEW_LEAD)
    elif not vip:
        found.add(Audience.ACTIVE)
    return frozenset(found)


def is_gone(last_active_at: datetime | None, now: datetime) -> bool:
    """Whether somebody who did things has done nothing for so long that we fall silent, too (S50, S99)."""
    return last_active_at is not None and now - last_active_at >= GONE_AFTER


def topic_refused(consents: Mapping[str, Consent], channel: Channel, topic: str) -> Consent | None:
    """The no that stands against a topic on a channel. Only a later yes to that topic takes it back.

    At the same instant the refusal wins.
    """
    word = in_force(consents, channel, topic) if topic else None
    return word if word and word.status is ConsentStatus.DENIED else None


def _newest(consent: Consent) -> tuple[datetime, bool]:
    return consent.at, consent.status is ConsentStatus.DENIED


def in_force(consents: Mapping[str, Consent], channel: Channel, topic: str = "") -> Consent | None:
    """The word that counts for a channel, or for one topic there: the newest by the time it was given, its own or the
    one about every channel.

    At the same instant a refusal wins.
    """
    behind = f"/{topic}" if topic else ""
    scopes = (channel.value + behind, EVERY_CHANNEL + behind)
    found = [consents[scope] for scope in scopes if scope in consents]
    return max(found, key=_newest, default=None)


def opt_out_acts(consents: Mapping[str, Consent], scope: str, at: datetime) -> bool:
    """Whether an opt-out given `at` still counts: not when an explicit consent in its scope was given later."""
    if "/" in scope:
        later = [consent for given, consent in consents.items() if given == scope]
    else:
        later = [
            consent
            for given, consent in consents.items()
            if "/" not in given and (scope in (EVERY_CHANNEL, given) or given == EVERY_CHANNEL)
        ]
    return not any(c.status is ConsentStatus.GRANTED and c.at > at for c in later)


@dataclass(frozen=True, kw_only=True)
class CustomerFacts:
    """What a journey may know of its customer: the fixed record that the verb `customer()` answers.

    Instants are business time. `reachable` are the channels that have an address and are not refused. `engagement`
    goes from 0 to 100. Who `complains` has an open complaint. `revenue` is of orders that stand, in the installation's
    currency. `cadence` is how long it usually is from one of their purchases to the next; None before the third. It
    travels as a number: Temporal's JSON knows no durations.
    """

    first_seen_at: datetime
    orders: int = 0
    revenue: float = 0.0
    last_order_at: datetime | None = None
    cadence_days: float | None = None
    feature_used_at: datetime | None = None
    activated_at: datetime | None = None
    last_active_at: datetime | None = None
    engagement: int = 0
    complains: bool = False
    stage: str = ""
    audiences: tuple[Audience, ...] = ()
    reachable: tuple[Channel, ...] = ()

    @property
    def cadence(self) -> timedelta | None:
        """How long it usually is from one of their purchases to the next."""
        return None if self.cadence_days is None else days(self.cadence_days)
