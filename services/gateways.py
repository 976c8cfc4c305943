"""What a provider must be able to do for `sending`."""

from contextlib import AbstractAsyncContextManager
from typing import Literal, Protocol
from uuid import UUID

from domain.deliveries import Letter, Receipt


class Connection(Protocol):
    """A way to one provider, connected and authenticated."""

    async def deliver(self, letter: Letter) -> Receipt:
        """Hand a message over. Never raises for what a provider may say."""
        ...


class Gateway(Protocol):
    """A provider."""

    @property
    def name(self) -> str:
        """Its name, as people know it."""
        ...

    def connection(self) -> AbstractAsyncContextManager[Connection]:
        """Connect. Raises Unavailable."""
        ...

    async def look_up(self, send: UUID) -> Literal["accepted", "unknown"]:
        """What the provider knows of a send whose answer was lost."""
        ...
