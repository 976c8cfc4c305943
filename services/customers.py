"""Customers' profiles and consents: commands that change their tables and append their events in one transaction."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

import msgspec
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import addresses, companies, customers, engagement, events, opt_ins, rfm
from adapters.database.connection import lock_customer
from adapters.links import START_LASTS
from domain.clock import Clock
from domain.customers import Consent, ConsentRequest, ConsentStatus
from domain.deliveries import Address
from domain.errors import Conflict, InvalidInput, NotFound
from domain.events import CONSENT_CHANGED, OPT_IN_REQUESTED, PROFILE_CHANGED
from domain.messages import Channel
from services import audit, identities
from services.addresses import addresses_of
from services.audit import Actor
from services.restrict import Restrictions

PROFILE = ("email", "phone", "locale", "timezone", "preferred_channel", "owner", "company_id", "buying_role")
LARGEST_ATTRIBUTES = 32 * 1024
ERASED = "This customer was erased, and what was erased does not come back."


@dataclass(frozen=True, kw_only=True)
class CustomerNow:
    """A customer's row, what they said, where they can be reached, and their RFM if they have bought. `company_id` is
    the company's own id of it, `scale` that of engagement scores.
    """

    row: RowMapping
    consents: Mapping[str, Consent]
    addresses: Mapping[Channel, Sequence[Address]]
    scale: float
    rfm: RowMapping | None = None
    company_id: str | None = None
    created: bool = False


@dataclass(frozen=True, kw_only=True)
class Change:
    """What to set, checked at the edge. Only named columns change; `attributes` and `needs` of None stay as they are.

    `by` is who asks for it; None is the customer.
    """

    columns: Mapping[str, str | None] = field(default_factory=dict)
    attributes: Mapping[str, Any] | None = None
    needs: Mapping[str, Any] | None = None
    consents: Mapping[str, Consent] = field(default_factory=dict)
    requests: Mapping[str, ConsentRequest] = field(default_factory=dict)
    by: Actor | None = None


class Customers:
    """Reads and changes customers in the caller's transaction."""

    def __init__(self, clock: Clock, restrictions: Restrictions) -> None:
        self._clock, self._restrictions = clock, restrictions

    async def get(self, connection: AsyncConnection, customer_id: str) -> CustomerNow:
        """One customer, by the company's id. Raises NotFound."""
        row = await customers.by_company_id(connection, customer_id)
        if row is None:
            raise NotFound("customer", customer_id)
        return await _now(connection, row)

    async def kept_addresses(self, connection: AsyncConnection, customer_id: str) -> Sequence[RowMapping]:
        """The addresses that the profile does not hold. Raises NotFound."""
        return await addresses.of_customer(connection, (await self.get(connection, customer_id)).row["id"])

    async def set_chat(
        self, connection: AsyncConnection, customer_id: str, channel: Channel, chat: str, *, by: Actor
    ) -> None:
        """Make a chat a customer's only one on its channel. Raises NotFound."""
        row = await self.locked(connection, (await self.get(connection, customer_id)).row["id"])
        if chat not in [each["address"] for each in await addresses.of_customer(connection, row["id"])]:
            await addresses.replace(connection, row["id"], channel.value, chat, self._clock.now())
            await self.append(connection, row, PROFILE_CHANGED, {"fields": [channel.value]})
            before = await customers.consents_of(connection, row["id"])
            await self.note(connection, by, row["id"], fields=[channel.value], before=before)

    async def replace(self, connection: AsyncConnection, customer_id: str, change: Change) -> CustomerNow:
        """Set the whole profile; what the change leaves out is cleared. Consents that it does not name stay.

        Raises Conflict for somebody who was erased and has not come back.
        """
        known = await customers.by_company_id(connection, customer_id) is not None
        surrogates, now = self._restrictions.surrogates, self._clock.now()
        ours = (await identities.identify(connection, surrogates, [customer_id], now)).get(customer_id)
        if ours is None:
            raise Conflict(ERASED)
        row = await self.locked(connection, ours)
        wanted = dict.fromkeys(PROFILE) | dict(change.columns)
        wanted |= {"attributes": dict(change.attributes or {}), "needs": dict(change.needs or {})}
        return await self._apply(connection, row, wanted, change, created=not known)

    async def change(self, connection: AsyncConnection, customer_id: str, change: Change) -> CustomerNow:
        """Set what the change names; an attribute or a need set to null goes. Raises NotFound."""
        found = await customers.by_company_id(connection, customer_id)
        if found is None:
            raise NotFound("customer", customer_id)
        row = await self.locked(connection, found["id"])
        wanted: dict[str, Any] = dict(change.columns)
        for several, given in (("attributes", change.attributes), ("needs", change.needs)):
            if given is not None:
                wanted[several] = {name: v for name, v in {**row[several], **given}.items() if v is not None}
        return await self._apply(connection, row, wanted, change, created=False)

    @staticmethod
    async def locked(connection: AsyncConnection, ours: str) -> RowMapping:
        """A customer's row under their lock, whoever that is by now. Raises Conflict for one who was erased."""
        row = await customers.by_id(connection, await lock_customer(connection, ours))
        if row["erased_at"]:
            raise Conflict(ERASED)
        return row

    async def _apply(
        self,
        connection: AsyncConnection,
        row: RowMapping,
        wanted: Mapping[str, Any],
        change: Change,
        *,
        created: bool,
    ) -> CustomerNow:
        before = await customers.consents_of(connection, row["id"])
        wanted = await _with_company(connection, row, wanted)
        changed = {name: value for name, value in wanted.items() if row[name] != value}
        if changed:
            await customers.update_profile(connection, row["id"], changed | _written(changed))
            await self.append(connection, row, PROFILE_CHANGED, {"fields": sorted(changed)})
        for scope, consent in sorted(change.consents.items()):
            await self.hear(connection, row, scope, consent)
        for scope, request in sorted(change.requests.items()):
            await self._request(connection, row, scope, request)
        if change.by:
            await self.note(connection, change.by, row["id"], fields=changed, before=before, created=created)
        return await _now(connection, await customers.by_id(connection, row["id"]), created=created)

    @staticmethod
    async def note(
        connection: AsyncConnection,
        by: Actor,
        customer: str,
        *,
        fields: Collection[str],
        before: Mapping[str, Consent],
        created: bool = False,
    ) -> None:
        """Keep in the audit log which fields staff changed, and which words since `before`. Nothing, if none."""
        consents = await customers.consents_of(connection, customer)
        if fields or created or consents != before:
            await audit.write(
                connection,
                by,
                "customer.created" if created else "customer.changed",
                kind="customer",
                subject=customer,
                before=_said(before, consents),
                after={"fields": sorted(fields), **_said(consents, before)},
            )

    async def hear(self, connection: AsyncConnection, row: RowMapping, scope: str, consent: Consent) -> None:
        """Record a word about a channel. One that is on record already, or is older than another, changes nothing."""
        before = (await customers.consents_of(connection, row["id"])).get(scope)
        if before == consent:
            return
        if consent.status is ConsentStatus.DENIED:
            await self._restrictions.refuse(connection, row["id"], scope, consent)
        else:
            await customers.put_consent(connection, row["id"], scope, consent)
        if (await customers.consents_of(connection, row["id"])).get(scope) != before:
            said = {"channel": scope, "status": consent.status.value}
            await self.append(connection, row, CONSENT_CHANGED, said)

    async def _request(self, connection: AsyncConnection, row: RowMapping, scope: str, request: ConsentRequest) -> None:
        """Ask the customer themselves, by a journey. A profile put again asks nobody again, and whoever has said yes
        since need not be asked.
        """
        now, asked = self._clock.now(), (request.source, request.wording, request.proof)
        word = (await customers.consents_of(connection, row["id"])).get(scope)
        if word and word.status is ConsentStatus.GRANTED and word.at >= request.at:
            return
        if await opt_ins.was_asked(connection, row["id"], now - START_LASTS, *asked):
            return
        said = {"channel": scope, "source": request.source, "wording": request.wording, "proof": request.proof}
        await self.append(connection, row, OPT_IN_REQUESTED, said, at=request.at)

    async def append(
        self,
        connection: AsyncConnection,
        row: RowMapping,
        name: str,
        properties: dict[str, Any],
        *,
        at: datetime | None = None,
    ) -> None:
        """Append the event of a change, which happened now unless told otherwise."""
        await events.append(
            connection,
            customer_id=row["customer_id"],
            name=name,
            at=at or self._clock.now(),
            received_at=self._clock.now(),
            event_id=f"{name}:{uuid4()}",
            properties=properties,
        )


def _said(these: Mapping[str, Consent], others: Mapping[str, Consent]) -> dict[str, object]:
    """The words about channels and topics that differ from the others."""
    return {f"consent {scope}": word.status.value for scope, word in these.items() if others.get(scope) != word}


async def _now(connection: AsyncConnection, row: RowMapping, *, created: bool = False) -> CustomerNow:
    return CustomerNow(
        row=row,
        consents=await customers.consents_of(connection, row["id"]),
        addresses=await addresses_of(connection, row),
        scale=await engagement.scale(connection),
        rfm=await rfm.of_customer(connection, row["id"]),
        company_id=await companies.called(connection, row["company"]) if row["company"] else None,
        created=created,
    )


async def _with_company(connection: AsyncConnection, row: RowMapping, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What is wanted, with our own id of the company. Who leaves it has no part in its decisions any more."""
    wanted = dict(wanted)
    if "company_id" in wanted:
        named = wanted.pop("company_id")
        wanted["company"] = await companies.ours(connection, named) if named else None
        if named and wanted["company"] is None:
            raise InvalidInput(["company_id: there is no such company; PUT /v1/companies/{company_id} makes it known"])
    if not wanted.get("company", row["company"]):
        if wanted.get("buying_role"):
            raise InvalidInput(["buying_role: is a part in a company's decision; name its company_id, too"])
        if row["buying_role"]:
            wanted["buying_role"] = None
    return wanted


def _written(changed: Mapping[str, Any]) -> dict[str, str]:
    """Attributes and needs as the database takes them. Raises InvalidInput when they are too many."""
    return {name: bounded(name, changed[name]) for name in {"attributes", "needs"} & changed.keys()}


def bounded(name: str, value: Mapping[str, Any]) -> str:
    """Somebody's own facts as JSON. Raises InvalidInput when they are too many."""
    text = msgspec.json.encode(value)
    if len(text) > LARGEST_ATTRIBUTES:
        raise InvalidInput([f"{name}: must be at most {LARGEST_ATTRIBUTES // 1024} KiB altogether"])
    return text.decode()
