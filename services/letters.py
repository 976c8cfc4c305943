"""Writing: a message of a journey as one letter to one customer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from adapters.link_tracking import LinkTracking
from adapters.links import Links
from adapters.templates import MessageLibrary
from domain.clock import Clock
from domain.deliveries import Address, Letter
from domain.errors import InvalidInput
from domain.messages import Channel, Purpose, Rendered
from services.addresses import in_words
from services.send_facts import Case

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
        clock: Clock,
        library: MessageLibrary,
        links: Links,
        company: Company,
        tracking: LinkTracking,
    ) -> None:
        self._clock, self._library, self._links = clock, library, links
        self._company, self._tracking = company, tracking

    def write(self, send: UUID, channel: Channel, case: Case, shop: Mapping[str, object]) -> Letter:
        """The letter of a send. Raises RenderFailed, or InvalidInput when there is no address any more.

        `shop` is what `services.shop` looked up for it.
        """
        known = case.addresses.get(channel)
        if not known:
            raise InvalidInput([f"there is no address for {channel} any more"])
        message, customer = case.message, case.row["customer"]
        unsubscribe = self._links.unsubscribe(customer, channel)
        rendered = self.render(
            message.journey,
            message.name,
            channel,
            case.row,
            unsubscribe=unsubscribe,
            preferences=self._links.preferences(customer),
            survey=self._links.survey(send),
            event=case.start,
            shop=shop,
        )
        exempt = message.purpose is Purpose.TRANSACTIONAL
        targets: tuple[str, ...] = ()
        if not exempt:  # nobody can refuse those, their links may be keys, and nothing hangs on who reads them
            rendered, targets = self._tracking.put_into(
                rendered, send, channel, journey=message.journey, message=message.name
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
            else f"{message.journey.replace('_', '-')}.{self._company.mailbox.rpartition('@')[2]}",
            journey=message.journey,
            message=message.name,
            content=None if self._may_speak_freely(known[0]) else rendered.content,
            url=rendered.url,
            everywhere=tuple(known),
            lasts=case.expires - self._clock.now(),
            links=targets,
        )

    def _asked(self, folder: str, message: str, url: str) -> dict[str, object]:
        """The link to a message's survey, and one for each score: tapped, it is chosen on the page, not yet sent."""
        survey = self._library.surveys.get(self._library.message(folder, message).survey)
        if survey is None:
            return {}
        scores = [{"score": score, "url": f"{url}?score={score}"} for score in survey.scores]
        return {"survey": {"url": url, "scores": scores}}

    def _doors(self, ours: str | None, email: str | None) -> dict[str, str | None]:
        """The customer's own links: to other channels, and to confirm an address; an invented customer has none."""
        now = self._clock.now()
        return {
            "confirm_url": self._links.confirm(ours, email, now) if ours and email else None,
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
        preferences: str,
        survey: str = "",
        locale: str | None = None,
        event: Mapping[str, object] = MappingProxyType({}),
        shop: Mapping[str, object] = MappingProxyType({}),
    ) -> Rendered:
        """A message for a customer, or for an invented one. Raises NotFound and RenderFailed.

        `customer` has attributes, locale and, unless invented, our id as `customer`. `event` are the properties of what
        started the journey, in its newest state; `shop` is what lists of products and a code came to. The links are
        given: `survey` leads to the page of the message's survey, if it asks one.
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
            "preferences_url": preferences,
            **self._asked(folder, message, survey),
            **self._doors(customer.get("customer"), customer.get("email")),
            **shop,
        }
        return self._library.render(folder, message, channel, spoken, context)


class _Known(dict[str, object]):
    """An event's properties; one that this event lacks is None: shops say more or less of a cart."""

    def __missing__(self, key: str) -> None:
        return None
