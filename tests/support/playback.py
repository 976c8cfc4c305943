"""A journey's test bench: tells a customer's story in virtual time, with everything but Temporal real."""

import contextlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text
from temporalio.client import WorkflowHistory
from temporalio.testing import WorkflowEnvironment

from adapters.database import customers
from domain.clock import Pace
from domain.customers import Consent, ConsentStatus
from domain.deliveries import Delivery, Report
from domain.offers import Discount, Offer, OfferKind
from domain.surveys import Answer
from domain.tasks import TaskOutcome
from domain.tracking import SETTLES_AFTER
from services.surveys import Surveys
from tests.support.factories import STAFF, SettableClock, a_zone_where_it_is, an_event, compiled, settings_for
from tests.support.worlds import OnServer, World
from tropa.rehearsal.ground import Ground
from tropa.wiring import House, build
from tropa.worker import build_worker
from workflows.registry import declarations
from workflows.toolkit import Journey

INSTANT = timedelta(seconds=1)
BROWSER = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Firefox/128.0", "accept-language": "en"}


class Playback:
    """One customer, Anna, for whom it is ten in the morning when the story begins."""

    customer_id = "anna@example.com"

    def __init__(self, world: World, house: House, clock: SettableClock) -> None:
        self.house, self.clock, self._world = house, clock, world

    @classmethod
    @contextlib.asynccontextmanager
    async def on(
        cls,
        environment: WorkflowEnvironment | None,
        database_url: str,
        *,
        also: tuple[type[Journey], ...] = (),
        journeys: str = "",
        head: str = "",
        began: datetime | None = None,
        **replaced: Any,
    ) -> AsyncIterator["Playback"]:
        """A bench on a database: on the rehearsal ground, or on Temporal's time-skipping server.

        `also` are journeys of the tests' own, `journeys` those that events start (all by default), `head` is the
        address of the staff's head, `replaced` is what else `build` is to take. The ground begins at `began`, or now.
        """
        began = await environment.get_current_time() if environment else began or datetime.now(UTC)
        clock = SettableClock(began)
        house = await build(
            settings_for(database_url, journeys=journeys, head_email=head),
            clock=clock,
            pace=Pace(anchor=began),
            **{"library": compiled(), "declared": (*declarations(), *declarations(also)), **replaced},
        )
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(house.database.close)
            if environment is None:
                world: World = Ground(house, clock, also=also)
            else:
                queue = f"test-{uuid4().hex[:8]}"
                world = OnServer(environment, house, clock, queue)
                await stack.enter_async_context(build_worker(house, environment.client, task_queue=queue, also=also))
            bench = cls(world, house, clock)
            await bench.is_known()
            yield bench

    def beside(self, customer_id: str) -> "Playback":
        """The bench of somebody else, who lives through the same days in the same house."""
        other = Playback(self._world, self.house, self.clock)
        other.customer_id = customer_id
        return other

    async def has_a_phone(self, phone: str = "+4915112345678") -> None:
        """Anna has a phone, too, and said yes to WhatsApp and to texts."""
        now = self.clock.now()
        async with self.house.database.transaction() as connection:
            ours = (await customers.identify(connection, [self.customer_id], now))[self.customer_id]
            await customers.update_profile(connection, ours, {"phone": phone})
            word = Consent(status=ConsentStatus.GRANTED, at=now - timedelta(days=30), source="test")
            for channel in ("sms", "whatsapp"):
                await customers.put_consent(connection, ours, channel, word)

    async def is_known(self, *, hour: int = 10, email: str = "anna@example.com", consent: str = "granted") -> None:
        """Anna has an address, a time zone and a yes to email."""
        now = self.clock.now()
        async with self.house.database.transaction() as connection:
            ours = (await customers.identify(connection, [self.customer_id], now))[self.customer_id]
            zone = a_zone_where_it_is(hour, now)
            await customers.update_profile(connection, ours, {"email": email, "timezone": zone, "locale": "en"})
            word = Consent(status=ConsentStatus(consent), at=now - timedelta(days=30), source="test")
            await customers.put_consent(connection, ours, "email", word)

    async def has(self, **attributes: str | bool) -> None:
        """Anna's profile says more of her."""
        async with self.house.database.transaction() as connection:
            ours = (await customers.identify(connection, [self.customer_id], self.clock.now()))[self.customer_id]
            await customers.update_profile(connection, ours, {"attributes": json.dumps(attributes)})

    async def prefers(self, channel: str) -> None:
        """Anna likes one channel best."""
        async with self.house.database.transaction() as connection:
            ours = (await customers.identify(connection, [self.customer_id], self.clock.now()))[self.customer_id]
            await customers.update_profile(connection, ours, {"preferred_channel": channel})

    async def is_a_vip(self) -> None:
        """The company calls Anna a VIP."""
        await self.has(vip=True)

    async def is_held_out(self, journey: str) -> None:
        """Anna belongs to a journey's control group, as everybody does here."""
        async with self.house.database.transaction() as connection:
            query = "INSERT INTO journey_settings (journey, options) VALUES (:journey, '{\"holdout\": 1}')"
            await connection.execute(text(query), {"journey": journey})

    async def gives(self, offer: str, percent: int) -> None:
        """The shop has set up an offer, whose codes last a week."""
        given = Offer(
            name=offer,
            kind=OfferKind.GENERATED,
            prefix=offer.upper(),
            discount=Discount(percent=Decimal(percent)),
            valid_for=timedelta(days=7),
        )
        async with self.house.database.transaction() as connection:
            await self.house.offers.set(connection, given, actor=STAFF)

    async def is_entered(self, journey: str, *, about: str = "", **options: Any) -> None:
        """A colleague enters Anna into a journey, with options as JSON writes them."""
        async with self.house.database.transaction() as connection:
            await self.house.enrolling.enroll(
                connection, journey, self.customer_id, about=about, options=options, actor=STAFF
            )
        await self.catch_up()

    async def sees(self, message: str) -> None:
        """Her provider reports that she read the latest send of a message."""
        send = await self._latest_send(message)
        read = Report(
            gateway="sandbox", provider_id=f"sandbox-{send}", status="read", delivery=Delivery.READ, send=send
        )
        await self.house.reports.take(read)

    async def answers(self, message: str, *, score: int | None = None, reason: str = "", text: str = "") -> None:
        """She answers the survey of the latest send of a message, on its page."""
        token = self.house.links.survey(await self._latest_send(message)).rpartition("/")[2]
        house = self.house
        surveys = Surveys(house.database, house.clock, house.links, house.ingest, house.catalogue)
        await surveys.answer(token, Answer(score=score, reason=reason, text=text))
        await self.catch_up()

    async def clicks(self, message: str) -> None:
        """She follows the first link of the latest send of a message, in a browser."""
        token = self.house.links.click(await self._latest_send(message), 1).rpartition("/")[2]
        await self.house.tracking.clicked(await self.house.tracking.read(token), BROWSER)
        await self.after(SETTLES_AFTER)
        await self.house.tracking.settle_some()
        await self.catch_up()

    async def _latest_send(self, message: str) -> UUID:
        found = await self.rows(f"""
            SELECT s.id FROM sends s JOIN customers c ON c.id = s.customer
            WHERE c.customer_id = '{self.customer_id}' AND message = '{message}' ORDER BY slot_at DESC
        """)
        latest: UUID = found[0]["id"]
        return latest

    async def is_done(self, task: str, outcome: str = "done") -> None:
        """A colleague closes the open task of a name."""
        found = await self.rows(f"SELECT id FROM tasks WHERE name = '{task}' AND outcome IS NULL")
        async with self.house.database.transaction() as connection:
            await self.house.tasks.close(
                connection, found[-1]["id"], TaskOutcome(outcome), "Spoke of a demo", actor=STAFF
            )
        await self.catch_up()

    async def does(self, name: str, **details: Any) -> None:
        """Something happens, and everything that follows from it at once."""
        now = self.clock.now()
        details.setdefault("at", now)
        await self.house.ingest.accept([an_event(name, self.customer_id, received=now, **details)])
        await self.catch_up()

    async def catch_up(self) -> None:
        """Project and dispatch what waits, and let the walks come to rest."""
        await self._world.settle()

    async def after(self, duration: timedelta) -> None:
        """Time passes."""
        await self.until(self.clock.now() + duration + INSTANT)

    async def until(self, at: datetime) -> None:
        """Time passes, to an instant."""
        await self._world.until(at)

    async def until_next(self, most: timedelta) -> bool:
        """Time passes until something happens by itself: on the rehearsal ground, and soon enough. Answers whether."""
        assert isinstance(self._world, Ground)
        due, last = self._world.next, self.clock.now() + most
        if due is None or due > last:
            return False
        await self.until(max(due, self.clock.now()))
        return True

    async def enrollments(self) -> list[dict[str, Any]]:
        """All enrollments, oldest first."""
        return await self.rows("SELECT * FROM enrollments ORDER BY started_at, id")

    async def ending(self, journey: str = "%") -> str | None:
        """How the latest enrollment (in a journey) ended, or None while it walks."""
        latest = await self._latest(journey)
        return str(latest["outcome"] or latest["leaving"]) if latest["ended_at"] else None

    async def sent(self, journey: str = "%") -> list[str]:
        """Messages that went out (in a journey), in order."""
        query = f"""
            SELECT message FROM sends s JOIN enrollments e ON e.id = s.enrollment
            WHERE s.state = 'accepted' AND e.journey LIKE '{journey}' ORDER BY slot_at, s.id
        """
        return [row["message"] for row in await self.rows(query)]

    async def sends(self) -> list[tuple[str, str]]:
        """All sends with their states, in order."""
        query = "SELECT message, state FROM sends ORDER BY wished_at, id"
        return [(row["message"], row["state"]) for row in await self.rows(query)]

    async def _latest(self, journey: str) -> dict[str, Any]:
        return [row for row in await self.enrollments() if journey in ("%", row["journey"])][-1]

    async def words(self) -> list[str]:
        """Every decision in words, in order."""
        return [row["words"] for row in await self.rows("SELECT words FROM decisions ORDER BY id")]

    async def history(self, journey: str = "%") -> WorkflowHistory:
        """The history of the latest enrollment (in a journey)."""
        return await self._world.history((await self._latest(journey))["id"])

    async def closed(self, journey: str = "%") -> str | None:
        """How Temporal says that the latest enrollment (in a journey) closed: completed, canceled; None while open."""
        return await self._world.closed((await self._latest(journey))["id"])

    async def rows(self, query: str) -> list[dict[str, Any]]:
        """What a query finds."""
        async with self.house.database.transaction() as connection:
            return [dict(row) for row in (await connection.execute(text(query))).mappings()]

    async def close(self) -> None:
        """End every walk that still goes on."""
        await self._world.close()
