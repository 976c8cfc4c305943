"""How long it takes from an event to its letter on an idle machine, against what Temporal alone takes."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

import asyncpg
import msgspec
from temporalio.client import Client, WorkflowHandle

from bench.client import Connection, connect, request_of
from bench.figures import Figure, GateFailed, delay
from bench.floor_walk import Started, Waiting
from bench.floors import QUEUE
from bench.ingest import Say
from tests.support.factories import a_zone_where_it_is

SAMPLES = {"signal": 80, "start": 40}
PAUSE = 0.15  # seconds between samples, so that each finds an idle machine
WARM_UP = 5

Sample = Callable[[int], Awaitable[float]]


class Mailbox:
    """Notes when each letter was taken."""

    def __init__(self) -> None:
        self.taken: dict[str, list[float]] = defaultdict(list)
        self._came = asyncio.Event()

    def take(self, address: str) -> None:
        """Take a letter."""
        self.taken[address].append(time.monotonic())
        self._came.set()

    async def letter(self, address: str) -> float:
        """When the first letter to an address was taken; waits for it."""
        async with asyncio.timeout(30):
            while not self.taken[address]:
                self._came.clear()
                await self._came.wait()
        return self.taken[address][0]


class _MailServer(asyncio.Protocol):
    """As much of SMTP as a letter needs, in hardly any time: it is not the mail server that is measured."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox, self._received, self._to = mailbox, b"", ""
        self._within_letter = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(b"220 bench\r\n")

    def data_received(self, data: bytes) -> None:
        self._received += data
        while True:
            said, end, rest = self._received.partition(b"\r\n.\r\n" if self._within_letter else b"\r\n")
            if not end:
                return
            self._received = rest
            self._transport.write(self._answer(said) + b"\r\n")

    def _answer(self, said: bytes) -> bytes:
        if self._within_letter:
            self._within_letter = False
            self._mailbox.take(self._to)
        elif said == b"DATA":
            self._within_letter = True
            return b"354 go on"
        elif said.startswith(b"RCPT TO:<"):
            self._to = said[9:].partition(b">")[0].decode()
        return b"250 well"


@asynccontextmanager
async def mailbox(port: int) -> AsyncIterator[Mailbox]:
    """A mail server that takes every letter."""
    kept = Mailbox()
    async with await asyncio.get_running_loop().create_server(lambda: _MailServer(kept), "127.0.0.1", port):
        yield kept


async def measure(api: str, key: str, temporal: str, database: str, mail: Mailbox, say: Say) -> list[Figure]:
    """From a signal and from a start. `database` is a bare address. Raises GateFailed."""
    client = await Client.connect(temporal)
    async with asyncpg.create_pool(database, min_size=1, max_size=1) as pool:
        shop = _Shop(api, key, mail)
        walkers = [f"walker-{n}" for n in range(SAMPLES["signal"] + WARM_UP)]
        newcomers = [f"newcomer-{n}" for n in range(SAMPLES["start"] + WARM_UP)]
        say(f"letters: {len(walkers)} customers begin to walk ...")
        # Their greeting is refused for want of consent, so that the letter to be measured is their first touch.
        await shop.introduce(walkers, consent=False)
        for walker in walkers:
            await shop.tell(walker, "order_placed")
        waiting = [await client.start_workflow(Waiting.run, id=f"floor-{w}", task_queue=QUEUE) for w in walkers]
        await _until(pool, "SELECT count(*) = $1 FROM sends WHERE state = 'refused'", len(walkers))
        await shop.introduce(walkers + newcomers, consent=True)
        await _until(pool, "SELECT NOT EXISTS (SELECT 1 FROM events WHERE number IS NULL)")

        async def signal_floor(place: int) -> float:
            return await _bare(lambda: waiting[place].signal(Waiting.go), waiting[place])

        async def start_floor(place: int) -> float:
            bare = f"floor-{newcomers[place]}"
            return await _bare(
                lambda: client.start_workflow(Started.run, id=bare, task_queue=QUEUE),
                client.get_workflow_handle(bare),
            )

        say(f"letters: {SAMPLES['signal']} signals to waiting walks ...")
        signal = await _alternate(
            lambda place: shop.wait_for_letter(walkers[place], "setup_stuck"), signal_floor, SAMPLES["signal"]
        )
        say(f"letters: {SAMPLES['start']} starts of walks ...")
        start = await _alternate(
            lambda place: shop.wait_for_letter(newcomers[place], "order_placed"), start_floor, SAMPLES["start"]
        )
        await asyncio.sleep(1)  # for a letter that would come twice
        await _check(pool, mail, walkers + newcomers)
    return [
        delay("event to message, signal", 0.5, *signal),
        delay("event to message, signal", 0.95, *signal, at_most=2.5),
        delay("event to message, start", 0.5, *start),
        delay("event to message, start", 0.95, *start),
    ]


class _Shop:
    """Tells Tropa what its customers do, over one connection."""

    def __init__(self, api: str, key: str, mail: Mailbox) -> None:
        self._api, self._key, self._mail = api, key, mail
        self._connection: Connection | None = None
        self._noon = a_zone_where_it_is(12, datetime.now(UTC))

    async def introduce(self, customers: Sequence[str], *, consent: bool) -> None:
        """Make customers known, in whose zone it is no quiet hour."""
        for customer in customers:
            profile: dict[str, Any] = {"email": _address(customer), "timezone": self._noon}
            if consent:
                profile["consents"] = {"email": {"status": "granted", "source": "bench"}}
            await self._ask(f"/v1/customers/{customer}", profile, method="PUT")

    async def tell(self, customer: str, name: str) -> None:
        """Something happened."""
        event = {"event_id": uuid4().hex, "customer_id": customer, "name": name}
        await self._ask("/v1/events", {"events": [event]})

    async def wait_for_letter(self, customer: str, name: str) -> float:
        """Seconds from telling that something happened until the letter about it is taken."""
        began = time.monotonic()
        await self.tell(customer, name)
        return await self._mail.letter(_address(customer)) - began

    async def _ask(self, path: str, body: object, *, method: str = "POST") -> None:
        request = request_of(path, msgspec.json.encode(body), self._key, method=method)
        if not self._connection or not self._connection.open:  # servers hang up on the idle
            self._connection = await connect(self._api)
        status, answer = await self._connection.ask(request)
        if status >= 300:
            raise GateFailed(f"{method} {path} was answered with {status} {answer[:200]!r}")


def _address(customer: str) -> str:
    return f"{customer}@example.com"


async def _alternate(ours: Sample, floor: Sample, count: int) -> tuple[list[float], list[float]]:
    """Samples of both in turns; the first few warm up."""
    taken: list[tuple[float, float]] = []
    for place in range(count + WARM_UP):
        mine = await ours(place)
        await asyncio.sleep(PAUSE)
        taken.append((mine, await floor(place)))
    kept = taken[WARM_UP:]
    return [mine for mine, _ in kept], [theirs for _, theirs in kept]


async def _bare(begin: Callable[[], Awaitable[object]], walk: WorkflowHandle[Any, Any]) -> float:
    """Seconds from telling Temporal something until the activity ran. The result is asked for only afterwards."""
    began = time.monotonic()
    await begin()
    await asyncio.sleep(PAUSE)
    ran: float = await walk.result()
    return ran - began


async def _until(pool: "asyncpg.Pool[Any]", query: str, *values: object) -> None:
    async with asyncio.timeout(120):
        while not await pool.fetchval(query, *values):  # noqa: ASYNC110  it is the database that changes
            await asyncio.sleep(0.1)
    await asyncio.sleep(1)  # for what follows from it


async def _check(pool: "asyncpg.Pool[Any]", mail: Mailbox, customers: Sequence[str]) -> None:
    """Each customer got one letter, and the ledger says the same."""
    letters = {address: len(times) for address, times in mail.taken.items() if times}
    if letters != {_address(customer): 1 for customer in customers}:
        raise GateFailed(f"not exactly one letter each: {letters}")
    accepted = await pool.fetchval("SELECT count(*) FROM sends WHERE state = 'accepted'")
    if accepted != len(customers):
        raise GateFailed(f"{len(customers)} letters were taken, and the ledger knows {accepted}")
