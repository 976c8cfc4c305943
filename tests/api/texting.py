"""A house whose greetings are texts by Twilio, in whose place the simulator stands."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import text

from adapters.templates import MESSAGES, MessageLibrary
from domain.clock import Pace
from domain.sends import SendResult
from services.reconcile import Reconciler
from tests.api.stories import ANNA, enroll, know_anna, rows, send
from tests.support.factories import TEXTING, SettableClock, settings_for
from tests.support.twilio_simulator import SENDER, SID, TOKEN, Twilio
from tropa.wiring import House, build

PUBLIC = "https://shop.test"
PHONE = "+4930901820"
GRANTED = {"sms": {"status": "granted", "source": "sign-up form"}}


def texts_in(folder: Path) -> MessageLibrary:
    """The real messages, but greetings are texts."""
    shutil.copytree(MESSAGES, folder)
    greeting = folder / "welcome_chain" / "greeting"
    declared = (greeting / "message.toml").read_text()
    (greeting / "message.toml").write_text(declared.replace('["email"]', '["sms"]'))
    for letter in greeting.glob("*.mjml"):
        letter.unlink()
    (greeting / "sms.en.txt").write_text("Hello, {{ customer.first_name or 'friend' }}!")
    (greeting / "sms.ru.txt").write_text("Здравствуйте!")
    return MessageLibrary(folder)


async def texting_house(
    database_url: str, clock: SettableClock, library: MessageLibrary, twilio: Twilio, **settings_too: str
) -> AsyncIterator[House]:
    """A house with Twilio in its settings."""
    account = {
        "public_url": PUBLIC,
        "twilio_account_sid": SID,
        "twilio_auth_token": TOKEN,
        "twilio_from": SENDER,
        "twilio_per_second": "1000",
        "twilio_base_url": twilio.base_url,
    }
    settings = settings_for(database_url, **account | settings_too)
    built = await build(settings, clock=clock, pace=Pace(anchor=clock.now()), library=library, policy=TEXTING)
    yield built
    for gateway in built.sending._gateways.values():
        if hasattr(gateway, "close"):
            await gateway.close()
    await built.database.close()


def connect(twilio: Twilio, app: FastAPI) -> None:
    """Let the simulator call the app, as Twilio calls the public address."""

    async def post(url: str, fields: dict[str, str], headers: dict[str, str]) -> int:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        # Behind a proxy: the app itself sees another scheme and another host.
        async with httpx.AsyncClient(transport=transport, base_url="http://inside:8080") as client:
            answered = await client.post(url.removeprefix(PUBLIC), data=fields, headers=headers)
        return answered.status_code

    twilio.post = post


class Quiet:
    """In Temporal's place: nothing was closed or restarted."""

    async def list_workflows(self, query: str) -> AsyncIterator[None]:
        """None."""
        return
        yield


@dataclass
class Texting:
    """What a story about texts needs."""

    api: httpx.AsyncClient
    house: House
    clock: SettableClock
    twilio: Twilio

    async def greet(self, customer_id: str = ANNA, phone: str = PHONE) -> SendResult:
        """Somebody is sent a greeting."""
        await know_anna(self.api, customer_id, phone=phone, consents=GRANTED)
        enrollment = (await enroll(self.api, customer_id)).json()
        return await send(self.house, enrollment, "greeting", self.clock.now())

    async def again(self, visit: int = 2) -> SendResult:
        """Anna's greeting once more."""
        enrollment = (await rows(self.house, "SELECT id FROM enrollments"))[0]
        return await send(self.house, enrollment, "greeting", self.clock.now(), visit=visit)

    async def ledger(self) -> dict[str, Any]:
        """The first send."""
        return (await rows(self.house, "SELECT * FROM sends ORDER BY wished_at LIMIT 1"))[0]

    async def reconcile(self) -> None:
        """One round of the reconciler, a while later by the machine's clock."""
        async with self.house.database.transaction() as connection:
            await connection.execute(text("UPDATE sends SET claimed_at = claimed_at - interval '90 seconds'"))
        quiet: Any = Quiet()
        house = self.house
        await Reconciler(house.database, house.clock, quiet, house.sending, house.reports, house.offers).reconcile()

    async def told(self, locale: str = "en", kind: str = "send") -> list[str]:
        """The timeline's sentences about sends, oldest first."""
        page = await self.api.get(f"/v1/customers/{ANNA}/timeline", params={"locale": locale})
        return [entry["text"] for entry in reversed(page.json()["entries"]) if entry["kind"] == kind]

    async def consent(self, customer_id: str = ANNA) -> dict[str, Any]:
        """What somebody said about texts."""
        found: dict[str, Any] = (await self.api.get(f"/v1/customers/{customer_id}")).json()["consents"]["sms"]
        return found
