"""Writing: a message of a journey as one letter to one customer."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from activities.sending import SendRequest
from adapters.database import customers, enrollments, sends
from adapters.database.connection import Database
from adapters.links import Links
from adapters.templates import MessageLibrary
from domain.clock import Clock
from domain.deliveries import Letter
from domain.errors import InvalidInput
from domain.messages import Channel, Purpose, Rendered
from services.catalogue import Catalogue
from services.send_facts import address_of


@dataclass(frozen=True, kw_only=True)
class Company:
    """Who writes. `sender` is the From header, `mailbox` its bare address."""

    name: str
    url: str
    address: str
    sender: str
    mailbox: str
    locale: str


class Letters:
    """Renders messages with what is known of the customer at this moment."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        catalogue: Catalogue,
        library: MessageLibrary,
        links: Links,
        company: Company,
    ) -> None:
        self._database, self._clock, self._catalogue, self._library = database, clock, catalogue, library
        self._links, self._company = links, company

    async def write(self, send: UUID, request: SendRequest, channel: Channel) -> Letter:
        """The letter of a send. Raises RenderFailed, or InvalidInput when there is no address any more."""
        async with self._database.transaction() as connection:
            customer = await customers.by_id(connection, request.customer)
            enrollment = await enrollments.get(connection, request.enrollment)
            row = await sends.get(connection, send)
        address = address_of(customer, channel)
        if not address or enrollment is None or row is None:
            raise InvalidInput([f"there is no address for {channel} any more"])
        journey = self._catalogue.journey(enrollment["journey"])
        message = self._catalogue.message(journey.name, request.message)
        unsubscribe = self._links.unsubscribe(customer["id"], channel)
        rendered = self.render(journey.folder, request.message, channel, customer, unsubscribe=unsubscribe)
        exempt = message.purpose is Purpose.TRANSACTIONAL
        return Letter(
            send_id=send,
            to=address,
            sender=self._company.sender,
            subject=rendered.subject or "",
            html=rendered.html or "",
            text=rendered.text,
            unsubscribe_url=None if exempt else unsubscribe,
            list_id=None
            if exempt
            else f"{journey.folder.replace('_', '-')}.{self._company.mailbox.rpartition('@')[2]}",
            journey=journey.folder,
            message=request.message,
            lasts=row["expires_at"] - self._clock.now(),
        )

    def render(
        self,
        folder: str,
        message: str,
        channel: Channel,
        customer: RowMapping | dict[str, Any],
        *,
        unsubscribe: str,
        locale: str | None = None,
    ) -> Rendered:
        """A message for a customer's row, or for an invented one. Raises NotFound and RenderFailed."""
        attributes = customer["attributes"]
        spoken = locale or customer["locale"] or self._company.locale
        context = {
            "company": {"name": self._company.name, "url": self._company.url, "address": self._company.address},
            "customer": {
                "first_name": attributes.get("first_name"),
                "last_name": attributes.get("last_name"),
                "attributes": attributes,
            },
            "manager": {"name": self._company.name, "email": self._company.mailbox},
            "unsubscribe_url": unsubscribe,
        }
        return self._library.render(folder, message, channel, spoken, context)
