"""The activity `send`: one message, for one customer, at one step."""

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from temporalio import activity
from temporalio.exceptions import ApplicationError

from domain.errors import Unavailable
from domain.sends import SendResult


@dataclass(frozen=True, kw_only=True)
class SendRequest:
    """Which message, for which step. `visit` counts how often the enrollment reached this message, from 1.

    In a `cascade`, `leg` counts the sends of one touch, from 0.
    """

    enrollment: str
    customer: str
    message: str
    visit: int
    cascade: bool = False
    leg: int = 0


class TryLater(Exception):
    """The provider certainly did not take it, and may later."""

    def __init__(self, gateway: str, code: str, after: timedelta | None) -> None:
        super().__init__(f"{gateway} is busy ({code})")
        self.gateway, self.code, self.after = gateway, code, after


class Sending(Protocol):
    """What the activity needs: reserve, render, claim, call, record."""

    async def send(self, request: SendRequest, *, started: datetime, run: str) -> SendResult:
        """See `services.sending.Sending.send`."""
        ...


class SendingActivities:
    """Sends, once each."""

    def __init__(self, sending: Sending) -> None:
        self._sending = sending

    @activity.defn
    async def send(self, request: SendRequest) -> SendResult:
        """Send a message if the contact policy lets it, once per (enrollment, message, visit, leg)."""
        info = activity.info()
        run = info.workflow_run_id or ""
        work = asyncio.ensure_future(self._sending.send(request, started=info.started_time, run=run))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            # Between claim and record nothing may interrupt, however often it is said: finish, then go.
            while not work.done():
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait([work])
            if not work.cancelled():
                work.exception()  # told nobody: the cancellation is the answer
            raise
        except TryLater as error:
            raise ApplicationError(str(error), type="TryLater", next_retry_delay=error.after) from None
        except Unavailable as error:
            raise ApplicationError(str(error), type="Unavailable") from None
