"""Where a customer can be reached: what the profile says, and what came to us by itself."""

from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlsplit

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import addresses
from domain.deliveries import Address
from domain.messages import Channel

PROFILE_COLUMNS = {Channel.EMAIL: "email", Channel.SMS: "phone", Channel.WHATSAPP: "phone"}
"""The channels whose address is in the profile alone; what `addresses` keeps of them is when somebody wrote from it."""


def on_the_site(customer: str) -> Sequence[Address]:
    """Everybody (our id) is to be met on the company's own site. No address to keep: nothing is to be erased of it."""
    return [Address(address=customer)]


async def addresses_of(connection: AsyncConnection, customer: RowMapping) -> Mapping[Channel, Sequence[Address]]:
    """A customer's addresses on every channel that has one, the newest first, in one query."""
    rows = await addresses.of_customer(connection, customer["id"])
    found = (Address(address=row["address"], keys=row["keys"], heard_at=row["last_inbound_at"]) for row in rows)
    return by_channel(customer, zip((Channel(row["channel"]) for row in rows), found, strict=True))


def by_channel(customer: RowMapping, kept: Iterable[tuple[Channel, Address]]) -> Mapping[Channel, Sequence[Address]]:
    """What the profile says, and what is kept beside it, newest first."""
    found: dict[Channel, list[Address]] = {}
    for channel, address in kept:
        found.setdefault(channel, []).append(address)
    for channel, column in PROFILE_COLUMNS.items():
        heard = [each for each in found.pop(channel, ()) if each.address == customer[column]]
        if customer[column]:
            found[channel] = heard or [Address(address=customer[column])]
    return found


def in_words(known: Sequence[Address]) -> str | None:
    """Addresses on one channel, as people read them: of a browser, who serves it."""
    return ", ".join(urlsplit(each.address).hostname or "" if each.keys else each.address for each in known) or None
