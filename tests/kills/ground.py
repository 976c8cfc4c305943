"""The ground that a storm goes over: customers, providers and the API live here and are never killed; workers are.

The providers are the judges: what they took is what a customer would have got.
"""

import asyncio
import contextlib
import multiprocessing
import shutil
import signal
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any
from uuid import uuid4

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import text
from temporalio.client import Client

from adapters.database import customers
from adapters.settings import Settings
from adapters.templates import MESSAGES, MessageLibrary
from adapters.temporal import connect
from domain.customers import Consent, ConsentStatus
from domain.messages import Channel
from tests.api.texting import connect as let_it_call
from tests.kills.victim import Orders, work
from tests.support.factories import TEXTING, a_zone_where_it_is, an_event, settings_for
from tests.support.twilio_simulator import SENDER, SID, TOKEN, Twilio, simulating
from tropa.embedded.ports import free_port
from tropa.serve import api_app
from tropa.wiring import House, build

PUBLIC = "https://shop.test"
TOLD_AFTER = 1.0  # seconds between a text and its report

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["tests.kills.victim"])


@dataclass(frozen=True, kw_only=True)
class Person:
    """A customer who is due one greeting. `told`: whether the provider reports on it."""

    number: int
    customer: str
    channel: Channel
    told: bool

    @property
    def customer_id(self) -> str:
        """The company's own name for them."""
        return f"person-{self.number}"

    @property
    def address(self) -> str:
        """Where the greeting goes."""
        return address_of(self.number, self.channel)


def address_of(number: int, channel: Channel) -> str:
    """The phone or mailbox of a person."""
    return f"+4930{9_000_000 + number}" if channel is Channel.SMS else f"person-{number}@example.com"


@dataclass
class Mail:
    """A mail server. What it has taken stays taken, whoever dies before the answer."""

    doomed: dict[str, BaseProcess]
    ours: asyncio.AbstractEventLoop  # which watches the workers; this server has a thread and a loop of its own
    taken: list[tuple[str, str]] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """The final dot was there."""
        address = envelope.rcpt_tos[0]
        self.taken.append((address, str(message_from_bytes(envelope.original_content or b"")["Message-ID"])))
        if process := self.doomed.pop(address, None):
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(killed(process), self.ours))
        return "250 kept"


@dataclass
class Ground:
    """Everything that stays. `doomed`: which worker a provider kills, instead of answering it, by address."""

    house: House
    temporal: Client
    twilio: Twilio
    mail: Mail
    orders: Orders
    doomed: dict[str, BaseProcess]
    people: dict[str, Person] = field(default_factory=dict)
    reports: list[asyncio.Task[None]] = field(default_factory=list)

    # Doing -----------------------------------------------------------------------------------------------------------

    async def settle_people(self, count: int, channel: Channel = Channel.SMS) -> list[Person]:
        """New customers with an address and a yes, for whom it is ten in the morning. Reports come on every other."""
        now, numbers = self.house.clock.now(), range(len(self.people), len(self.people) + count)
        column = "phone" if channel is Channel.SMS else "email"
        async with self.house.database.transaction() as connection:
            ours = await customers.identify(connection, [f"person-{number}" for number in numbers], now)
            found = [Person(number=n, customer=ours[f"person-{n}"], channel=channel, told=n % 2 == 0) for n in numbers]
            for person in found:
                zone = a_zone_where_it_is(10, now)
                await customers.update_profile(connection, person.customer, {column: person.address, "timezone": zone})
                word = Consent(status=ConsentStatus.GRANTED, at=now, source="test")
                await customers.put_consent(connection, person.customer, channel.value, word)
        self.people |= {person.address: person for person in found}
        return found

    async def happens(self, name: str, *people: Person) -> None:
        """The same happens to each."""
        now = self.house.clock.now()
        await self.house.ingest.accept([an_event(name, person.customer_id, at=now) for person in people])

    @contextlib.contextmanager
    def worker(self, **orders: Any) -> Iterator[BaseProcess]:
        """A worker, which does not outlive the block."""
        process = _forks.Process(target=work, args=(Orders(**{**vars(self.orders), **orders}),), daemon=True)
        process.start()
        try:
            yield process
        finally:
            process.kill()
            process.join()

    async def forget_the_unique_key(self) -> None:
        """For a bug that would otherwise be stopped by the database itself."""
        async with self.house.database.transaction() as connection:
            query = "SELECT conname FROM pg_constraint WHERE conrelid = 'sends'::regclass AND contype = 'u'"
            for name in (await connection.execute(text(query))).scalars().all():
                await connection.execute(text(f"ALTER TABLE sends DROP CONSTRAINT {name}"))

    # Looking ---------------------------------------------------------------------------------------------------------

    async def ledger(self) -> dict[str, list[dict[str, Any]]]:
        """What the ledger has of each customer."""
        query = text("SELECT customer, state, rule, provider_id FROM sends ORDER BY wished_at")
        found = defaultdict(list)
        async with self.house.database.transaction() as connection:
            for row in (await connection.execute(query)).mappings():
                found[row["customer"]].append(dict(row))
        return found

    async def goes_on(self, person: Person) -> bool:
        """Whether the walk has heard what became of the greeting and waits for its next step, or is over."""
        async with self.house.database.transaction() as connection:
            query = text("SELECT id FROM enrollments WHERE customer = :customer")
            found = (await connection.execute(query, {"customer": person.customer})).scalar_one()
        description = (await self.temporal.get_workflow_handle(found).describe()).raw_description
        return not description.pending_activities and not description.HasField("pending_workflow_task")

    def taken(self, person: Person) -> list[str]:
        """The provider's ids of what it took for somebody."""
        if person.channel is Channel.EMAIL:
            return [message_id for address, message_id in self.mail.taken if address == person.address]
        return [message["sid"] for message in self.twilio.messages if message["to"] == person.address]

    # The provider ----------------------------------------------------------------------------------------------------

    async def accept(self, message: dict[str, Any]) -> None:
        """Twilio took a text, and has not answered yet."""
        if self.people[message["to"]].told:
            self.reports.append(asyncio.create_task(self._report(message)))
        if process := self.doomed.pop(message["to"], None):
            await killed(process)

    async def _report(self, message: dict[str, Any]) -> None:
        await asyncio.sleep(TOLD_AFTER)
        answered = await self.twilio.report(message, "delivered")
        assert answered == 204, f"the API turned a report down ({answered})"


async def killed(process: BaseProcess) -> None:
    """Kill, and see it dead: nothing that is answered from here on reaches it."""
    process.kill()
    await death_of(process)


async def death_of(process: BaseProcess, within: float = 180) -> None:
    """Wait for a process to be killed. Raises AssertionError when it lives on, or ends in another way."""
    deadline = time.monotonic() + within
    while process.is_alive():
        assert time.monotonic() < deadline, "the worker never came to the point at which it is to die"
        await asyncio.sleep(0.01)
    assert process.exitcode == -signal.SIGKILL, f"the worker ended by itself ({process.exitcode})"


def greetings_in(folder: Path) -> MessageLibrary:
    """The real greeting and no more; it goes by text to those who have a phone, by mail to the others."""
    greeting = folder / "welcome_chain" / "greeting"
    shutil.copytree(MESSAGES / "welcome_chain" / "greeting", greeting)
    for shared in ("layout.mjml", "words.toml", "topics.toml"):
        shutil.copy(MESSAGES / shared, folder)
    declared = (greeting / "message.toml").read_text()
    (greeting / "message.toml").write_text(declared.replace('["email"]', '["sms", "email"]'))
    for locale in ("en", "ru"):
        (greeting / f"sms.{locale}.txt").write_text("Hello, {{ customer.first_name or 'friend' }}!")
    return MessageLibrary(folder)


@contextlib.asynccontextmanager
async def prepared(
    database_url: str, temporal: str, folder: Path, log: Path, *, pace: float, hurry: float | None = None
) -> AsyncIterator[Ground]:
    """The ground on a migrated database and a running Temporal. `folder` is for templates, `log` for what workers say.

    `pace` and `hurry`: business seconds in a real one, and real seconds in place of each minute that workers wait.
    """
    library, doomed = greetings_in(folder), dict[str, BaseProcess]()
    mail = Mail(doomed, asyncio.get_running_loop())
    smtp = Controller(mail, hostname="127.0.0.1", port=free_port())
    smtp.start()
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(smtp.stop)
        twilio = await stack.enter_async_context(simulating())
        settings: Settings = settings_for(
            database_url,
            pace=pace,
            reconcile_every=hurry or 5.0,
            public_url=PUBLIC,
            smtp_url=f"smtp://127.0.0.1:{smtp.port}",
            twilio_account_sid=SID,
            twilio_auth_token=TOKEN,
            twilio_from=SENDER,
            twilio_base_url=twilio.base_url,
        )
        house = await build(settings, library=library, policy=TEXTING)
        stack.push_async_callback(house.close)
        let_it_call(twilio, api_app(house))
        orders = Orders(
            settings=settings,
            templates=folder,
            temporal=temporal,
            queue=f"storm-{uuid4().hex[:8]}",
            log=log,
            hurry=hurry,
        )
        ground = Ground(
            house=house,
            temporal=await connect(temporal),
            twilio=twilio,
            mail=mail,
            orders=orders,
            doomed=doomed,
        )
        twilio.before_answering = ground.accept
        yield ground
        await asyncio.gather(*ground.reports)
