"""What the company's own site tells of its visitors, and what nobody else can tell there (S7, S13)."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from api.sites import Rate
from domain.errors import Misconfigured
from domain.messages import Purpose
from services.visits import heard_of_visitors
from tests.api.sites import SHOP, VISITOR, a_house_that_starts, page_of, visits, with_sites
from tests.api.stories import ANNA, know_anna, rows
from tests.support.factories import SettableClock
from tropa.wiring import House

WHOSE = f"/v1/customers/visitor-{VISITOR}"
STORED = "SELECT customer_id, name, source, properties FROM events WHERE source <> 'tropa' ORDER BY received_at, name"


@pytest.fixture
async def house(database_url: str, clock: SettableClock) -> AsyncIterator[House]:
    async with a_house_that_starts("HotLead", database_url, clock) as built:
        yield built


@pytest.fixture
async def page(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with page_of(with_sites(house)) as client:
        yield client


async def test_a_visit_is_an_event_of_a_visitor_with_a_first_touch(
    page: httpx.AsyncClient, api: httpx.AsyncClient, house: House
) -> None:
    told = await visits(page, page="/pricing", referrer="news.example", utm_campaign="spring", utm_unknown="x")
    await house.projector.project_some()

    assert (told.status_code, told.content) == (202, b"")
    assert told.headers["access-control-allow-origin"] == SHOP
    assert "access-control-allow-credentials" not in told.headers
    known = (await api.get(WHOSE)).json()
    assert known["first_touch"]["source"] == "news.example"
    assert (await rows(house, STORED))[0]["properties"] == {
        "page": "pricing",
        "referrer": "news.example",
        "utm_campaign": "spring",
    }


async def test_the_token_of_somebody_signed_in_joins_the_visits_before_and_after(
    page: httpx.AsyncClient, api: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    await visits(page, page="/pricing", utm_source="ads")
    await know_anna(api)
    token = (await api.get(f"/v1/customers/{ANNA}/links")).json()["visitor_token"]

    joined = await page.post("/v1/visits:identify", json={"visitor": VISITOR, "token": token})
    clock.pass_(timedelta(minutes=1))
    await visits(page, page="/thanks")
    await house.projector.project_some()

    assert joined.status_code == 204
    assert (await api.get(WHOSE)).json()["customer_id"] == ANNA
    known = (await api.get(f"/v1/customers/{ANNA}")).json()
    assert known["first_touch"]["source"] == "ads"
    viewed = await rows(house, "SELECT customer FROM events WHERE name = 'page_viewed'")
    assert {row["customer"] for row in viewed} == {known["id"]}

    await know_anna(api, "boris", email="boris@example.com")
    other = (await api.get("/v1/customers/boris/links")).json()["visitor_token"]
    shared = await page.post("/v1/visits:identify", json={"visitor": VISITOR, "token": other})
    assert shared.status_code == 409
    assert shared.headers["access-control-allow-origin"] == SHOP, "the script begins anew when it reads this"


async def test_a_stranger_gives_nobody_anything_to_do_and_a_lead_who_is_known_does(
    page: httpx.AsyncClient, api: httpx.AsyncClient, house: House
) -> None:
    await visits(page, page="/pricing")
    await house.projector.project_some()
    assert await rows(house, "SELECT journey FROM enrollments") == []

    await know_anna(api)
    await api.post(f"/v1/customers/{ANNA}/identify", json={"visitor_id": f"visitor-{VISITOR}"})
    await visits(page, page="/pricing")
    await house.projector.project_some()

    assert await rows(house, "SELECT journey FROM enrollments") == [{"journey": "HotLead"}]


@pytest.mark.parametrize("token", ["", "x", "WyJjdXNfMSIsMl0.forged"])
async def test_a_token_that_is_not_ours_joins_nothing(page: httpx.AsyncClient, house: House, token: str) -> None:
    await visits(page)

    assert (await page.post("/v1/visits:identify", json={"visitor": VISITOR, "token": token})).status_code == 404
    assert await rows(house, "SELECT 1 FROM customer_aliases") == []


async def test_an_old_token_and_another_links_token_join_nothing(
    page: httpx.AsyncClient, api: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    ours = (await know_anna(api))["id"]
    old, other = house.links.visitor(ours, clock.now()), house.links.preferences(ours).partition("/f/")[2]
    clock.pass_(timedelta(days=1, seconds=1))

    for token in (old, other):
        answer = await page.post("/v1/visits:identify", json={"visitor": VISITOR, "token": token})
        assert answer.status_code == 404


TURNED_DOWN: list[tuple[dict[str, Any], str]] = [
    ({"visitor": VISITOR, "name": "opted_out"}, "name"),
    ({"visitor": VISITOR, "name": "order_placed", "properties": {"total": 100}}, "name"),
    ({"visitor": VISITOR, "name": "cart_updated"}, "name"),
    ({"visitor": VISITOR, "name": "hard_bounced", "properties": {"address": ANNA}}, "name"),
    ({"visitor": ANNA, "name": "page_viewed"}, "visitor"),
    ({"visitor": f"visitor-{VISITOR}", "name": "page_viewed"}, "visitor"),
    ({"visitor": VISITOR, "name": "page_viewed", "customer_id": ANNA}, "customer_id"),
    ({"visitor": VISITOR, "name": "page_viewed", "occurred_at": "2020-01-01T00:00:00Z"}, "occurred_at"),
    ({"visitor": VISITOR, "name": "page_viewed", "source": "import"}, "source"),
    ({"visitor": VISITOR, "name": "page_viewed", "properties": {"deep": {"a": 1}}}, "properties"),
    ({"visitor": VISITOR, "name": "page_viewed", "properties": {"link": "https://evil.example"}}, "link"),
]


@pytest.mark.parametrize(("said", "named"), TURNED_DOWN)
async def test_nothing_else_can_be_said_and_nobody_be_named(untouched: House, said: dict[str, Any], named: str) -> None:
    async with page_of(with_sites(untouched)) as page:
        refused = await page.post("/v1/visits", json=said)

    assert refused.status_code == 422
    assert named in str(refused.json()["problems"])
    assert await rows(untouched, "SELECT 1 FROM events") == []


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b"\xff", b'{"visitor":1}', b'{"visitor":"\\ud800"}'])
async def test_what_is_no_visit_is_told(untouched: House, raw: bytes) -> None:
    async with page_of(with_sites(untouched)) as page:
        assert (await page.post("/v1/visits", content=raw)).status_code in (400, 422)


async def test_characters_that_no_database_keeps_are_turned_down(untouched: House) -> None:
    async with page_of(with_sites(untouched)) as page:
        for bad in (b"\\u0000", b"\\ud800"):
            body = b'{"visitor":"%s","name":"search_made","properties":{"words":"%s"}}' % (VISITOR.encode(), bad)
            assert (await page.post("/v1/visits", content=body)).status_code in (400, 422)


@pytest.mark.parametrize("origin", ["", "null", "https://evil.example", f"{SHOP}.evil.example", f"{SHOP}:8443"])
async def test_only_pages_of_the_companys_own_sites_are_heard(untouched: House, origin: str) -> None:
    async with page_of(with_sites(untouched), origin) as page:
        refused = await visits(page)
        asked = await page.options("/v1/visits")

    assert (refused.status_code, asked.status_code) == (403, 403)
    assert "access-control-allow-origin" not in {**refused.headers, **asked.headers}


async def test_without_sites_nobody_is_heard_and_a_page_of_ours_may_ask_first(untouched: House) -> None:
    async with page_of(with_sites(untouched, sites=[])) as page:
        assert (await visits(page)).status_code == 403
    async with page_of(with_sites(untouched)) as page:
        asked = await page.options("/v1/visits", headers={"Access-Control-Request-Method": "POST"})

    assert (asked.status_code, asked.headers["access-control-allow-methods"]) == (204, "POST")
    assert asked.headers["vary"] == "Origin"


@pytest.mark.parametrize(
    "headers",
    [{"Sec-GPC": "1"}, {"DNT": "1"}, {"User-Agent": "Googlebot/2.1"}, {"User-Agent": ""}, {"Sec-Purpose": "prefetch"}],
)
async def test_whoever_asks_not_to_be_tracked_is_not_and_machines_are_nobody(
    untouched: House, headers: dict[str, str]
) -> None:
    async with page_of(with_sites(untouched), **headers) as page:
        assert (await visits(page)).status_code == 204

    assert await rows(untouched, "SELECT 1 FROM events") == []


async def test_a_body_is_small_and_one_place_is_heard_only_so_often(untouched: House) -> None:
    async with page_of(with_sites(untouched, proxies=1)) as page:
        large = await page.post("/v1/visits", content=b" " * 20_000)
        own, forged = {"X-Forwarded-For": "1.2.3.4"}, {"X-Forwarded-For": "9.9.9.9, 1.2.3.4"}
        many = [(await page.post("/v1/visits", headers=own)).status_code for _ in range(61)]
        mapped = await page.post("/v1/visits", headers={"X-Forwarded-For": "::ffff:1.2.3.4"})
        neighbor = await page.post("/v1/visits", headers={"X-Forwarded-For": "::ffff:5.6.7.8"})
        more = await page.post("/v1/visits", headers=forged)
        others = await page.post("/v1/visits", headers={"X-Forwarded-For": "5.6.7.8"})

    assert large.status_code == 413
    assert (many[59], many[60]) == (400, 429)
    assert (more.status_code, more.headers["retry-after"]) == (429, "60")
    assert (mapped.status_code, neighbor.status_code) == (429, 400)
    assert others.status_code == 400


def test_a_rate_gives_back_with_time_and_forgets_the_oldest() -> None:
    rate = Rate(60, at_once=2)

    assert [rate.admits("anna", at=0) for _ in range(3)] == [True, True, False]
    assert [rate.admits("anna", at=1), rate.admits("anna", at=1)] == [True, False]
    assert [rate.admits("anna", at=1000) for _ in range(3)] == [True, True, False]


async def test_what_strangers_may_tell_starts_nothing_that_nobody_can_refuse(untouched: House) -> None:
    said = untouched.catalogue.messages()

    receipts = [(journey, replace(message, purpose=Purpose.TRANSACTIONAL)) for journey, message in said]
    assert "cart_updated" in heard_of_visitors(said, ["cart_updated"])
    with pytest.raises(Misconfigured, match="AbandonedCart"):
        heard_of_visitors(receipts, ["cart_updated"])


async def test_the_script_is_small_and_names_what_the_api_hears(stranger: httpx.AsyncClient) -> None:
    script = await stranger.get("/static/visits.js")

    assert script.headers["content-type"].startswith("text/javascript")
    assert len(script.content) < 2048
    assert "v1/visits" in script.text
    assert ":identify" in script.text
