"""Heartbeats of every activity that Temporal awaits them of, so that a worker that is gone is missed within seconds.

An activity that is over within the first moments has none. What one has told by `activity.heartbeat` is told again.
"""

import asyncio
from typing import Any

from temporalio import activity
from temporalio.worker import (
    ActivityInboundInterceptor,
    ActivityOutboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
)

BEAT = 5.0  # real seconds


class Beating(Interceptor):
    """Give this to every worker. It beats while the process and its event loop live: a statement or a call that takes
    long is no silence.
    """

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """The SDK asks for each activity that begins."""
        return _Beats(next)


class _Beats(ActivityInboundInterceptor):
    def init(self, outbound: ActivityOutboundInterceptor) -> None:
        self._heard = _Heard(outbound)
        super().init(self._heard)

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        if not activity.info().heartbeat_timeout:
            return await super().execute_activity(input)
        beating = asyncio.create_task(self._beat())
        try:
            return await super().execute_activity(input)
        finally:
            beating.cancel()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT)
            activity.heartbeat(*self._heard.last)


class _Heard(ActivityOutboundInterceptor):
    """What the activity told last."""

    last: tuple[Any, ...] = ()

    def heartbeat(self, *details: Any) -> None:
        self.last = details
        super().heartbeat(*details)
