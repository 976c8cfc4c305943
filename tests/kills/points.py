"""The twelve points at which a worker is killed, from the beginning of a send to its end."""

from dataclasses import dataclass
from enum import Enum

from domain.sends import SendState


@dataclass(frozen=True)
class Moment:
    """What is true at a point.

    `leaves`: what the ledger says once a worker died there, None where it has no row yet; this shows that a kill
    hit where it should. `arrives`: whether the customer gets the message in the end, once and no more.
    """

    words: str
    leaves: SendState | None
    arrives: bool = True


class Point(Enum):
    """Where."""

    ARRIVED = Moment("the activity has begun, nothing is asked", None)
    RESERVING = Moment("the slot is written, not committed", None)
    RESERVED = Moment("the slot is committed", SendState.RESERVED)
    WRITTEN = Moment("the letter is rendered", SendState.RESERVED)
    CONNECTED = Moment("the provider is connected", SendState.RESERVED)
    CLAIMING = Moment("the claim is written, not committed", SendState.RESERVED)
    CLAIMED = Moment("the claim is committed, the provider not called", SendState.CLAIMED, arrives=False)
    CALLING = Moment("half of the request is on its way", SendState.CLAIMED, arrives=False)
    TAKEN = Moment("the provider took it, its answer is on its way", SendState.CLAIMED)
    ANSWERED = Moment("the answer has come, nothing is written", SendState.CLAIMED)
    RECORDING = Moment("the answer is written, not committed", SendState.CLAIMED)
    RECORDED = Moment("the answer is committed, Temporal has not heard", SendState.ACCEPTED)
