"""Simulators of providers, and our own app, served on a free port of this machine."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route


class Cut(Response):
    """An answer that promises a body and hangs up."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Hang up."""
        await send({"type": "http.response.start", "status": 201, "headers": [(b"content-length", b"1000")]})


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the tests."""
        yield


def serving(routes: Sequence[Route], **tls: str) -> contextlib.AbstractAsyncContextManager[int]:
    """Answer on a port, for as long as the block runs. `tls` are uvicorn's ssl_… settings."""
    return serving_app(Starlette(routes=routes), **tls)


@contextlib.asynccontextmanager
async def serving_app(app: Starlette, **tls: str) -> AsyncIterator[int]:
    """The same for a whole app."""
    config = uvicorn.Config(
        app,
        log_level="critical",
        access_log=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=1,
        **tls,  # type: ignore[arg-type]  # names of files
    )
    server = _Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        running = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:
            await asyncio.sleep(0.01)
        yield listening.getsockname()[1]
        server.should_exit = True
        await running
