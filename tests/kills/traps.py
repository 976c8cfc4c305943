"""A trap in a worker's own process: it kills or freezes the process at one exact point of a send.

It is laid into the product's classes from outside, in a process that is there to die; the product knows nothing of it.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import httpx
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.sending import SendRequest
from adapters.channels.twilio import TwilioGateway
from adapters.channels.twilio_transport import Transport
from adapters.database import sends
from adapters.database.connection import Database
from domain.deliveries import Letter, Receipt
from domain.sends import SendResult
from services.sending import Sending
from tests.kills.points import Point

# Which point lies before and which behind the commit of a transaction, told by what it wrote into the ledger.
COMMITS = {
    "put": (Point.RESERVING, Point.RESERVED),
    "claim": (Point.CLAIMING, Point.CLAIMED),
    "record": (Point.RECORDING, Point.RECORDED),
}
_whose: ContextVar[str] = ContextVar("whose", default="")
_wrote: ContextVar[str] = ContextVar("wrote", default="")


@dataclass(frozen=True, kw_only=True)
class Death:
    """Die at a point of this customer's send."""

    point: Point
    customer: str


@dataclass(frozen=True, kw_only=True)
class Freeze:
    """Stand still once this many sends are at a point. Whoever sent the worker to sleep wakes it."""

    point: Point
    sends: int


class Trap:
    """Knows where it is to spring."""

    def __init__(self, order: Death | Freeze) -> None:
        self._order = order
        self._here, self._thawed = 0, asyncio.Event()

    async def reach(self, point: Point) -> None:
        """The send that is going on is at a point."""
        order, customer = self._order, _whose.get()
        if point is not order.point or not customer:
            return
        if isinstance(order, Death):
            if customer == order.customer:
                os.kill(os.getpid(), signal.SIGKILL)
            return
        self._here += 1
        if self._here == order.sends:
            os.kill(os.getpid(), signal.SIGSTOP)
            self._thawed.set()
        await self._thawed.wait()

    def lay(self) -> None:
        """Put it into this process, which does not get rid of it any more."""
        self._lay_into_the_send()
        self._lay_into_transactions()
        self._lay_into_the_call()

    def _lay_into_the_send(self) -> None:
        send, reach = Sending.send, self.reach

        async def sending(self: Sending, request: SendRequest, **more: Any) -> SendResult:
            _whose.set(request.customer)
            await reach(Point.ARRIVED)
            return await send(self, request, **more)

        patch.object(Sending, "send", sending).start()

    def _lay_into_transactions(self) -> None:
        transaction, reach = Database.transaction, self.reach

        @contextlib.asynccontextmanager
        async def telling(self: Database) -> AsyncIterator[AsyncConnection]:
            _wrote.set("")
            async with transaction(self) as connection:
                yield connection
                before, behind = COMMITS.get(_wrote.get(), (None, None))
                if before:
                    await reach(before)
            if behind:
                await reach(behind)

        patch.object(Database, "transaction", telling).start()
        for name in COMMITS:
            patch.object(sends, name, _noting(name)).start()

    def _lay_into_the_call(self) -> None:
        connect, deliver, begin, reach = TwilioGateway.connection, TwilioGateway.deliver, Transport.__init__, self.reach

        @contextlib.asynccontextmanager
        async def connecting(self: TwilioGateway) -> AsyncIterator[TwilioGateway]:
            await reach(Point.WRITTEN)
            async with connect(self) as connection:
                await reach(Point.CONNECTED)
                yield connection

        async def delivering(self: TwilioGateway, letter: Letter) -> Receipt:
            receipt = await deliver(self, letter)
            await reach(Point.ANSWERED)
            return receipt

        async def follow(event: str, _: dict[str, Any]) -> None:
            if event == "http11.send_request_body.started":  # the headers are gone, the text is not
                await reach(Point.CALLING)

        async def watch(request: httpx.Request) -> None:
            if request.method == "POST":
                request.extensions["trace"] = follow

        def beginning(self: Transport, *what: Any, **more: Any) -> None:
            begin(self, *what, **more)
            self._client.event_hooks = {"request": [watch]}

        patch.object(TwilioGateway, "connection", connecting).start()
        patch.object(TwilioGateway, "deliver", delivering).start()
        patch.object(Transport, "__init__", beginning).start()


def _noting(name: str) -> Any:
    write = getattr(sends, name)

    async def noting(*what: Any, **more: Any) -> Any:
        _wrote.set(name)
        return await write(*what, **more)

    return noting
