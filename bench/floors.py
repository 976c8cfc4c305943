"""What Tropa is measured against, as processes of their own: `api PORT` and `worker TEMPORAL_ADDRESS`."""

import sys

from fastapi import FastAPI, Response
from temporalio.client import Client
from temporalio.worker import Worker

from bench.floor_walk import Started, Waiting, nothing
from tropa.running import HTTP_LOOP, run, server

QUEUE = "floor"


def noop_app() -> FastAPI:
    """FastAPI with one route that takes a POST and does nothing with it."""
    app = FastAPI()

    @app.post("/noop", status_code=202)
    async def noop() -> Response:
        return Response(b"{}", 202, media_type="application/json")

    return app


async def api(port: int) -> None:
    """Serve the app as `tropa api` serves its own."""
    await server(noop_app(), host="127.0.0.1", port=port).serve()


async def worker(address: str) -> None:
    """Serve the least workflows with the SDK's own settings."""
    client = await Client.connect(address)
    await Worker(client, task_queue=QUEUE, workflows=[Started, Waiting], activities=[nothing]).run()


if __name__ == "__main__":
    which, where = sys.argv[1:]
    if which == "api":
        run(lambda: api(int(where)), loop=HTTP_LOOP)
    run(lambda: worker(where))
