"""What became of one customer's message, seen from two sides: the ledger's and the provider's."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from domain.messages import Channel
from domain.sends import SendState
from tests.kills.ground import Ground, Person

STILL = 1.0  # seconds that the judge goes on looking after all has come right
FINAL = {
    SendState.ACCEPTED,
    SendState.REFUSED,
    SendState.FAILED,
    SendState.EXPIRED,
    SendState.HOLDOUT,
    SendState.WITHDRAWN,
}


@dataclass(kw_only=True)
class Fate:
    """`rows` are the ledger's, one if all is well; `taken` the provider's ids of what it took."""

    person: Person
    rows: list[dict[str, Any]] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)

    @property
    def state(self) -> str:
        """Where the send stands."""
        return self.rows[0]["state"] if len(self.rows) == 1 else f"{len(self.rows)} rows"

    @property
    def settled(self) -> bool:
        """Whether the send is at its end. Nobody can ask a mail server afterwards: there, unknown is one."""
        return self.state in FINAL or self._never_to_be_known

    @property
    def right(self) -> bool:
        """Whether the ledger says what the provider has."""
        has = [row["provider_id"] for row in self.rows if row["state"] == SendState.ACCEPTED]
        return self._never_to_be_known or (self.settled and has == self.taken)

    @property
    def _never_to_be_known(self) -> bool:
        return self.person.channel is Channel.EMAIL and self.state == SendState.UNKNOWN

    def __str__(self) -> str:
        return f"{self.person.customer_id}: {self.state}, taken {len(self.taken)} times"


async def look(ground: Ground, fates: Sequence[Fate]) -> None:
    """Note where each stands now."""
    ledger = await ground.ledger()
    for fate in fates:
        fate.rows, fate.taken = ledger.get(fate.person.customer, []), ground.taken(fate.person)
