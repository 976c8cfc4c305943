"""Browser notifications from the page where they are turned on to what the browser shows, and away again."""

import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from adapters.templates import MESSAGES, MessageLibrary
from adapters.vapid import new_private_key, public_key
from domain.clock import Pace
from domain.messages import Channel
from domain.sends import SendResult, SendState
from tests.api.conftest import client_of
from tests.api.stories import ANNA, know_anna, rows, send
from tests.support.factories import SettableClock, settings_for
from tests.support.push_simulator import Browser, PushService, simulating
from tropa.serve import api_app
from tropa.wiring import House, build

DAY = timedelta(days=1)
PRIVATE = new_private_key()
PUBLIC = public_key(PRIVATE)
WORDS = """title = "Hello, {{ customer.first_name or 'friend' }}!"
text = "Your account is ready."
url = "{{ company.url }}/start"
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> MessageLibrary:
    """The real messages, but greetings go to browsers."""
    folder = tmp_path_factory.mktemp("templates") / "messages"
    shutil.copytree(MESSAGES, folder)
    greeting = folder / "welcome_chain" / "greeting"
    declared = (greeting / "message.toml").read_text()
    (greeting / "message.toml").write_text(declared.replace('["email"]', '["web_push"]'))
    for language in ("en", "ru"):
        (greeting / f"email.{language}.mjml").unlink()
        (greeting / f"web_push.{language}.toml").write_text(WORDS)
    return MessageLibrary(folder)


@pytest.fixture(scope="module")
async def serving(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PushService]:
    async with simulating(tmp_path_factory.mktemp("tls")) as simulator:
        yield simulator


@pytest.fixture
def service(serving: PushService) -> PushService:
    serving.forget()
    return serving


@pytest.fixture
async def house(
    database_url: str, clock: SettableClock, library: MessageLibrary, service: PushService
) -> AsyncIterator[House]:
    settings = settings_for(database_url, public_url="http://tropa.test", vapid_private_key=PRIVATE)
    pace = Pace(anchor=clock.now())
    built = await build(settings, clock=clock, pace=pace, library=library, outward=service.outward())
    yield built
    await built.close()


async def door(api: httpx.AsyncClient, customer_id: str = ANNA) -> str:
    """The customer's own page."""
    found: str = (await api.get(f"/v1/customers/{customer_id}/links")).json()["web_push"]
    return found.removeprefix("http://tropa.test")


async def turn_on(app: FastAPI, api: httpx.AsyncClient, browser: Browser, customer_id: str = ANNA) -> None:
    async with client_of(app) as page:
        answer = await page.post(await door(api, customer_id), json=browser.subscription)
    assert answer.status_code == 204, answer.text


async def greet(house: House, walk: dict[str, Any], visit: int = 1) -> SendResult:
    return await send(house, walk, "greeting", house.clock.now(), visit=visit)


async def test_the_page_asks_first_and_may_run_only_our_own_script(
    stranger: httpx.AsyncClient, api: httpx.AsyncClient, house: House, walk: dict[str, Any]
) -> None:
    await api.patch(f"/v1/customers/{ANNA}", json={"locale": "ru"})

    page = await stranger.get(await door(api))

    assert page.status_code == 200
    assert "Получать уведомления от Example Company в этом браузере?" in page.text
    assert f'data-key="{PUBLIC}"' in page.text
    assert "script-src 'self'; worker-src 'self'; connect-src 'self'" in page.headers["content-security-policy"]
    assert page.headers["referrer-policy"] == "no-referrer"
    for script in ("push.js", "push-worker.js"):
        assert "javascript" in (await stranger.get(f"/static/{script}")).headers["content-type"]
    assert await rows(house, "SELECT * FROM addresses") == []


async def test_a_browser_that_was_turned_on_shows_the_next_message(
    app: FastAPI, api: httpx.AsyncClient, house: House, walk: dict[str, Any], service: PushService
) -> None:
    browser = service.browser(PUBLIC)
    before = await greet(house, walk)
    await turn_on(app, api, browser)

    result = await greet(house, walk, visit=2)

    assert (before.rule, result.state, result.channel) == ("unreachable", SendState.ACCEPTED, "web_push")
    shown = browser.pushed[0]
    assert (shown["title"], shown["body"]) == ("Hello, Anna!", "Your account is ready.")
    assert shown["url"].startswith("http://tropa.test/c/")  # a press is counted, and the journey knows that it was seen
    assert 0 < shown["ttl"] <= timedelta(days=30).total_seconds()
    (ledger,) = await rows(house, "SELECT recipient, links FROM sends WHERE visit = 2")
    assert ledger["recipient"] == "push.test"
    assert ledger["links"][1].startswith("https://example.com/start?utm_source=tropa&utm_medium=web_push")
    consents = (await api.get(f"/v1/customers/{ANNA}")).json()["consents"]
    assert (consents["web_push"]["status"], consents["web_push"]["source"]) == ("granted", "browser")
    page = await api.get(f"/v1/customers/{ANNA}/timeline", params={"locale": "ru"})
    sentences = [entry["text"] for entry in page.json()["entries"]]
    assert "«greeting» – отправлено (уведомление в браузере), шлюз: web push" in sentences


async def test_it_is_worth_showing_as_long_as_its_shelf_life_lasts(
    app: FastAPI, api: httpx.AsyncClient, house: House, walk: dict[str, Any], service: PushService
) -> None:
    browser = service.browser(PUBLIC)
    await turn_on(app, api, browser)

    await greet(house, walk)

    expires = await rows(house, "SELECT extract(epoch FROM expires_at - wished_at)::int AS lasts FROM sends")
    assert browser.pushed[0]["ttl"] == expires[0]["lasts"]


async def test_all_browsers_get_it_and_one_that_is_gone_is_forgotten(
    app: FastAPI, api: httpx.AsyncClient, house: House, clock: SettableClock, walk: dict[str, Any], service: PushService
) -> None:
    at_work, at_home = service.browser(PUBLIC), service.browser(PUBLIC)
    await turn_on(app, api, at_work)
    await turn_on(app, api, at_home)
    at_work.gone = True

    result = await greet(house, walk)

    kept = await rows(house, "SELECT address FROM addresses")
    assert (result.state, kept) == (SendState.ACCEPTED, [{"address": at_home.endpoint}])
    at_home.gone = True
    clock.pass_(DAY)
    assert (await greet(house, walk, visit=2)).state is SendState.FAILED
    assert (await greet(house, walk, visit=3)).rule == "unreachable"


async def test_turning_it_off_forgets_this_browser_and_keeps_the_others(
    app: FastAPI,
    api: httpx.AsyncClient,
    stranger: httpx.AsyncClient,
    house: House,
    walk: dict[str, Any],
    service: PushService,
) -> None:
    at_work, at_home = service.browser(PUBLIC), service.browser(PUBLIC)
    await turn_on(app, api, at_work)
    await turn_on(app, api, at_home)

    gone = await stranger.request("DELETE", await door(api), json={"endpoint": at_work.endpoint})
    await greet(house, walk)

    assert gone.status_code == 204
    assert (len(at_work.pushed), len(at_home.pushed)) == (0, 1)


async def test_a_browser_that_somebody_else_turns_on_is_theirs(
    app: FastAPI, api: httpx.AsyncClient, house: House, walk: dict[str, Any], service: PushService
) -> None:
    shared = service.browser(PUBLIC)
    await turn_on(app, api, shared)
    await know_anna(api, "bob@example.com")

    await turn_on(app, api, shared, "bob@example.com")

    assert (await greet(house, walk)).rule == "unreachable"


async def test_opting_out_by_a_link_ends_it_in_every_browser(
    app: FastAPI,
    api: httpx.AsyncClient,
    stranger: httpx.AsyncClient,
    house: House,
    walk: dict[str, Any],
    service: PushService,
) -> None:
    await turn_on(app, api, service.browser(PUBLIC))
    customer = (await rows(house, "SELECT customer FROM enrollments"))[0]["customer"]
    way_out = house.links.unsubscribe(customer, Channel.WEB_PUSH).removeprefix("http://tropa.test")

    await stranger.post(way_out, data={"List-Unsubscribe": "One-Click"})

    assert ((await greet(house, walk)).rule, service.requests) == ("opted_out", 0)


@pytest.mark.parametrize(
    "change",
    [
        {"endpoint": "https://127.0.0.1:443/x"},
        {"endpoint": "https://169.254.169.254/latest"},
        {"endpoint": "http://push.test/x"},
        {"endpoint": "https://push.test:25/x"},
        {"keys": {"p256dh": "AAAA", "auth": "AAAA"}},
        {"keys": {}},
        {"more": 1},
    ],
)
async def test_what_no_browser_would_say_is_refused(
    api: httpx.AsyncClient,
    stranger: httpx.AsyncClient,
    house: House,
    walk: dict[str, Any],
    service: PushService,
    change: dict[str, Any],
) -> None:
    # 127.0.0.1 is the one address inside that this test's house may call, so its port is one that it may not.
    endpoint = change.get("endpoint", "").replace("127.0.0.1:443", "127.0.0.1:8443")
    change = {**change, "endpoint": endpoint} if endpoint else change

    answer = await stranger.post(await door(api), json={**service.browser(PUBLIC).subscription, **change})

    assert answer.status_code == 422
    assert await rows(house, "SELECT * FROM addresses") == []


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_a_wrong_or_old_link_opens_nothing(
    api: httpx.AsyncClient,
    stranger: httpx.AsyncClient,
    house: House,
    clock: SettableClock,
    walk: dict[str, Any],
    service: PushService,
    method: str,
) -> None:
    good, subscription = await door(api), service.browser(PUBLIC).subscription
    body = {"POST": subscription, "DELETE": {"endpoint": subscription["endpoint"]}}.get(method)

    wrong = await stranger.request(method, good[:-1], json=body)
    clock.pass_(31 * DAY)
    old = await stranger.request(method, good, json=body)

    assert (wrong.status_code, old.status_code) == (404, 404)
    assert await rows(house, "SELECT * FROM addresses") == []


async def test_the_newest_twenty_browsers_are_kept(
    app: FastAPI, api: httpx.AsyncClient, house: House, clock: SettableClock, walk: dict[str, Any], service: PushService
) -> None:
    first = service.browser(PUBLIC)
    await turn_on(app, api, first)
    clock.pass_(timedelta(minutes=1))

    for _ in range(20):
        await turn_on(app, api, service.browser(PUBLIC))

    kept = [row["address"] for row in await rows(house, "SELECT address FROM addresses")]
    assert len(kept) == 20 and first.endpoint not in kept


async def test_without_a_key_there_is_no_page(asking: httpx.AsyncClient, untouched: House) -> None:
    await know_anna(asking, "nobody@example.com")
    link = (await asking.get("/v1/customers/nobody@example.com/links")).json()["web_push"]
    async with client_of(api_app(untouched)) as browser:
        answer = await browser.get("/p/anything")

    assert (link, answer.status_code) == (None, 404)
