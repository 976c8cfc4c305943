"""Running the worker and the API as processes, and leaving them cleanly."""

import asyncio
import contextlib
import gc
import logging
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.loops.auto import auto_loop_factory

from adapters.releases import Releases
from adapters.schedules import ensure_audience_export, ensure_daily_sweep
from adapters.settings import Settings
from adapters.temporal import TASK_QUEUE, connect, ensure_search_attributes
from domain.durations import parse_duration
from domain.errors import TropaError
from tropa.leaving import leave
from tropa.pulse import Pulse, telling, watch_polls
from tropa.serve import api_app
from tropa.turn import Turn
from tropa.wiring import build
from tropa.worker import build_worker, pumping

LoopFactory = Callable[[], asyncio.AbstractEventLoop]
HTTP_LOOP = auto_loop_factory()
"""The event loop that uvicorn would choose. The worker keeps asyncio's own, whose buffers the mail gateway watches."""

log = logging.getLogger(__name__)


def run(main: Callable[[], Coroutine[Any, Any, None]], *, loop: LoopFactory | None = None) -> None:
    """Run a command's coroutine and leave. What Tropa raises on purpose is told in its own words."""
    code = 0
    try:
        with asyncio.Runner(loop_factory=loop) as runner:
            runner.run(main())
    except TropaError as error:
        print(error, file=sys.stderr)  # noqa: T201  the command line speaks
        code = 1
    except KeyboardInterrupt:
        code = 130
    except Exception:  # told by the log, which keeps an exception's type and place and drops its message
        log.exception("ended by a failure")
        code = 1
    leave(code)


def keep_what_is_built() -> None:
    """Never look for garbage again in what was built at start.

    Over a hundred thousand objects live as long as the process, and a full collection that walks them stops it for a
    tenth of a second.
    """
    gc.collect()
    gc.freeze()


async def worker(settings: Settings) -> None:
    """Serve walks and activities, and pump, until SIGTERM or SIGINT."""
    house = await build(settings)
    metrics = f"{settings.host}:{settings.metrics_port}" if settings.metrics_port else None
    client = await connect(settings.temporal_address or "", namespace=settings.temporal_namespace, metrics=metrics)
    await ensure_search_attributes(client)
    await ensure_daily_sweep(client, house.pace, settings.timezone)
    every = parse_duration(settings.audiences_every) if settings.audiences else None
    await ensure_audience_export(client, house.pace, settings.timezone, every)
    stop = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    pulse = Pulse()
    async with contextlib.AsyncExitStack() as stack:
        if settings.live_port:
            await stack.enter_async_context(telling(pulse, settings.host, settings.live_port))
        await stack.enter_async_context(build_worker(house, client, release=settings.release))
        turn = Turn(Releases(client, TASK_QUEUE), settings.release)
        await turn.look()
        if settings.release and turn.current != settings.release:
            log.warning("this release gets no walks before `tropa release`", extra={"release": settings.release})
        pumps = pumping(house, client, reconcile_every=settings.reconcile_every, pulse=pulse, turn=turn)
        await stack.enter_async_context(pumps)
        watching = [asyncio.create_task(each) for each in (watch_polls(pulse, client, TASK_QUEUE), turn.watch())]
        keep_what_is_built()
        log.info("worker is up")
        await stop.wait()
        for task in watching:
            task.cancel()
        log.info("worker stops: finishing what it began")
    await house.close()


async def api(settings: Settings) -> None:
    """Serve the API and the pages until SIGTERM or SIGINT."""
    house = await build(settings)
    serving = server(api_app(house), host=settings.host, port=settings.port)
    keep_what_is_built()
    await serving.serve()
    await house.close()


def server(app: FastAPI, *, host: str, port: int) -> uvicorn.Server:
    """An HTTP server that says nothing of itself and believes no proxy."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            access_log=False,
            log_config=None,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=10,
        )
    )
