"""What a provider must be able to do for `sending`."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from domain.deliveries import Letter, Lost, Receipt, Trace


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

    @property
    def can_look_up(self) -> bool:
        """Whether it can be asked afterwards."""
        ...

    async def look_up(self, lost: Lost) -> Trace:
        """What the provider knows of a letter whose answer was lost. Raises Unavailable."""
        ...
