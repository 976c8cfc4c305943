"""One letter on its way to one address, and what became of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class Letter:
    """What a gateway needs to send one email. `sender` is the From header, `to` a bare address.

    `unsubscribe_url` is None where nobody may opt out; `list_id` names the stream, written like a host name.
    `links` are where its tracked links lead, by their numbers: they are kept with the send.
    """

    send_id: UUID
    to: str
    sender: str
    subject: str
    html: str
    text: str
    unsubscribe_url: str | None
    list_id: str | None
    journey: str
    message: str
    links: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What the provider said to one send. Nothing personal: no address, none of the provider's own words.

    *accepted*: it has taken the letter. *refused*: it will not, and asking again is useless. *retry*: it has
    certainly not taken it, and may later. *unknown*: it may have taken it, so nothing is sent again blindly.
    `permanent_for_address`: the address is dead. `opted_out`: its owner told the provider to stop us.
    """

    outcome: Literal["accepted", "refused", "retry", "unknown"]
    detail: str
    provider_id: str | None = None
    code: str | None = None
    permanent_for_address: bool = False
    opted_out: bool = False
    retry_after: timedelta | None = None


@dataclass(frozen=True, kw_only=True)
class Lost:
    """A letter that was handed to a provider whose answer was lost. `handed_at` is real time: the provider's."""

    send_id: UUID
    to: str
    text: str
    handed_at: datetime


@dataclass(frozen=True, kw_only=True)
class Trace:
    """What a provider, asked afterwards, knows of a lost letter.

    *accepted*: it has it, under one of `provider_ids` where it gives ids at all. *absent*: it has no such letter now.
    *unknown*: it cannot be asked, or did not answer.
    """

    outcome: Literal["accepted", "absent", "unknown"]
    provider_ids: tuple[str, ...] = ()


class Delivery(StrEnum):
    """How far a provider says that an accepted letter has come."""

    ACCEPTED = "accepted"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    CANCELED = "canceled"
    UNKNOWN = "unknown"
    READ = "read"

    @property
    def rank(self) -> int:
        """Reports arrive in any order and more than once: only one of a higher rank changes anything (F28)."""
        return _RANKS[self]

    @property
    def final(self) -> bool:
        """Whether nothing is to be expected any more."""
        return self.rank >= _FINAL


_FINAL = 5
_RANKS = {
    Delivery.ACCEPTED: 1,
    Delivery.QUEUED: 2,
    Delivery.SENDING: 3,
    Delivery.SENT: 4,
    Delivery.UNKNOWN: _FINAL,
    Delivery.DELIVERED: _FINAL + 1,
    Delivery.UNDELIVERED: _FINAL + 1,
    Delivery.FAILED: _FINAL + 1,
    Delivery.CANCELED: _FINAL + 1,
    Delivery.READ: _FINAL + 2,
}


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a provider said later of a letter. `send` is set when the report proves which one it is about.

    `status` is the provider's own word; `delivery` is None when we do not know it.
    """

    gateway: str
    provider_id: str
    status: str
    delivery: Delivery | None
    send: UUID | None = None
    code: str = ""
    permanent_for_address: bool = False
    opted_out: bool = False
