"""Mail filters and link scanners on every public link: whatever they fetch, no state changes (RFC 8058, S96)."""

from collections.abc import AsyncIterator, Mapping

import httpx
import pytest
from sqlalchemy import text

from adapters.vapid import new_private_key
from domain.clock import Pace
from domain.messages import Channel
from tests.api.stories import ANNA, ask_for_a_score, enroll, know_anna, rows, send
from tests.support.factories import SettableClock, compiled, settings_for
from tropa.wiring import House, build

SCANNERS = (
    {"User-Agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36"},
    {"User-Agent": "Barracuda Sentinel (EE)", "Purpose": "prefetch"},
    {"User-Agent": "Mimecast-URL-Protect", "X-Moz": "prefetch"},
    {"User-Agent": "", "Sec-Purpose": "prefetch;prerender"},
)
COUNTED = {"hits"}  # that a link was fetched is written down; it changes nothing about anybody


@pytest.fixture
async def house(database_url: str, clock: SettableClock) -> AsyncIterator[House]:
    settings = settings_for(database_url, public_url="http://tropa.test", vapid_private_key=new_private_key())
    built = await build(settings, clock=clock, pace=Pace(anchor=clock.now()), library=compiled())
    yield built
    await built.close()


async def everything(house: House) -> Mapping[str, object]:
    """Every row of every table that says something of somebody."""
    tables = [
        row["name"] for row in await rows(house, "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'")
    ]
    async with house.database.transaction() as connection:
        return {
            table: sorted((await connection.execute(text(f'SELECT t::text FROM "{table}" t'))).scalars())
            for table in tables
            if table not in COUNTED
        }


async def links(api: httpx.AsyncClient, house: House) -> Mapping[str, str]:
    """All public links of somebody who has one letter and was asked to confirm their address."""
    anna = await know_anna(api)
    walk = (await enroll(api)).json()
    await send(house, walk, "greeting", house.clock.now())
    await know_anna(api, "boris", email="boris@example.com", consents={"email": {"status": "pending"}})
    await house.projector.project_some()
    (letter,) = await rows(house, "SELECT id FROM sends")
    await know_anna(api, "carl", email="carl@example.com")
    ours, now = anna["id"], house.clock.now()
    boris = (await rows(house, "SELECT id FROM customers WHERE customer_id = 'boris'"))[0]["id"]
    return {
        "unsubscribe": house.links.unsubscribe(ours, Channel.EMAIL),
        "preferences": house.links.preferences(ours),
        "confirm": house.links.confirm(boris, "boris@example.com", now),
        "push": house.links.web_push(ours, now) or "",
        "notices": house.links.in_app(ours, now),
        "click": house.links.click(letter["id"], 1),
        "bait": house.links.click(letter["id"], 0),
        "survey": house.links.survey(await ask_for_a_score(api, house, "carl")) + "?score=9",
        "open": house.links.open(letter["id"]),
    }


async def test_fetched_a_hundred_times_by_whomever_nothing_changes(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House
) -> None:
    found = await links(api, house)
    before = await everything(house)

    statuses = {
        name: {
            (await stranger.request(method, link, headers=scanner)).status_code
            for method in ("GET", "HEAD")
            for scanner in SCANNERS
            for _ in range(13)
        }
        for name, link in found.items()
    }

    assert {name: codes for name, codes in statuses.items() if codes not in ({200}, {302})} == {}
    after = await everything(house)
    assert {table for table in before if before[table] != after[table]} == set()
    assert ANNA in str(before["customers"])  # so that the comparison means something
