"""Writing: a message of a journey as one letter to one customer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.sending import SendRequest
from adapters.database import customers, enrollments, events
from adapters.database.connection import Database
from adapters.link_tracking import LinkTracking
from adapters.links import Links
from adapters.templates import MessageLibrary
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
        catalogue: Catalogue,
        library: MessageLibrary,
        links: Links,
        company: Company,
        tracking: LinkTracking,
    ) -> None:
        self._database, self._catalogue, self._library = database, catalogue, library
        self._links, self._company, self._tracking = links, company, tracking

    async def write(self, send: UUID, request: SendRequest, channel: Channel) -> Letter:
        """The letter of a send. Raises RenderFailed, or InvalidInput when there is no address any more."""
        async with self._database.transaction() as connection:
            customer = await customers.by_id(connection, request.customer)
            enrollment = await enrollments.get(connection, request.enrollment)
            event = await self._event(connection, enrollment) if enrollment else {}
        address = address_of(customer, channel)
        if not address or enrollment is None:
            raise InvalidInput([f"there is no address for {channel} any more"])
        journey = self._catalogue.journey(enrollment["journey"])
        message = self._catalogue.message(journey.name, request.message)
        unsubscribe = self._links.unsubscribe(customer["id"], channel)
        rendered = self.render(journey.folder, request.message, channel, customer, unsubscribe=unsubscribe, event=event)
        exempt = message.purpose is Purpose.TRANSACTIONAL
        targets: tuple[str, ...] = ()
        if not exempt:  # nobody can refuse those, their links may be keys, and nothing hangs on who reads them
            rendered, targets = self._tracking.put_into(
                rendered, send, channel, journey=journey.folder, message=request.message
            )
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
            links=targets,
        )

    def for_staff(self, html: str, links: Sequence[str]) -> str:
        """The HTML of a letter that was sent, so that looking at it and following its links counts as nobody's."""
        return self._tracking.taken_out(html, links)

    async def _event(self, connection: AsyncConnection, enrollment: RowMapping) -> Mapping[str, object]:
        """What started an enrollment, as it last happened: the cart as it is now, not as it was two hours ago."""
        plan = self._catalogue.journey(enrollment["journey"]).plan
        newest = await events.missed(
            connection,
            customer=enrollment["customer"],
            after=0,
            names=[*plan.starts_on, *plan.may_start_on],
            about=(plan.about, enrollment["about"]) if plan.about else None,
            limit=1,
        )
        return newest[0][1].properties if newest else {}

    def render(
        self,
        folder: str,
        message: str,
        channel: Channel,
        customer: RowMapping | dict[str, Any],
        *,
        unsubscribe: str,
        locale: str | None = None,
        event: Mapping[str, object] = MappingProxyType({}),
    ) -> Rendered:
        """A message for a customer's row, or for an invented one. Raises NotFound and RenderFailed.

        `event` are the properties of what started the journey, in its newest state.
        """
        attributes = customer["attributes"]
        spoken = locale or customer["locale"] or self._company.locale
        context = {
            "company": {"name": self._company.name, "url": self._company.url, "address": self._company.address},
            "customer": {
                "first_name": attributes.get("first_name"),
                "last_name": attributes.get("last_name"),
                "attributes": attributes,
            },
            "event": _Known(event),
            "manager": {"name": self._company.name, "email": self._company.mailbox},
            "unsubscribe_url": unsubscribe,
        }
        return self._library.render(folder, message, channel, spoken, context)


class _Known(dict[str, object]):
    """An event's properties; one that this event lacks is None: shops say more or less of a cart."""

    def __missing__(self, key: str) -> None:
        return None
