"""The facts that the contact policy looks at, read under the customer's lock."""

from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.sending import SendRequest
from adapters.database import customers, orders, sends
from adapters.surrogates import Surrogates
from adapters.zones import zone_of
from domain.contact_policy import ContactPolicy
from domain.customers import Frequency, Trouble, audiences_of
from domain.journeys import Plan
from domain.messages import Channel, Message, Purpose
from domain.orders import products_in
from domain.policy import Leg, SendFacts
from domain.sends import SendState
from services import verdicts
from services.addresses import addresses_of
from services.starting import start_of

PolicyInForce = Callable[[AsyncConnection], Awaitable[ContactPolicy]]


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
        plan: Plan,
        policy: ContactPolicy,
        at: datetime,
    ) -> SendFacts:
        """All facts about one send. The caller holds the lock."""
        customer = await customers.by_id(connection, enrollment["customer"])
        known = await addresses_of(connection, customer)
        addresses = {channel: known[channel][0].address for channel in self._channels if channel in known}
        keys = {c.value: self._surrogates.address(c.value, address) for c, address in addresses.items()}
        preferred, selling = customer["preferred_channel"], message.purpose is Purpose.OFFER
        return SendFacts(
            zone=zone_of(customer, self._default_zone),
            erased=customer["erased_at"] is not None,
            ended=(enrollment["outcome"] or enrollment["leaving"] or "").replace("_", " "),
            paused=enrollment["paused_at"] is not None,
            preferred=Channel(preferred) if preferred else None,
            addressed=frozenset(addresses),
            suppressed={
                Channel(c): why for c, why in (await customers.suppressed(connection, customer["id"], keys)).items()
            },
            consents=await customers.consents_of(connection, customer["id"]),
            kind=plan.kind,
            audiences=audiences_of(
                orders=customer["orders"],
                last_active_at=customer["last_active_at"],
                vip=customer["attributes"].get("vip") is True,
                now=at,
            ),
            frequency=Frequency(customer["frequency"]) if customer["frequency"] else None,
            snoozed_until=customer["snoozed_until"],
            trouble=Trouble(customer["trouble"]) if customer["trouble"] else None,
            touches=await sends.touches(connection, request, around=at, within=policy.horizon, priority=plan.priority),
            same_message=await sends.same_message(
                connection, request, journey=enrollment["journey"], since=at - message.limit.within
            ),
            legs=await self._legs(connection, request) if request.leg else (),
            **(await self._selling(connection, request, enrollment, plan, policy, at) if selling else {}),
        )

    @staticmethod
    async def _selling(
        connection: AsyncConnection,
        request: SendRequest,
        enrollment: RowMapping,
        plan: Plan,
        policy: ContactPolicy,
        at: datetime,
    ) -> dict[str, Any]:
        """What only an offer asks for: what it offers, what was just bought, and what of value came before it."""
        return {
            "offered": frozenset(products_in(await start_of(connection, plan, enrollment))),
            "bought": await orders.bought(connection, request.customer, at - policy.just_bought_within),
            "values_since_offer": await sends.values_since_offer(connection, request),
        }

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

    async def suppress(self, connection: AsyncConnection, channel: Channel, address: str, at: datetime) -> None:
        """A provider called the address dead: never write to it again."""
        await verdicts.suppress(connection, self._surrogates, channel, address, at)
