"""What the domain check asks of DNS, and how it reads records of tags."""

from collections.abc import Sequence
from typing import Protocol


class Resolver(Protocol):
    """Answers questions about names. No record and no such name are the same: nothing. Raises Unavailable."""

    async def txt(self, name: str) -> Sequence[str]:
        """TXT records, the parts of each joined."""
        ...

    async def mx(self, name: str) -> Sequence[str]:
        """Mail servers, the preferred first; `.` for a domain that takes no mail (RFC 7505)."""
        ...

    async def addresses(self, name: str) -> Sequence[str]:
        """IPv4 and IPv6 addresses."""
        ...

    async def names(self, address: str) -> Sequence[str]:
        """What an address calls itself (PTR)."""
        ...


def tags(record: str) -> dict[str, str]:
    """A record of `name=value` pairs between semicolons (DKIM, DMARC). What is no pair is left out."""
    pairs = (tag.partition("=") for tag in record.split(";"))
    return {name.strip().lower(): value.strip() for name, equals, value in pairs if equals}
