"""The real app on this test's house, and clients with keys."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from domain.clock import Pace
from services.keys import SCOPES, Keys
from tests.api.stories import enroll, know_anna
from tests.support.factories import SettableClock, compiled, settings_for
from tropa.embedded.postgres import EmbeddedPostgres
from tropa.serve import api_app
from tropa.wiring import House, build

Client = httpx.AsyncClient


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
async def walk(api: Client) -> dict[str, Any]:
    """Anna's enrollment in WelcomeChain."""
    await know_anna(api)
    entered: dict[str, Any] = (await enroll(api)).json()
    return entered


@pytest.fixture(scope="module")
async def untouched(postgres: EmbeddedPostgres, template: str) -> AsyncIterator[House]:
    """A house for a module's many questions that are all turned down, so that none sees another's traces."""
    name = f"test_{uuid4().hex[:12]}"
    postgres.create_database(name, template)
    clock = SettableClock(datetime(2026, 3, 2, 10, tzinfo=UTC))
    built = await build(
        settings_for(postgres.url(name)), clock=clock, pace=Pace(anchor=clock.now()), library=compiled()
    )
    yield built
    await built.database.close()
    postgres.drop_database(name)


@pytest.fixture(scope="module")
async def asking(untouched: House) -> AsyncIterator[Client]:
    """A client of the untouched house whose key may do everything."""
    key = await Keys(untouched.database).create("the shop", sorted(SCOPES))
    async with client_of(api_app(untouched), Authorization=f"Bearer {key}") as client:
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
