"""What the contact policy looks at: one send and all that stands around it, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from domain.contact_policy import Kind, Touch
from domain.customers import Audience, Consent, Frequency, Trouble
from domain.messages import Channel
from domain.sends import TOUCHING, SendState


@dataclass(frozen=True, kw_only=True)
class Leg:
    """An earlier send of the same cascade."""

    state: SendState
    expires_at: datetime
    channel: Channel | None = None
    seen_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class SendFacts:
    """All that the policy may look at. Instants are business time.

    `kind` is the journey's. `touches` are other touches that this customer had or may have; `same_message` those of
    this very message; `legs` the earlier legs of this one. `preferred` is the channel that the customer likes best
    (S9), `frequency` and `snoozed_until` what they chose. `gone`: they did nothing for half a year. `held_out`: they
    are in a control group. `values_since_offer` counts messages of value, `offered` and `bought` are products.
    """

    zone: str
    erased: bool = False
    ended: str = ""
    paused: bool = False
    preferred: Channel | None = None
    addressed: frozenset[Channel] = frozenset()
    suppressed: Mapping[Channel, str] = field(default_factory=dict)
    consents: Mapping[str, Consent] = field(default_factory=dict)
    kind: Kind = Kind.TRIGGERED
    audiences: frozenset[Audience] = frozenset()
    gone: bool = False
    frequency: Frequency | None = None
    snoozed_until: datetime | None = None
    trouble: Trouble | None = None
    held_out: bool = False
    values_since_offer: int = 0
    offered: frozenset[str] = frozenset()
    bought: frozenset[str] = frozenset()
    touches: tuple[Touch, ...] = ()
    same_message: tuple[datetime, ...] = ()
    legs: tuple[Leg, ...] = ()

    @property
    def begun(self) -> bool:
        """Whether an earlier leg has touched, or may have touched, the customer."""
        return any(leg.state in TOUCHING for leg in self.legs)
