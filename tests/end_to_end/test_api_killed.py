"""The API, killed while it takes events in (F01, F02): what it acknowledged is stored, and a repeat is harmless."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest

from services.keys import Keys
from tropa.embedded.ports import answers, free_port
from tropa.wiring import House

KILLS = int(os.environ.get("TROPA_KILLS", "2"))  # the catalogue's 20 take a minute
CLIENTS = 8
HELD = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event IN ('relation', 'PgSleep')"


class Api:
    """`tropa api` as a process of its own, on a port that it keeps, and a client that has a key."""

    def __init__(self, house: House, key: str) -> None:
        self._port = free_port()
        self._env = {
            **os.environ, "TROPA_DATABASE_URL": house.settings.database_url or "", "TROPA_PORT": str(self._port)
        }  # fmt: skip
        self.client = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self._port}", headers={"Authorization": f"Bearer {key}"}, timeout=10
        )

    async def start(self) -> None:
        """Start it, and wait until it answers."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tropa", "api"], env=self._env, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 60
        while not answers(self._port):
            assert self.process.poll() is None and time.monotonic() < deadline, "the API does not start"
            await asyncio.sleep(0.05)

    def kill(self) -> None:
        """As the system does when memory runs out."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    async def tell(self, *ids: str) -> dict[str, Any] | None:
        """Tell of events. None when no answer came."""
        events = [{"event_id": each, "customer_id": f"c{hash(each) % 50}", "name": "looked"} for each in ids]
        try:
            answer = await self.client.post("/v1/events", json={"events": events})
        except httpx.HTTPError:
            return None
        assert answer.status_code == 202, answer.text
        told: dict[str, Any] = answer.json()
        return told


@pytest.fixture
async def api(house: House) -> AsyncIterator[Api]:
    key = await Keys(house.database).create("the shop", ["events:write"])
    running = Api(house, key)
    await running.start()
    yield running
    await running.client.aclose()
    running.kill()


@pytest.fixture
async def database(house: House) -> AsyncIterator["asyncpg.Connection[Any]"]:
    connection = await asyncpg.connect((house.settings.database_url or "").replace("+asyncpg", ""))
    yield connection
    await connection.close()


async def stored(database: "asyncpg.Connection[Any]") -> list[str]:
    return [row["event_id"] for row in await database.fetch("SELECT event_id FROM events ORDER BY event_id")]


async def held(database: "asyncpg.Connection[Any]") -> None:
    """Wait until a statement of the API is held up in the database."""
    while not await database.fetch(HELD):
        await asyncio.sleep(0.01)


async def test_f01_killed_before_its_commit_it_has_stored_nothing_and_acknowledged_nothing(
    api: Api, database: "asyncpg.Connection[Any]"
) -> None:
    async with database.transaction():
        await database.execute("LOCK TABLE events IN EXCLUSIVE MODE")
        telling = asyncio.create_task(api.tell("e1", "e2"))
        await asyncio.wait_for(held(database), 20)
        api.kill()
        assert await telling is None

    await api.start()
    assert await stored(database) == []
    assert await api.tell("e1", "e2") == {"accepted": 2, "duplicates": 0, "rejected": []}


async def test_f02_killed_after_its_commit_a_repeat_is_a_duplicate(
    api: Api, database: "asyncpg.Connection[Any]"
) -> None:
    # A deferred trigger runs within COMMIT, so the API is killed while the database does it.
    await database.execute("""
        CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.5); RETURN NULL; END $$
    """)
    await database.execute("""
        CREATE CONSTRAINT TRIGGER dawdle AFTER INSERT ON events DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION dawdle()
    """)
    telling = asyncio.create_task(api.tell("e1"))
    await asyncio.wait_for(held(database), 20)
    api.kill()
    assert await telling is None
    while not await stored(database):
        await asyncio.sleep(0.05)
    await database.execute("DROP TRIGGER dawdle ON events")

    await api.start()
    assert await api.tell("e1") == {"accepted": 0, "duplicates": 1, "rejected": []}
    assert await stored(database) == ["e1"]


async def test_f01_f02_killed_under_load_again_and_again_every_event_is_stored_once(
    api: Api, database: "asyncpg.Connection[Any]"
) -> None:
    """2 kills instead of 20, by default; clients that repeat what was not acknowledged, as they are told to."""
    over, batches, lost, chance = asyncio.Event(), dict[int, dict[str, Any]](), 0, random.Random(1)

    async def shop(client: int) -> None:
        nonlocal lost
        number = client
        while not over.is_set():
            told = await api.tell(*(f"{number}-{n}" for n in range(3)))
            if told is None:
                lost += 1
                await asyncio.sleep(0.1)
                continue
            batches[number] = told
            number += CLIENTS

    shops = [asyncio.create_task(shop(client)) for client in range(CLIENTS)]
    for _ in range(KILLS):
        await asyncio.sleep(chance.uniform(0.3, 0.8))
        api.kill()
        await api.start()
    await asyncio.sleep(0.3)
    over.set()
    await asyncio.gather(*shops)

    acknowledged = {f"{number}-{n}" for number in batches for n in range(3)}
    assert lost >= KILLS
    assert acknowledged <= set(await stored(database))
    # A batch is one commit: stored whole before its answer was lost, or not at all.
    assert {(told["accepted"], told["duplicates"]) for told in batches.values()} <= {(3, 0), (0, 3)}
