"""Writing: a message of a journey as one letter to one customer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from activities.sending import SendRequest
from adapters.database import customers, enrollments, sends
from adapters.database.connection import Database
from adapters.link_tracking import LinkTracking
from adapters.links import Links
from adapters.templates import MessageLibrary
from domain.clock import Clock
from domain.deliveries import Address, Letter
from domain.errors import InvalidInput
from domain.messages import Channel, Purpose, Rendered
from services.addresses import addresses_of, in_words
from services.catalogue import Catalogue
from services.starting import start_of

WINDOW = timedelta(hours=24) - timedelta(minutes=5)  # for free words on WhatsApp, less the time on the way


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
        tracking: LinkTracking,
    ) -> None:
        self._database, self._clock, self._catalogue, self._library = database, clock, catalogue, library
        self._links, self._company, self._tracking = links, company, tracking

    async def write(self, send: UUID, request: SendRequest, channel: Channel) -> Letter:
        """The letter of a send. Raises RenderFailed, or InvalidInput when there is no address any more."""
        async with self._database.transaction() as connection:
            customer = await customers.by_id(connection, request.customer)
            enrollment = await enrollments.get(connection, request.enrollment)
            plan = self._catalogue.journey(enrollment["journey"]).plan if enrollment else None
            event = await start_of(connection, plan, enrollment) if plan and enrollment else {}
            known = (await addresses_of(connection, customer)).get(channel, ())
            row = await sends.get(connection, send)
        if not known or enrollment is None or row is None:
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
            to=in_words(known) or "",
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
            content=None if self._may_speak_freely(known[0]) else rendered.content,
            url=rendered.url,
            everywhere=tuple(known),
            lasts=row["expires_at"] - self._clock.now(),
            links=targets,
        )

    def _doors(self, ours: str | None) -> dict[str, str | None]:
        """The customer's own links to other channels; an invented customer has none."""
        now = self._clock.now()
        return {
            "telegram_url": self._links.telegram_start(ours, now) if ours else None,
            "web_push_url": self._links.web_push(ours, now) if ours else None,
        }

    def _may_speak_freely(self, address: Address) -> bool:
        """WhatsApp takes free words for 24 hours after the customer's last message, and approved ones always."""
        return address.heard_at is not None and self._clock.now() < address.heard_at + WINDOW

    def for_staff(self, html: str, links: Sequence[str]) -> str:
        """The HTML of a letter that was sent, so that looking at it and following its links counts as nobody's."""
        return self._tracking.taken_out(html, links)

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
            **self._doors(customer.get("id")),
        }
        return self._library.render(folder, message, channel, spoken, context)


class _Known(dict[str, object]):
    """An event's properties; one that this event lacks is None: shops say more or less of a cart."""

    def __missing__(self, key: str) -> None:
        return None
