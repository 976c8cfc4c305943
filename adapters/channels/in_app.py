"""Notices that the company's own site shows: nobody is called, since what the ledger keeps is what the site reads."""

import contextlib
from collections.abc import AsyncIterator

from domain.deliveries import Letter, Lost, Receipt, Trace

NAME = "in-app"


class InAppGateway:
    """Takes every notice. It is there for the site once its claim has committed."""

    name = NAME
    can_look_up = True

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator["InAppGateway"]:
        """Ready at once."""
        yield self

    async def deliver(self, letter: Letter) -> Receipt:
        """Nothing to hand over: the claim has written it."""
        return Receipt(outcome="accepted", detail="waits for its reader", provider_id=str(letter.send_id))

    async def look_up(self, lost: Lost) -> Trace:
        """What was claimed is there."""
        return Trace(outcome="accepted", provider_ids=(str(lost.send_id),))
