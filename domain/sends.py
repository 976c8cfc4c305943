"""The ledger's words: one row for each message intended for one customer at one step."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid5

from domain.messages import Channel

_SENDS = UUID("6f1f6f0e-3c0a-5d2b-9a53-54726f706131")


class SendState(StrEnum):
    """Where a send stands."""

    DEFERRED = "deferred"
    HELD = "held"
    RESERVED = "reserved"
    CLAIMED = "claimed"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    FAILED = "failed"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    HOLDOUT = "holdout"
    WITHDRAWN = "withdrawn"


class Reaction(StrEnum):
    """What a customer did with a message, as far as it is certain (S38)."""

    NOT_SENT = "not_sent"
    NOT_SEEN = "not_seen"
    SEEN = "seen"
    CLICKED = "clicked"


UNCLAIMED = (SendState.DEFERRED, SendState.HELD, SendState.RESERVED)
WAITING = (SendState.DEFERRED, SendState.HELD)
TOUCHING = (SendState.RESERVED, SendState.CLAIMED, SendState.ACCEPTED, SendState.UNKNOWN)
"""States that count against caps and gaps: the customer has been, or may be, touched."""


def send_id(enrollment: str, message: str, visit: int, leg: int = 0) -> UUID:
    """The ledger id of a step: the same on every retry, and after a reset of the workflow."""
    return uuid5(_SENDS, f"{enrollment}/{message}/{visit}/{leg}")


@dataclass(frozen=True, kw_only=True)
class SendResult:
    """What became of a send, as a journey learns it. `until` is set for deferred and held, business time.

    `legs` is how many sends a cascade of this message may have.
    """

    state: SendState
    rule: str = ""
    channel: Channel | None = None
    until: datetime | None = None
    legs: int = 1
