"""One letter on its way to one address, and what became of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal
from uuid import UUID

from domain.messages import Content


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a customer is on a channel. `keys` came with it; `heard_at` is when they last wrote to us from there."""

    address: str
    keys: Mapping[str, str] = field(default_factory=dict)
    heard_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Letter:
    """What a gateway needs to send one message. `sender` is the From header, `to` a bare address.

    `unsubscribe_url` is None where nobody may opt out; `list_id` names the stream, written like a host name. `content`,
    where there is one, goes in the place of `text`, which then says what it comes to. A browser's message leads to
    `url` and goes `everywhere` the customer has one; `lasts` is how much longer it is worth delivering. `links`
    are where its tracked links lead, by their numbers: they are kept with the send.
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
    content: Content | None = None
    url: str | None = None
    everywhere: tuple[Address, ...] = ()
    lasts: timedelta | None = None
    links: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What the provider said to one send. Nothing personal: no address, none of the provider's own words.

    *accepted*: it has taken the letter. *refused*: it will not, and asking again is useless. *retry*: it has
    certainly not taken it, and may later. *unknown*: it may have taken it, so nothing is sent again blindly.
    `permanent_for_address`: the address is dead. `opted_out`: its owner told the provider to stop us. `gone`: addresses
    among several that are no more.
    """

    outcome: Literal["accepted", "refused", "retry", "unknown"]
    detail: str
    provider_id: str | None = None
    code: str | None = None
    permanent_for_address: bool = False
    opted_out: bool = False
    gone: tuple[str, ...] = ()
    retry_after: timedelta | None = None


@dataclass(frozen=True, kw_only=True)
class Lost:
    """A letter that was handed to a provider whose answer was lost. `handed_at` is real time: the provider's.

    `by_content`: the provider wrote the text itself, so that ours may differ from it.
    """

    send_id: UUID
    to: str
    text: str
    handed_at: datetime
    by_content: bool = False


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
    COMPLAINED = "complained"

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
    Delivery.COMPLAINED: _FINAL + 3,
}


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a provider said later of a letter. `send` is set when the report proves which one it is about.

    `status` is the provider's own word; `delivery` is None when we do not know it. `rule` tells it on the timeline,
    where the words for `delivery` do not fit.
    """

    gateway: str
    provider_id: str
    status: str
    delivery: Delivery | None
    send: UUID | None = None
    code: str = ""
    permanent_for_address: bool = False
    opted_out: bool = False
    complained: bool = False
    rule: str = ""


_BLAMES_THE_ADDRESS = re.compile(r"5\.(?:1\.(?!(?:7|8|9)$)\d{1,3}|2\.1)")


def blames_the_address(status: str) -> bool:
    """Whether an enhanced status code (RFC 3463) says that nobody is to be reached at the address, for good.

    5.1.x does, and 5.2.1, a mailbox that was closed. 5.1.7 and 5.1.8 blame the sender's address and 5.1.9 a relay,
    which says nothing about the customer's.
    """
    return bool(_BLAMES_THE_ADDRESS.fullmatch(status))
