"""The facts that the contact policy looks at, read under the customer's lock."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import customers, facts
from adapters.surrogates import Surrogates
from adapters.zones import zone_of
from domain.contact_policy import ContactPolicy, Touch
from domain.customers import Frequency, Trouble, audiences_of, is_gone
from domain.deliveries import Address
from domain.experiments import held_out
from domain.journeys import Plan
from domain.messages import Channel, Message, Purpose
from domain.orders import products_in
from domain.send_facts import Leg, SendFacts
from services import verdicts
from services.addresses import by_channel, on_the_site
from services.catalogue import Catalogue
from services.steps import Step

PolicyInForce = Callable[[str | None], ContactPolicy]
"""What a stored policy says, or the defaults for none."""

_Read = TypeVar("_Read")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One send with all that is known around it. `row` is what `facts.around` answers.

    `expires` ends its shelf life. `start` are the properties of what started the journey, as it last happened; none
    after a start by staff.
    """

    row: RowMapping
    message: Message
    plan: Plan
    policy: ContactPolicy
    addresses: Mapping[Channel, Sequence[Address]]
    facts: SendFacts
    expires: datetime
    start: Mapping[str, object]


class FactReader:
    """Reads what may stand against a send. `channels` are those that this installation can send by."""

    def __init__(
        self,
        catalogue: Catalogue,
        surrogates: Surrogates,
        channels: Collection[Channel],
        default_zone: str,
        policy: PolicyInForce,
    ) -> None:
        self._catalogue, self._surrogates, self._channels = catalogue, surrogates, channels
        self._default_zone, self._policy = default_zone, policy

    async def around(self, connection: AsyncConnection, step: Step) -> RowMapping | None:
        """What is known around a step, in one statement; see `facts.around`. The caller holds the lock."""
        return await facts.around(connection, step.send, step.request)

    async def read(self, connection: AsyncConnection, step: Step, row: RowMapping, *, at: datetime) -> Case:
        """All facts about one send, in one more statement. The caller holds the lock and has just read the row."""
        message = self._catalogue.message(row["journey"], step.request.message)
        plan, policy = self._catalogue.journey(row["journey"]).plan, self._policy(row["policy"])
        known = {
            **by_channel(row, _read(row["addresses"], list[tuple[Channel, Address]]) or ()),
            Channel.IN_APP: on_the_site(row["customer"]),
        }
        addresses = {channel: known[channel][0].address for channel in self._channels if channel in known}
        found = await facts.against(
            connection,
            step.request,
            journey=row["journey"],
            plan=plan,
            about=row["about"],
            message=message,
            policy=policy,
            keys={c.value: self._surrogates.address(c.value, address) for c, address in addresses.items()},
            at=at,
        )
        start = found["start"] or {}
        preferred = row["preferred_channel"]
        said = replace(
            facts_of(row, at=at, default_zone=self._default_zone),
            erased=row["erased_at"] is not None,
            ended=row["outcome"] or row["leaving"] or "",
            paused=row["paused_at"] is not None,
            preferred=Channel(preferred) if preferred else None,
            addressed=frozenset(addresses),
            suppressed=_read(found["suppressed"], dict[Channel, str]) or {},
            consents=customers.read_consents(row["consents"]),
            kind=plan.kind,
            snoozed_until=row["snoozed_until"],
            trouble=Trouble(row["trouble"]) if row["trouble"] else None,
            held_out=_held_out(row, policy),
            touches=_read(found["touches"], tuple[Touch, ...]) or (),
            same_message=tuple(found["same_message"]),
            legs=_read(found["legs"], tuple[Leg, ...]) or (),
        )
        if message.purpose is Purpose.OFFER:
            said = replace(
                said,
                offered=frozenset(products_in(start)),
                bought=frozenset(found["bought"]),
                values_since_offer=found["values_since_offer"],
            )
        first = row["expires_at"] or next((leg.expires_at for leg in said.legs), None)
        return Case(
            row=row,
            message=message,
            plan=plan,
            policy=policy,
            addresses=known,
            facts=said,
            expires=first or message.expires(at, said.zone),
            start=start,
        )

    async def suppress(self, connection: AsyncConnection, channel: Channel, address: str, at: datetime) -> None:
        """A provider called the address dead: never write to it again."""
        await verdicts.suppress(connection, self._surrogates, channel, address, at)


def facts_of(customer: Mapping[Any, Any], *, at: datetime, default_zone: str) -> SendFacts:
    """What a customer's row tells the rules about time: where they live, who they are, what they chose. `vip` is what
    RFM found; whom the company itself calls one by an attribute is one, too.
    """
    return SendFacts(
        zone=zone_of(customer, default_zone),
        audiences=audiences_of(
            orders=customer["orders"],
            last_active_at=customer["last_active_at"],
            vip=customer["vip"] or customer["attributes"].get("vip") is True,
            now=at,
        ),
        gone=is_gone(customer["last_active_at"], at),
        frequency=Frequency(customer["frequency"]) if customer["frequency"] else None,
    )


def _held_out(row: RowMapping, policy: ContactPolicy) -> bool:
    """Whether a customer is in the control group of everything, or of this journey."""
    customer, entered_at = row["customer"], row["started_at"]
    return held_out(customer, policy.holdout, entered_at=entered_at) or held_out(
        customer, row["holdout"] or 0.0, journey=row["journey"], entered_at=entered_at
    )


def _read(json: str | None, kind: type[_Read]) -> _Read | None:
    return msgspec.json.decode(json, type=kind) if json else None
