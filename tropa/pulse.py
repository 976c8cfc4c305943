"""Whether a worker makes progress, and a page that says so: for whoever restarts what does not."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator

from temporalio.client import Client
from temporalio.service import RPCError

from adapters.pollers import ACTIVITIES, WALKS, Kind, look_at

PATIENCE = 300.0  # seconds for one round; the slowest, with a Temporal that is down, takes less than one minute
LOOK_EVERY = 30.0

log = logging.getLogger(__name__)


class Pulse:
    """When each part last ended a round. A round that failed counts: a restart mends no database and no Temporal."""

    def __init__(self) -> None:
        self._parts: dict[str, tuple[float, float]] = {}

    def beat(self, part: str, *, patience: float = PATIENCE) -> None:
        """A part has ended a round, or begins its first; the next may take `patience` seconds."""
        self._parts[part] = (time.monotonic(), patience)

    def stuck(self) -> list[str]:
        """The parts that have been at one round for too long."""
        now = time.monotonic()
        return [part for part, (last, patience) in self._parts.items() if now - last > patience]


async def watch_polls(pulse: Pulse, client: Client, task_queue: str, *, every: float = LOOK_EVERY) -> None:
    """Beat for as long as Temporal hears this worker ask for work, or cannot be asked itself."""
    pulse.beat("poll")
    while True:
        await asyncio.sleep(every)
        try:
            heard = [await _is_heard(client, task_queue, kind) for kind in (WALKS, ACTIVITIES)]
        except RPCError as error:
            log.warning("Temporal does not say who asks it for work", extra={"error": error.status.name})
            heard = []
        if all(heard):
            pulse.beat("poll")


async def _is_heard(client: Client, task_queue: str, kind: Kind) -> bool:
    polled = await look_at(client, task_queue, kind)
    return any(identity == client.identity for identity, _ in polled.workers)


@contextlib.asynccontextmanager
async def telling(pulse: Pulse, host: str, port: int) -> AsyncIterator[None]:
    """Answer every HTTP request with 200, or with 503 and what is stuck. An event loop that is stuck answers none."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
            stuck = pulse.stuck()
            status, body = ("503 Service Unavailable", "stuck: " + ", ".join(stuck)) if stuck else ("200 OK", "live")
            head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n"
            writer.write(f"{head}Connection: close\r\n\r\n{body}".encode())
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, host, port):
        yield
