"""A client that costs little: raw HTTP/1.1 over kept connections, each with one request under way."""

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator, Sequence
from typing import cast
from urllib.parse import urlsplit

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)

Answer = tuple[int, bytes]
"""Status and body."""


class Connection(asyncio.Protocol):
    """One connection. Raises ConnectionError when the server hangs up on a request."""

    def __init__(self) -> None:
        self._received = b""
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Answer] | None = None

    async def ask(self, request: bytes) -> Answer:
        """Send one request, as `request_of` makes it, and wait for its answer."""
        if self._transport is None:
            raise ConnectionError("this connection is closed")
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    @property
    def open(self) -> bool:
        """Whether the server has not hung up."""
        return self._transport is not None

    def close(self) -> None:
        """Hang up."""
        if self._transport:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, blank, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not blank or self._answer is None or len(body) < (int(length[1]) if length else 0):
            return
        self._received = b""
        self._answer.set_result((int(head[9:12]), body))

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        if self._answer and not self._answer.done():
            self._answer.set_exception(ConnectionError("the server hung up"))


async def connect(base: str) -> Connection:
    """An open connection to `base`, an http:// address."""
    url = urlsplit(base)
    return (await asyncio.get_running_loop().create_connection(Connection, url.hostname or "", url.port or 80))[1]


@contextlib.asynccontextmanager
async def connections(base: str, count: int) -> AsyncIterator[list[Connection]]:
    """Some open connections to `base`, an http:// address."""
    opened = [await connect(base) for _ in range(count)]
    try:
        yield opened
    finally:
        for connection in opened:
            connection.close()


def request_of(path: str, body: bytes, key: str, *, method: str = "POST") -> bytes:
    """A whole request as bytes."""
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def drive(opened: Sequence[Connection], requests: Sequence[bytes]) -> tuple[float, list[Answer]]:
    """Send all requests, each connection taking the next as soon as it is free. Answers seconds, and the answers."""
    waiting = iter(requests)
    answers: list[Answer] = []

    async def work(connection: Connection) -> None:
        for request in waiting:
            answers.append(await connection.ask(request))

    began = time.perf_counter()
    await asyncio.gather(*map(work, opened))
    return time.perf_counter() - began, answers
