"""The links and the picture of a letter, as the world fetches them."""

import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from activities.sending import SendRequest
from adapters.links import Links
from domain.clock import Pace
from domain.messages import Channel
from domain.sends import SendResult, SendState
from domain.tracking import SETTLES_AFTER
from services.keys import SCOPES, Keys
from tests.api.conftest import client_of
from tests.api.stories import ANNA, PROFILE, enroll, know_anna, rows, send
from tests.support.factories import SettableClock, compiled, settings_for
from tropa.serve import api_app
from tropa.wiring import House, build

OURS = "http://127.0.0.1:8080"
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Firefox/128.0", "Accept-Language": "en"}
SCANNER = {"User-Agent": "Mimecast URL Protect", "Accept-Language": "en"}
HOUR = timedelta(hours=1)
NOBODYS = UUID(int=1)


class Letter:
    """A greeting that Anna got an hour ago."""

    def __init__(self, html: str, plain: str, send: str) -> None:
        self.send = send
        self.links = [link.removeprefix(OURS) for link in re.findall(rf"{OURS}/c/[\w.-]+", plain)]
        self.bait, self.picture = (re.findall(rf'="{OURS}(/{path}/[^"]+)"', html)[0] for path in "co")


async def greeting(api: httpx.AsyncClient, house: House, clock: SettableClock, **profile: Any) -> Letter:
    await know_anna(api, **profile)
    await send(house, (await enroll(api)).json(), "greeting", clock.now())
    clock.pass_(HOUR)
    kept = (await rows(house, "SELECT html, text, send FROM sandbox_outbox"))[0]
    return Letter(kept["html"], kept["text"], str(kept["send"]))


async def settle(house: House, clock: SettableClock) -> None:
    clock.pass_(SETTLES_AFTER)
    await house.tracking.settle_some()
    await house.projector.project_some()


async def told(house: House) -> list[tuple[str, str]]:
    found = await rows(house, "SELECT name, properties FROM events WHERE source = 'tropa' AND name LIKE 'message%'")
    return sorted((row["name"], row["properties"]["grade"]) for row in found)


async def test_a_link_leads_where_the_letter_says_and_its_click_is_on_the_timeline(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    letter = await greeting(api, house, clock)

    answer = await stranger.get(letter.links[1], headers=BROWSER)
    await settle(house, clock)

    assert answer.status_code == 302
    assert answer.headers["location"] == (
        "https://example.com/guide?utm_source=tropa&utm_medium=email&utm_campaign=welcome_chain&utm_content=greeting"
    )
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in answer.headers
    assert await told(house) == [("message_clicked", "human")]
    timeline = (await api.get(f"/v1/customers/{ANNA}/timeline")).json()
    assert "Followed a link in “greeting”" in [entry["text"] for entry in timeline["entries"]]


async def test_the_picture_is_a_picture_that_nobody_keeps(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    letter = await greeting(api, house, clock)

    answer = await stranger.get(letter.picture, headers=BROWSER)
    await settle(house, clock)

    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/gif")
    assert answer.content.startswith(b"GIF89a")
    assert answer.headers["cache-control"] == "no-store"
    assert await told(house) == [("message_opened", "human")]


@pytest.mark.parametrize(
    ("method", "status", "counts"),
    [("GET", 302, True), ("HEAD", 302, False), ("POST", 405, False), ("PUT", 405, False), ("OPTIONS", 405, False)],
)
async def test_only_a_get_of_a_link_counts(
    api: httpx.AsyncClient,
    stranger: httpx.AsyncClient,
    house: House,
    clock: SettableClock,
    method: str,
    status: int,
    counts: bool,
) -> None:
    letter = await greeting(api, house, clock)

    assert (await stranger.request(method, letter.links[0], headers=BROWSER)).status_code == status
    await settle(house, clock)

    assert bool(await told(house)) is counts


@pytest.mark.parametrize(
    ("method", "status", "counts"), [("GET", 200, True), ("HEAD", 200, False), ("POST", 405, False)]
)
async def test_only_a_get_of_the_picture_counts(
    api: httpx.AsyncClient,
    stranger: httpx.AsyncClient,
    house: House,
    clock: SettableClock,
    method: str,
    status: int,
    counts: bool,
) -> None:
    letter = await greeting(api, house, clock)

    assert (await stranger.request(method, letter.picture, headers=BROWSER)).status_code == status
    await settle(house, clock)

    assert bool(await told(house)) is counts


async def test_every_link_a_hundred_times_changes_no_consent_and_tells_each_link_once(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    letter = await greeting(api, house, clock)
    before = await rows(house, "SELECT * FROM consents")
    unsubscribe = house.links.unsubscribe((await rows(house, "SELECT id FROM customers"))[0]["id"], Channel.EMAIL)

    for address in (letter.bait, *letter.links, letter.picture, unsubscribe.removeprefix(OURS)):
        statuses = {(await stranger.get(address, headers=SCANNER)).status_code for _ in range(50)}
        statuses |= {(await stranger.head(address, headers=SCANNER)).status_code for _ in range(50)}
        assert len(statuses) == 1 and statuses <= {200, 302}
        clock.pass_(timedelta(seconds=1))
    await settle(house, clock)

    assert await rows(house, "SELECT * FROM consents") == before
    assert await rows(house, "SELECT * FROM suppressions") == []
    assert await rows(house, "SELECT name FROM events WHERE name = 'opted_out'") == []
    assert await told(house) == [("message_clicked", "machine")] * 4 + [("message_opened", "machine")]
    assert await rows(house, "SELECT seen_at FROM sends") == [{"seen_at": None}]


@pytest.mark.parametrize("token", ["x", "a.b", "%20", "é", "x" * 3000, "https:%2F%2Fevil.test", "..%2F..%2Fetc"])
@pytest.mark.parametrize("lang", ["en", "ru"])
async def test_a_wrong_link_is_told_kindly_and_leads_nowhere(
    asking: httpx.AsyncClient, untouched: House, token: str, lang: str
) -> None:
    answer = await asking.get(f"/c/{token}", headers={"Accept-Language": lang})
    picture = await asking.get(f"/o/{token}.gif")

    assert answer.status_code == 404
    assert ("This link is not right" if lang == "en" else "Ссылка не подходит") in answer.text
    assert "location" not in answer.headers
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/gif")
    assert await rows(untouched, "SELECT * FROM hits") == []


async def test_a_token_of_another_installation_is_a_wrong_link(asking: httpx.AsyncClient) -> None:
    foreign = Links(["another secret"], "").click(NOBODYS, 1)

    assert (await asking.get(foreign)).status_code == 404


async def test_a_letter_that_is_kept_no_longer_has_wrong_links(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    letter = await greeting(api, house, clock)
    async with house.database.transaction() as connection:
        await connection.execute(text("UPDATE sends SET links = NULL"))

    assert (await stranger.get(letter.links[0])).status_code == 404


async def test_whatever_is_asked_for_nothing_leads_to_where_no_letter_of_ours_leads(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    """No open redirect: a token bent in any way, with any query, gets to a stored target or to a page of ours."""
    letter = await greeting(api, house, clock)
    targets = set((await rows(house, "SELECT links FROM sends"))[0]["links"])
    good = letter.links[0].removeprefix("/c/")
    bent = st.builds(
        lambda at, piece, cut: good[:at] + piece + good[at + cut :],
        st.integers(0, len(good)),
        st.text("abcXYZ019-_.%/:?#@\\", max_size=12),
        st.integers(0, 3),
    )
    asked: list[str] = []

    @settings(max_examples=150, deadline=None, derandomize=True, database=None)
    @given(bent, st.sampled_from(["", "?to=https://evil.test", "?url=//evil.test", "//evil.test", "%2F%2Fevil.test"]))
    def collect(token: str, more: str) -> None:
        asked.append(f"/c/{token}{more}")

    collect()
    for path in asked:
        try:
            answer = await stranger.get(path, headers=BROWSER)
        except httpx.InvalidURL:
            continue
        assert answer.status_code in (302, 400, 404), path
        assert answer.headers.get("location", next(iter(targets))) in targets, path


async def test_a_database_that_is_down_is_a_kind_page_and_still_a_picture(clock: SettableClock) -> None:
    nowhere = settings_for("postgresql+asyncpg://tropa@127.0.0.1:1/tropa")
    house = await build(nowhere, clock=clock, pace=Pace(anchor=clock.now()), library=compiled())
    async with client_of(api_app(house)) as client:
        link = await client.get(house.links.click(NOBODYS, 1).removeprefix(OURS), headers=BROWSER)
        picture = await client.get(house.links.open(NOBODYS).removeprefix(OURS), headers=BROWSER)
    await house.database.close()

    assert (link.status_code, link.headers["retry-after"]) == (503, "5")
    assert "One moment, please" in link.text
    assert picture.status_code == 200


async def test_a_click_that_cannot_be_counted_still_leads_on(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    letter = await greeting(api, house, clock)
    async with house.database.transaction() as connection:
        await connection.execute(text("ALTER TABLE hits RENAME TO gone"))

    answer = await stranger.get(letter.links[0], headers=BROWSER)

    assert (answer.status_code, answer.headers["location"][:26]) == (302, "https://example.com/start?")


async def test_staff_who_look_at_a_letter_are_nobody(
    api: httpx.AsyncClient, staff: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    letter = await greeting(api, house, clock)

    shown = (await staff.get(f"/console/outbox/{letter.send}/letter")).text

    assert "Take the first step" in shown
    assert 'href="https://example.com/start?utm_source=tropa&amp;' in shown
    assert "/c/" not in shown and "/o/" not in shown


@pytest.mark.parametrize(
    ("mode", "clicks", "opens"), [("full", True, True), ("clicks", True, False), ("off", False, False)]
)
async def test_an_installation_says_what_is_tracked(
    database_url: str, clock: SettableClock, mode: str, clicks: bool, opens: bool
) -> None:
    settings = settings_for(database_url, tracking=mode)
    house = await build(settings, clock=clock, pace=Pace(anchor=clock.now()), library=compiled())
    async with client_of(api_app(house)) as client:
        customer = await _by_hand(house, client)
        await send(house, customer, "greeting", clock.now())
    kept = (await rows(house, "SELECT html FROM sandbox_outbox"))[0]["html"]
    await house.database.close()

    assert ("/c/" in kept, "/o/" in kept) == (clicks, opens)
    assert ('href="https://example.com/start"' in kept) is not clicks


async def _by_hand(house: House, client: httpx.AsyncClient) -> dict[str, Any]:
    client.headers["Authorization"] = f"Bearer {await Keys(house.database).create('the shop', sorted(SCOPES))}"
    await know_anna(client)
    enrollment: dict[str, Any] = (await enroll(client)).json()
    return enrollment


@pytest.mark.parametrize(("headers", "seen"), [(BROWSER, True), (SCANNER, False)])
async def test_a_cart_that_somebody_looked_at_brings_no_second_leg_and_a_scanned_one_does(
    api: httpx.AsyncClient,
    stranger: httpx.AsyncClient,
    house: House,
    clock: SettableClock,
    headers: dict[str, str],
    seen: bool,
) -> None:
    consents = {channel: {"status": "granted"} for channel in ("email", "whatsapp")}
    await know_anna(api, consents=consents, phone=PROFILE["phone"])
    entered = await api.post("/v1/journeys/AbandonedCart/enrollments", json={"customer_id": ANNA, "about": "C-9"})

    assert (await leg(house, entered.json(), 0, clock.now())).channel is Channel.EMAIL
    clock.pass_(HOUR)
    letter = (await rows(house, "SELECT text FROM sandbox_outbox"))[0]["text"]
    link = re.findall(rf"{OURS}(/c/[\w.-]+)", letter)[0]
    await stranger.get(link, headers=headers)
    await settle(house, clock)
    second = await leg(house, entered.json(), 1, clock.now())

    assert (second.state, second.rule) == ((SendState.REFUSED, "seen") if seen else (SendState.ACCEPTED, "accepted"))


async def leg(house: House, enrollment: dict[str, Any], number: int, at: datetime) -> SendResult:
    customer = (await rows(house, "SELECT id FROM customers"))[0]["id"]
    request = SendRequest(
        enrollment=enrollment["id"], customer=customer, message="order_by_six", visit=1, cascade=True, leg=number
    )
    return await house.sending.send(request, started=at)
