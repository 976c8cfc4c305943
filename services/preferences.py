"""What customers choose for themselves: how often, a snooze, topics, channels (S91, S97). It wins over everything."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import customers, enrollments
from domain.clock import Clock
from domain.customers import EVERY_CHANNEL, Consent, ConsentStatus, Frequency, in_force, topic_refused
from domain.events import FREQUENCY_CHOSEN, SNOOZED
from domain.messages import Channel
from services.audit import Actor
from services.customers import Customers


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What to change; what is left out stays.

    `settings` may hold `frequency` (a Frequency, or None for as it comes) and `snoozed_until` (None for no longer).
    `channels` and `topics` say yes or no, by name; `everything` about all channels there are.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    channels: Mapping[Channel, bool] = field(default_factory=dict)
    topics: Mapping[str, bool] = field(default_factory=dict)
    everything: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """What a customer has chosen. A channel without a word is None; a topic is wanted until it is refused."""

    frequency: Frequency | None
    snoozed_until: datetime | None
    channels: Mapping[Channel, bool | None]
    topics: Mapping[str, bool]


class Preferences:
    """Reads and sets choices in the caller's transaction, each with its events. `topics` are those there are."""

    def __init__(self, clock: Clock, known: Customers, topics: tuple[str, ...]) -> None:
        self._clock, self._customers, self.topics = clock, known, topics

    async def of(self, connection: AsyncConnection, customer: str) -> Chosen:
        """What a customer (our id) has chosen so far."""
        row = await customers.by_id(connection, customer)
        consents = await customers.consents_of(connection, row["id"])
        words = {channel: in_force(consents, channel) for channel in Channel}
        snoozed = row["snoozed_until"]
        return Chosen(
            frequency=Frequency(row["frequency"]) if row["frequency"] else None,
            snoozed_until=snoozed if snoozed and snoozed > self._clock.now() else None,
            channels={c: word.status is ConsentStatus.GRANTED if word else None for c, word in words.items()},
            topics={t: not any(topic_refused(consents, c, t) for c in Channel) for t in self.topics},
        )

    async def choose(
        self,
        connection: AsyncConnection,
        customer: str,
        choice: Choice,
        *,
        source: str,
        wording: str = "",
        proof: str = "",
        by: Actor | None = None,
    ) -> Chosen:
        """Put a customer's (our id) choice in force, before this transaction ends. Raises Conflict for one erased.

        `by` is who sets it for them; None is the customer.
        """
        row = await self._customers.locked(connection, customer)
        before = await customers.consents_of(connection, row["id"])
        changed = await self._set(connection, row, choice.settings)
        now = self._clock.now()
        scopes = {channel.value: yes for channel, yes in choice.channels.items()}
        scopes |= {f"{EVERY_CHANNEL}/{topic}": yes for topic, yes in choice.topics.items()}
        if choice.everything is not None:
            scopes[EVERY_CHANNEL] = choice.everything
        for scope, yes in sorted(scopes.items()):
            status = ConsentStatus.GRANTED if yes else ConsentStatus.DENIED
            word = Consent(status=status, at=now, source=source, wording=wording, proof=proof)
            await self._customers.hear(connection, row, scope, word)
        if by:
            await self._customers.note(connection, by, row["id"], fields=changed, before=before)
        await enrollments.release(connection, row["id"])  # less may stand in the way, and asking again is harmless
        return await self.of(connection, row["id"])

    async def _set(self, connection: AsyncConnection, row: RowMapping, settings: Mapping[str, Any]) -> Collection[str]:
        changed = {name: value for name, value in settings.items() if row[name] != value}
        if not changed:
            return ()
        await customers.update_profile(connection, row["id"], changed)
        if "frequency" in changed:
            await self._customers.append(connection, row, FREQUENCY_CHOSEN, {"frequency": changed["frequency"]})
        if "snoozed_until" in changed:
            until: datetime | None = changed["snoozed_until"]
            await self._customers.append(connection, row, SNOOZED, {"until": until.isoformat() if until else None})
        return changed.keys()
