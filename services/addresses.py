"""Where a customer can be reached: what the profile says, and what came to us by itself."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import addresses
from domain.deliveries import Address
from domain.messages import Channel

_COLUMNS = {Channel.EMAIL: "email", Channel.SMS: "phone", Channel.WHATSAPP: "phone"}


async def addresses_of(connection: AsyncConnection, customer: RowMapping) -> Mapping[Channel, Sequence[Address]]:
    """A customer's addresses on every channel that has one, the newest first, in one query."""
    kept: dict[Channel, list[Address]] = {}
    for row in await addresses.of_customer(connection, customer["id"]):
        address = Address(address=row["address"], keys=row["keys"], heard_at=row["last_inbound_at"])
        kept.setdefault(Channel(row["channel"]), []).append(address)
    for channel, column in _COLUMNS.items():
        heard = [each for each in kept.pop(channel, ()) if each.address == customer[column]]
        if customer[column]:
            kept[channel] = heard or [Address(address=customer[column])]
    return kept


def in_words(known: Sequence[Address]) -> str | None:
    """Addresses on one channel, as people read them: of a browser, who serves it."""
    return ", ".join(urlsplit(each.address).hostname or "" if each.keys else each.address for each in known) or None
