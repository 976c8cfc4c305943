"""The real app on this test's house, and clients with keys."""

from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from fastapi import FastAPI

from services.keys import SCOPES, Keys
from tropa.serve import api_app
from tropa.wiring import House

Client = httpx.AsyncClient
NewClient = Callable[..., Awaitable[Client]]


@pytest.fixture
def app(house: House) -> FastAPI:
    """The app, as a server would run it."""
    return api_app(house)


def client_of(app: FastAPI, **headers: str) -> Client:
    """A client that talks to the app without a socket."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return Client(transport=transport, base_url="http://tropa.test", headers=headers)


@pytest.fixture
async def api(app: FastAPI, house: House) -> AsyncIterator[Client]:
    """A client whose key may do everything."""
    key = await Keys(house.database).create("the shop", sorted(SCOPES))
    async with client_of(app, Authorization=f"Bearer {key}") as client:
        yield client


@pytest.fixture
async def stranger(app: FastAPI) -> AsyncIterator[Client]:
    """A client without a key."""
    async with client_of(app) as client:
        yield client


@pytest.fixture
async def staff(app: FastAPI, api: Client) -> AsyncIterator[Client]:
    """A browser with an open console session."""
    async with client_of(app) as browser:
        key = api.headers["Authorization"].removeprefix("Bearer ")
        entered = await browser.post("/console/sign-in", data={"key": key})
        assert entered.status_code == 303
        yield browser
