"""The facts that the contact policy looks at, read under the customer's lock."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.sending import SendRequest
from adapters.database import customers, sends
from adapters.surrogates import Surrogates
from domain.messages import Channel, Message
from domain.policy import ContactPolicy, Leg, SendFacts
from domain.sends import SendState


class FactReader:
    """Reads what may stand against a send. `channels` are those that this installation can send by."""

    def __init__(self, surrogates: Surrogates, channels: Collection[Channel], default_zone: str) -> None:
        self._surrogates, self._channels, self._default_zone = surrogates, channels, default_zone

    async def read(
        self,
        connection: AsyncConnection,
        request: SendRequest,
        message: Message,
        enrollment: RowMapping,
        *,
        policy: ContactPolicy,
        priority: int,
        at: datetime,
    ) -> SendFacts:
        """All facts about one send. The caller holds the lock."""
        customer = await customers.by_id(connection, enrollment["customer"])
        addresses = {c: address for c in self._channels if (address := address_of(customer, c))}
        keys = {c.value: self._surrogates.address(c.value, address) for c, address in addresses.items()}
        around = max(policy.cap.within, policy.gap)
        preferred = customer["preferred_channel"]
        return SendFacts(
            zone=customer["timezone"] or self._default_zone,
            erased=customer["erased_at"] is not None,
            ended=(enrollment["outcome"] or enrollment["leaving"] or "").replace("_", " "),
            paused=enrollment["paused_at"] is not None,
            preferred=Channel(preferred) if preferred else None,
            addressed=frozenset(addresses),
            suppressed={
                Channel(c): why for c, why in (await customers.suppressed(connection, customer["id"], keys)).items()
            },
            consents=await customers.consents_of(connection, customer["id"]),
            touches=await sends.touches(connection, request, around=at, within=around, priority=priority),
            same_message=await sends.same_message(
                connection, request, journey=enrollment["journey"], since=at - message.limit.within
            ),
            legs=await self._legs(connection, request) if request.leg else (),
        )

    @staticmethod
    async def _legs(connection: AsyncConnection, request: SendRequest) -> tuple[Leg, ...]:
        rows = await sends.earlier_legs(connection, request)
        return tuple(
            Leg(
                state=SendState(row["state"]),
                expires_at=row["expires_at"],
                channel=Channel(row["channel"]) if row["channel"] else None,
                seen_at=row["seen_at"],
            )
            for row in rows
        )

    async def suppress(self, connection: AsyncConnection, customer: str, channel: Channel, at: datetime) -> None:
        """A provider called the address dead: never write to it again."""
        row = await customers.by_id(connection, customer)
        if address := address_of(row, channel):
            key = self._surrogates.address(channel.value, address)
            await customers.suppress(connection, channel.value, key, "the provider called it dead", at)


def address_of(customer: RowMapping, channel: Channel) -> str | None:
    """A customer's address on a channel."""
    column = {Channel.EMAIL: "email", Channel.SMS: "phone"}[channel]
    address: str | None = customer[column]
    return address
