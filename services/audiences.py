"""Whom a bulk names: a list, a file, or a segment."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.errors import InvalidInput

MOST = 250_000


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What somebody asks for: customers by the company's ids, each with what it is about; or a segment's name.

    `source` says where the customers come from: list or csv.
    """

    source: str = "list"
    customers: Sequence[tuple[str, str]] = field(default_factory=list)
    segment: str = ""


@dataclass(frozen=True, kw_only=True)
class Audience:
    """Who is named, each once, in the order in which they were named, and in words where they come from."""

    source: str
    customers: Sequence[tuple[str, str]]


class Members(Protocol):
    """Who is in a segment."""

    async def members(self, connection: AsyncConnection, name: str, *, after: str, limit: int) -> Sequence[RowMapping]:
        """Some of them after one of our ids, in their order: `id` and `customer_id`. Raises NotFound, Unavailable."""
        ...


async def audience_of(connection: AsyncConnection, asked: Asked, segments: Members) -> Audience:
    """Everybody who is named, at this moment.

    Raises InvalidInput for nobody, and for too many at once; NotFound for an unknown segment.
    """
    if asked.segment and asked.customers:
        raise InvalidInput(["segment: name a segment or customers, not both"])
    if asked.segment:
        found = await segments.members(connection, asked.segment, after="", limit=MOST + 1)
        if not found:
            raise InvalidInput([f"segment: nobody is in {asked.segment} now"])
        asked = Asked(source=f"segment {asked.segment}", customers=[(row["customer_id"], "") for row in found])
    named = list(dict.fromkeys(asked.customers))
    if not named:
        raise InvalidInput(["customers: names nobody"])
    if len(named) > MOST:
        raise InvalidInput([f"customers: names {len(named):,}; at most {MOST:,} at once, so make several bulks of it"])
    return Audience(source=asked.source, customers=named)
