"""Who may enter a journey: one way to find out, for one customer and for thousands."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import addresses, customers, enrollments
from adapters.surrogates import Surrogates
from domain.bulk import NO_CHANNEL
from domain.contact_policy import ContactPolicy
from domain.decisions import Decision
from domain.journeys import Declaration
from domain.messages import Channel, Message
from domain.policy import open_channels
from domain.projection import refusal_to_enter
from domain.send_facts import SendFacts
from domain.standing import Standing
from services.addresses import PROFILE_COLUMNS


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """Somebody who might enter: the customer's row, and what the rules look at."""

    row: RowMapping
    standing: Standing


async def candidates(connection: AsyncConnection, journey: str, ours: Sequence[str]) -> dict[str, Candidate]:
    """Customers by our ids, as they stand now. Whoever decides by it holds their locks, or only looks."""
    consents = await customers.consents_of_all(connection, ours)
    past = await enrollments.past_walks_of_all(connection, ours, [journey])
    return {
        customer: Candidate(
            row=row,
            standing=Standing(erased_at=row["erased_at"], consents=consents[customer], past=past[customer]),
        )
        for customer, row in (await customers.of_ids(connection, ours)).items()
    }


def against(declaration: Declaration, about: str, candidate: Candidate, *, now: datetime) -> Decision | None:
    """What stands against entering, if anything does: erasure, an opt-out of everything, the re-entry rule."""
    return refusal_to_enter(declaration.plan, declaration.name, about, candidate.standing, now=now)


class Reach:
    """Which channels of a journey's messages may reach customers: address, consent, suppression, channel policy.

    What the clock or a pause forbids is left out: that passes.
    """

    def __init__(self, surrogates: Surrogates, channels: Collection[Channel]) -> None:
        """`channels` are those that this installation can send by."""
        self._surrogates, self._channels = surrogates, channels

    async def of(
        self,
        connection: AsyncConnection,
        messages: Sequence[Message],
        policy: ContactPolicy,
        found: Mapping[str, Candidate],
    ) -> dict[str, frozenset[Channel]]:
        """The open channels of each candidate, by our id."""
        wanted = {channel for message in messages for channel in message.channels} & set(self._channels)
        kept = await addresses.channels_of_all(connection, list(found))
        known: dict[str, dict[Channel, str]] = {}
        for customer, candidate in found.items():
            places = {Channel(channel): address for channel, address in kept.get(customer, {}).items()}
            places |= {channel: candidate.row[column] for channel, column in PROFILE_COLUMNS.items()}
            places |= {Channel.IN_APP: customer}
            known[customer] = {channel: places[channel] for channel in wanted if places.get(channel)}
        keys = [
            (customer, channel.value, self._surrogates.address(channel, address))
            for customer, places in known.items()
            for channel, address in places.items()
        ]
        suppressed = await customers.suppressed_of_all(connection, keys)
        reached = {}
        for customer, candidate in found.items():
            facts = SendFacts(
                zone="UTC",
                addressed=frozenset(known[customer]),
                suppressed={Channel(channel): why for channel, why in suppressed.get(customer, {}).items()},
                consents=candidate.standing.consents,
            )
            reached[customer] = frozenset[Channel]().union(
                *(open_channels(message, facts, policy) for message in messages)
            )
        return reached


def unreached(journey: str) -> Decision:
    """The decision about somebody whom no message of a journey may reach."""
    return Decision(rule=NO_CHANNEL, facts={"journey": journey})
