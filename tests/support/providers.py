"""A provider that does as it is told, and remembers what it was handed and when."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from domain.deliveries import Letter, Lost, Receipt, Trace

ACCEPTED = Receipt(outcome="accepted", detail="taken")
REFUSED = Receipt(outcome="refused", detail="not this one", code="550")
PERMANENT = Receipt(outcome="refused", detail="no such mailbox", code="5.1.1", permanent_for_address=True)
RETRY = Receipt(outcome="retry", detail="busy", code="421", retry_after=timedelta(seconds=7))
UNKNOWN = Receipt(outcome="unknown", detail="no answer", code="timeout")


class Crash(Exception):
    """The process went away in the middle of a call."""


@dataclass
class Call:
    """One call as the provider saw it."""

    letter: Letter
    began: float  # monotonic


@dataclass
class Provider:
    """Answers the scripted receipts in order, then accepts whom it does not refuse by address.

    `during` runs inside a call, before its answer.

    What it accepts, or took before a crash, it has; `look_up` tells so.
    """

    name: str = "scripted"
    can_look_up: bool = False
    script: list[Receipt | Crash] = field(default_factory=list)
    refuses: dict[str, Receipt] = field(default_factory=dict)
    takes_before_crash: bool = False
    lasting: float = 0.0
    on_connecting: Callable[[], Awaitable[None]] | None = None
    during: Callable[[], Awaitable[None]] | None = None
    calls: list[Call] = field(default_factory=list)
    has: set[UUID] = field(default_factory=set)
    ids: dict[UUID, tuple[str, ...]] = field(default_factory=dict)
    looked_up: list[UUID] = field(default_factory=list)

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator["Provider"]:
        """Connect."""
        if self.on_connecting:
            await self.on_connecting()
        yield self

    async def deliver(self, letter: Letter) -> Receipt:
        """Take one message, or not."""
        self.calls.append(Call(letter=letter, began=time.monotonic()))
        answer = self.script.pop(0) if self.script else self.refuses.get(letter.to, ACCEPTED)
        await asyncio.sleep(self.lasting)
        if self.during:
            await self.during()
        if isinstance(answer, Crash):
            if self.takes_before_crash:
                self.has.add(letter.send_id)
            raise answer
        if answer.outcome == "accepted":
            self.has.add(letter.send_id)
        return answer

    async def look_up(self, lost: Lost) -> Trace:
        """Whether it has the message."""
        self.looked_up.append(lost.send_id)
        if lost.send_id not in self.has:
            return Trace(outcome="absent" if self.can_look_up else "unknown")
        return Trace(outcome="accepted", provider_ids=self.ids.get(lost.send_id, ()))
