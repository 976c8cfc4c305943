"""Cases of the failure catalogue at its numbers: events in any order, poison, and the faults of a mail server.

The other cases are beside what they are about; docs/faults.md lists all.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from email import message_from_bytes
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from activities.sending import TryLater
from adapters.channels.email import EmailGateway
from domain.messages import Channel
from domain.sends import SendResult, SendState
from services.sending import Sending
from tests.services.bench import Bench
from tests.services.test_project import poison, projecting
from tests.support.factories import an_event
from tests.support.mail_server import Mailbox, mail_server
from tests.support.providers import PERMANENT

MANY = 50  # the catalogue says 100 and 500; each is a story of its own, so 50 show it as well
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
COUNTED = ("order_placed", "feature_used", "activated", "looked")  # nobody starts or ends anything by these


# Events --------------------------------------------------------------------------------------------------------------


async def known(bench: Bench) -> list[dict[str, Any]]:
    return await bench.rows(
        """SELECT customer_id, events, orders, last_order_at, feature_used_at, activated_at
           FROM customers ORDER BY customer_id"""
    )


async def test_f04_a_thousand_events_of_fifty_sources_in_any_order_make_the_same_customers(bench: Bench) -> None:
    """What is counted and dated is free of order; what starts and ends walks is not: see design 4.7 for old news."""
    now, chance = bench.clock.now(), random.Random(4)
    happened = [
        an_event(
            COUNTED[n % 4], f"c{n % 20}", event_id=f"e{n}", at=now - chance.random() * 30 * DAY, source=f"s{n // 20}"
        )
        for n in range(1000)
    ]
    await bench.ingest.accept(happened)
    await bench.project()
    in_order = await known(bench)
    await bench.change("TRUNCATE events, customers CASCADE")

    told = asyncio.Event()

    async def source(name: str) -> None:
        mine = [event for event in happened if event.source == name]
        chance.shuffle(mine)
        for event in mine:
            await bench.ingest.accept([event])

    async def all_sources() -> None:
        await asyncio.gather(*(source(f"s{n}") for n in range(50)))
        told.set()

    await asyncio.gather(all_sources(), projecting(bench, told, 2))
    await bench.project()

    assert await known(bench) == in_order
    assert sum(row["events"] for row in in_order) == 1000


async def test_f20_one_poison_in_a_thousand_costs_itself_alone(bench: Bench) -> None:
    now = bench.clock.now()
    batch = [an_event("looked", f"c{n % 100}", event_id=f"e{n}", at=now + n * MINUTE / 60) for n in range(999)]
    await bench.ingest.accept([*batch[:500], poison("poison", "c7", at=now), *batch[500:]])

    await bench.project()

    counted = await bench.rows("SELECT count(number) AS handled, count(quarantined) AS aside FROM events")
    assert counted == [{"handled": 999, "aside": 1}]
    assert await bench.project() == 0


# Sends ---------------------------------------------------------------------------------------------------------------


async def many_walks(bench: Bench, count: int = MANY) -> dict[str, str]:
    return {f"c{n}": await bench.a_walk(f"c{n}") for n in range(count)}


async def send_all(bench: Bench, walks: dict[str, str], by: Sending | None = None) -> list[SendResult]:
    """Each customer's note, as the worker does it: some at a time, and again when it may be tried later."""
    gate = asyncio.Semaphore(8)

    async def send(customer: str, walk: str) -> SendResult:
        async with gate:
            while True:
                try:
                    return await bench.send(walk, customer=customer, by=by)
                except TryLater:
                    continue

    return await asyncio.gather(*(send(customer, walk) for customer, walk in walks.items()))


@asynccontextmanager
async def by_mail(bench: Bench, mailbox: Mailbox) -> AsyncIterator[Sending]:
    """Sending over SMTP."""
    with mail_server(mailbox) as address:
        gateway = EmailGateway(f"smtp://{address}", "Acme <bounce@acme.test>")
        yield bench.sender(gateways={Channel.EMAIL: gateway})
        await gateway.close()


def message_ids(mailbox: Mailbox) -> list[str]:
    return [str(message_from_bytes(letter.original_content or b"")["Message-ID"]) for letter in mailbox.letters]


async def test_f15_fifty_links_lost_after_the_final_dot_are_fifty_letters(bench: Bench) -> None:
    async def hang_up(server: SMTP) -> str:
        assert server.transport is not None
        server.transport.close()
        return "250 never seen"

    mailbox, walks = Mailbox(), await many_walks(bench)
    mailbox.at_dot = hang_up
    async with by_mail(bench, mailbox) as sending:
        first = await send_all(bench, walks, sending)
        again = await send_all(bench, walks, sending)

    assert {result.state for result in (*first, *again)} == {SendState.UNKNOWN}
    assert (len(mailbox.letters), len(set(message_ids(mailbox)))) == (MANY, MANY)


class Putting(Mailbox):
    """Puts off the first try of every letter, in the four ways in which it has certainly not taken it."""

    def __init__(self, ways: Iterator[str]) -> None:
        super().__init__()
        self.ways, self.tried = ways, Counter[str]()

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.tried[address] += 1
        way = next(self.ways) if self.tried[address] == 1 else "take"
        match way:
            case "hang up":
                assert server.transport is not None
                server.transport.close()
            case "421" | "450":
                return f"{way} 4.3.2 not now"
        envelope.rcpt_tos.append(address)
        envelope.way = way  # type: ignore[attr-defined]  # for DATA
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if envelope.way == "451":  # type: ignore[attr-defined]
            return "451 4.3.0 not now"
        return await super().handle_DATA(server, session, envelope)


async def test_f16_f17_letters_put_off_are_delivered_once_each(bench: Bench) -> None:
    ways = (["hang up", "421", "450", "451"] * MANY)[:MANY]
    random.Random(16).shuffle(ways)
    mailbox, walks = Putting(iter(ways)), await many_walks(bench)

    async with by_mail(bench, mailbox) as sending:
        results = await send_all(bench, walks, sending)

    assert {result.state for result in results} == {SendState.ACCEPTED}
    assert Counter(letter.rcpt_tos[0] for letter in mailbox.letters) == {f"{c}@example.com": 1 for c in walks}
    assert (len(set(message_ids(mailbox))), set(mailbox.tried.values())) == (MANY, {2})


async def test_f23_one_bad_recipient_among_many_costs_only_itself(bench: Bench) -> None:
    walks = await many_walks(bench)
    bench.email.refuses = {"c41@example.com": PERMANENT}

    first = await send_all(bench, walks)
    again = await send_all(bench, walks)

    assert Counter(result.state for result in first) == {SendState.ACCEPTED: MANY - 1, SendState.FAILED: 1}
    assert again == first
    assert len(bench.email.calls) == MANY
