"""The company's own site: a page in a browser that speaks to the API without a key."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
from fastapi import FastAPI

from domain.clock import Pace
from tests.api.conftest import client_of
from tests.support.factories import SettableClock, compiled, settings_for
from tropa.serve import api_app
from tropa.wiring import House, build

SHOP = "https://shop.example"
BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept-Language": "en",
}
VISITOR = "8f2b6a1c-3d4e-4f60-9a7b-0c1d2e3f4a5b"
OTHER = "11111111-2222-4333-8444-555555555555"


@contextlib.asynccontextmanager
async def a_house_that_starts(journeys: str, database_url: str, clock: SettableClock) -> AsyncIterator[House]:
    """A house in which events start these journeys."""
    settings = settings_for(database_url, journeys=journeys)
    built = await build(settings, clock=clock, pace=Pace(anchor=clock.now()), library=compiled())
    yield built
    await built.database.close()


def with_sites(house: House, **settings: Any) -> FastAPI:
    """The app of a company that has a site."""
    changed = house.settings.model_copy(update={"sites": [SHOP], **settings})
    return api_app(replace(house, settings=changed))


def page_of(app: FastAPI, origin: str = SHOP, **headers: str) -> httpx.AsyncClient:
    """A page of a site, in somebody's browser."""
    return client_of(app, **{**BROWSER, **({"Origin": origin} if origin else {}), **headers})


async def visits(
    client: httpx.AsyncClient, name: str = "page_viewed", visitor: str = VISITOR, **properties: Any
) -> httpx.Response:
    """A visitor does something there."""
    return await client.post("/v1/visits", json={"visitor": visitor, "name": name, "properties": properties})
