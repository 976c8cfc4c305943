"""Notices on the company's site (S105): read by the site, under the same policy as any message, and marked as seen."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.channels.in_app import NAME
from adapters.database import customers, in_app
from adapters.database.connection import Database
from adapters.links import Links
from domain.clock import Clock
from domain.contact_policy import ContactPolicy
from domain.customers import Trouble
from domain.deliveries import Delivery, Report
from domain.errors import NotFound
from domain.journeys import Outcome
from domain.messages import Channel
from domain.policy import may_call, must_wait
from domain.send_facts import SendFacts
from services.catalogue import Catalogue
from services.delivery_reports import DeliveryReports
from services.policies import Policies

_OVER = frozenset({Outcome.CONVERTED, Outcome.EXITED})


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One notice. `url` is where a press leads; null where nowhere. `at` is when it was sent."""

    id: UUID
    journey: str
    message: str
    title: str
    text: str
    url: str | None
    at: datetime
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """What waits for a customer, the newest first, and their own page of choices."""

    notices: Sequence[Notice]
    preferences_url: str


class InApp:
    """Reads and marks notices, for a site with a key, and for a browser with a link."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        links: Links,
        catalogue: Catalogue,
        policies: Policies,
        reports: DeliveryReports,
    ) -> None:
        self._database, self._clock, self._links = database, clock, links
        self._catalogue, self._policies, self._reports = catalogue, policies, reports

    def link(self, customer: str) -> str:
        """Where a customer's browser reads its notices, good for a day."""
        return self._links.in_app(customer, self._clock.now())

    def read_link(self, token: str) -> str:
        """Whose link it is (our id). Raises NotFound."""
        return self._links.read_in_app(token, self._clock.now())

    async def waiting(self, customer: str) -> Waiting:
        """What a customer (our id) has not seen and may see now. Changes nothing. Raises NotFound for one who is gone.

        A claim asked the policy when it was sent; since then they may have said no, or bought what it reminds of.
        """
        now = self._clock.now()
        async with self._database.transaction() as connection:
            row = await _here(connection, customer)
            found = await in_app.unread(connection, row["id"], now)
            facts = await _facts(connection, row) if found else None
            policy = await self._policies.in_force(connection)
        return Waiting(
            notices=[_notice(each) for each in found if facts and self._may_be_shown(each, facts, policy, now)],
            preferences_url=self._links.preferences(row["id"]),
        )

    async def saw(self, customer: str, notices: Collection[UUID]) -> None:
        """A customer (our id) has had notices before their eyes; those of others are left alone. Raises NotFound."""
        async with self._database.transaction() as connection:
            row = await _here(connection, customer)
            theirs = await in_app.of_customer(connection, row["id"], notices)
        for send in theirs:
            read = Report(gateway=NAME, provider_id=str(send), status="seen", delivery=Delivery.READ, send=send)
            await self._reports.take(read)

    def _may_be_shown(self, row: RowMapping, facts: SendFacts, policy: ContactPolicy, now: datetime) -> bool:
        try:
            message = self._catalogue.message(row["journey"], row["message"])
        except NotFound:  # taken out of the code since
            return False
        if row["paused_at"] or row["leaving"] or row["outcome"] in _OVER:
            return False
        return may_call(facts, message, Channel.IN_APP, policy) is None and not must_wait(
            facts, message, policy, at=now
        )


async def _here(connection: AsyncConnection, customer: str) -> RowMapping:
    row = await customers.find(connection, customer)
    if row is None or row["erased_at"]:
        raise NotFound("customer", customer)
    return row


async def _facts(connection: AsyncConnection, row: RowMapping) -> SendFacts:
    """What may stand against showing any notice to a customer. Limits and gaps were kept when it was sent."""
    return SendFacts(
        zone="UTC",
        addressed=frozenset({Channel.IN_APP}),
        consents=await customers.consents_of(connection, row["id"]),
        snoozed_until=row["snoozed_until"],
        trouble=Trouble(row["trouble"]) if row["trouble"] else None,
    )


def _notice(row: RowMapping) -> Notice:
    said = row["rendered"]
    return Notice(
        id=row["id"],
        journey=row["journey"],
        message=row["message"],
        title=said["subject"],
        text=said["text"].strip(),
        url=said.get("url"),
        at=row["called_at"],
        expires_at=row["expires_at"],
    )
