"""Notices on the company's own site (S105): read by the site or by the customer's browser, seen once, under the same
policy as any message."""

import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from activities.sending import SendRequest
from adapters.templates import MESSAGES, MessageLibrary
from domain.clock import Pace
from domain.sends import SendState
from tests.api.stories import ANNA, happens, know_anna, rows, send
from tests.support.factories import SettableClock, settings_for
from tropa.wiring import House, build

NOTICES = f"/v1/customers/{ANNA}/notices"
URL = 'url = "{{ company.url }}/start"'
WORDS = {
    "en": 'title = "Hello, {{ customer.first_name }}!"\ntext = "Your account is ready."\n' + URL,
    "ru": 'title = "Здравствуйте, {{ customer.first_name }}!"\ntext = "Всё готово."\n' + URL,
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> MessageLibrary:
    """The real messages, but greetings stand on the site, and the question is asked there first."""
    folder = tmp_path_factory.mktemp("templates") / "messages"
    shutil.copytree(MESSAGES, folder)
    for name, channels in (("greeting", '["in_app"]'), ("did_it_work", '["in_app", "email"]')):
        message = folder / "welcome_chain" / name
        declared = (message / "message.toml").read_text()
        (message / "message.toml").write_text(declared.replace('["email"]', channels))
        for language, words in WORDS.items():
            if name == "greeting":
                (message / f"email.{language}.mjml").unlink()
            (message / f"in_app.{language}.toml").write_text(words)
    return MessageLibrary(folder)


@pytest.fixture
async def house(database_url: str, clock: SettableClock, library: MessageLibrary) -> AsyncIterator[House]:
    settings = settings_for(database_url, public_url="http://tropa.test")
    built = await build(settings, clock=clock, pace=Pace(anchor=clock.now()), library=library)
    yield built
    await built.close()


async def greet(house: House, walk: dict[str, Any]) -> None:
    result = await send(house, walk, "greeting", house.clock.now())
    assert (result.state, result.channel) == (SendState.ACCEPTED, "in_app"), result


async def waiting(api: httpx.AsyncClient) -> list[dict[str, Any]]:
    answer = await api.get(NOTICES)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["notices"]
    return found


async def test_the_site_shows_it_until_it_is_seen_and_looking_is_not_seeing(
    api: httpx.AsyncClient, house: House, walk: dict[str, Any]
) -> None:
    await greet(house, walk)

    for _ in range(3):
        (notice,) = await waiting(api)
    assert (notice["title"], notice["text"], notice["message"]) == (
        "Hello, Anna!",
        "Your account is ready.",
        "greeting",
    )
    for _ in range(2):
        seen = await api.post(f"{NOTICES}/seen", json={"notices": [notice["id"]]})
        assert (seen.status_code, await waiting(api)) == (204, [])

    assert (await rows(house, "SELECT seen_at, delivery FROM sends")) == [
        {"seen_at": house.clock.now(), "delivery": "read"}
    ]
    page = await api.get(f"/v1/customers/{ANNA}/timeline", params={"locale": "ru"})
    sentences = [entry["text"] for entry in page.json()["entries"]]
    assert "«greeting» – отправлено (сообщение на сайте), шлюз: in-app" in sentences
    assert "«greeting» – прочитано" in sentences


async def test_it_speaks_the_customers_language_and_its_press_is_counted(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House, walk: dict[str, Any]
) -> None:
    await api.patch(f"/v1/customers/{ANNA}", json={"locale": "ru-KZ"})
    await greet(house, walk)
    (notice,) = await waiting(api)
    assert (notice["title"], notice["text"]) == ("Здравствуйте, Anna!", "Всё готово.")

    led = await stranger.get(notice["url"])

    assert led.headers["location"].startswith("https://example.com/start?utm_source=tropa&utm_medium=in_app")
    assert [row["number"] for row in await rows(house, "SELECT number FROM hits")] == [1]


async def test_a_browser_reads_by_a_link_of_a_day_and_a_form_says_what_it_showed(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, clock: SettableClock, house: House, walk: dict[str, Any]
) -> None:
    await greet(house, walk)
    link = (await api.get(f"/v1/customers/{ANNA}/links")).json()["notices"]

    for method in ("GET", "HEAD") * 50:
        answer = await stranger.request(method, link)
    got = await stranger.get(link)
    assert (answer.status_code, got.headers["access-control-allow-origin"]) == (200, "*")
    (notice,) = got.json()["notices"]
    other = await stranger.post(link, data={"seen": ["nonsense", str(uuid4())]})
    assert other.json()["notices"] == [notice]
    seen = await stranger.post(link, data={"seen": [notice["id"]]})

    assert seen.json()["notices"] == [] == await waiting(api)
    assert "/f/" in seen.json()["preferences_url"]
    clock.pass_(timedelta(hours=25))
    assert (await stranger.get(link)).status_code == 404
    assert (await stranger.post("/n/abc", data={"seen": [notice["id"]]})).status_code == 404


async def test_its_shelf_life_hides_it(
    api: httpx.AsyncClient, clock: SettableClock, house: House, walk: dict[str, Any]
) -> None:
    await greet(house, walk)
    expires = (await rows(house, "SELECT expires_at - :now AS left FROM sends".replace(":now", f"'{clock.now()}'")))[0]

    clock.pass_(expires["left"] - timedelta(seconds=1))
    assert len(await waiting(api)) == 1
    clock.pass_(timedelta(seconds=1))

    assert await waiting(api) == []


@pytest.mark.parametrize(
    ("name", "properties"),
    [
        ("opted_out", {}),
        ("opted_out", {"channel": "in_app"}),
        ("snoozed", {"until": "2027-01-01T00:00:00Z"}),
        ("activated", {}),
    ],
    ids=["a no to everything", "a no to notices", "a break", "the goal"],
)
async def test_what_comes_to_stand_against_it_hides_it_at_once(
    api: httpx.AsyncClient, house: House, walk: dict[str, Any], name: str, properties: dict[str, Any]
) -> None:
    await greet(house, walk)
    assert len(await waiting(api)) == 1

    await happens(api, house, name, **properties)

    assert await waiting(api) == []


async def test_nobody_is_asked_beforehand_but_a_no_counts(
    api: httpx.AsyncClient, house: House, walk: dict[str, Any]
) -> None:
    """It waits where they come by themselves, so that the absence of a no is enough; quiet hours and caps bind it."""
    await api.patch(f"/v1/customers/{ANNA}", json={"consents": {"in_app": {"status": "denied", "source": "the site"}}})

    refused = await send(house, walk, "greeting", house.clock.now())

    assert (refused.state, refused.rule) == (SendState.REFUSED, "opted_out")


async def test_a_cascade_ends_on_the_site_when_it_was_seen_there(
    api: httpx.AsyncClient, house: House, clock: SettableClock, walk: dict[str, Any]
) -> None:
    assert (await leg(house, walk, 0)).channel == "in_app"
    (notice,) = await waiting(api)
    await api.post(f"{NOTICES}/seen", json={"notices": [notice["id"]]})
    clock.pass_(timedelta(hours=4))

    second = await leg(house, walk, 1)

    assert (second.state, second.rule) == (SendState.REFUSED, "seen")


async def test_a_notice_that_was_read_as_a_letter_is_not_shown(
    api: httpx.AsyncClient, house: House, clock: SettableClock, walk: dict[str, Any]
) -> None:
    await leg(house, walk, 0)
    clock.pass_(timedelta(hours=4))
    assert (await leg(house, walk, 1)).channel == "email"
    assert len(await waiting(api)) == 1

    async with house.database.transaction() as connection:
        await connection.execute(text("UPDATE sends SET seen_at = called_at WHERE channel = 'email'"))

    assert await waiting(api) == []


async def test_another_customers_notices_are_theirs(api: httpx.AsyncClient, house: House, walk: dict[str, Any]) -> None:
    await greet(house, walk)
    await know_anna(api, "boris@example.com", email="boris@example.com")
    (notice,) = await waiting(api)

    seen = await api.post("/v1/customers/boris@example.com/notices/seen", json={"notices": [notice["id"]]})

    assert seen.status_code == 204
    assert (await api.get("/v1/customers/boris@example.com/notices")).json()["notices"] == []
    assert await waiting(api) == [notice]


async def test_who_is_erased_has_none(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House, walk: dict[str, Any]
) -> None:
    await greet(house, walk)
    link = (await api.get(f"/v1/customers/{ANNA}/links")).json()["notices"]

    await api.delete(f"/v1/customers/{ANNA}")

    assert (await stranger.get(link)).status_code == 404
    assert (await api.get(NOTICES)).status_code == 404


async def test_asking_for_nobody_or_wrongly_is_told(api: httpx.AsyncClient, stranger: httpx.AsyncClient) -> None:
    await know_anna(api)

    assert (await stranger.get(NOTICES)).status_code == 401
    assert (await api.get("/v1/customers/nobody/notices")).status_code == 404
    assert (await api.post("/v1/customers/nobody/notices/seen", json={"notices": [str(uuid4())]})).status_code == 404
    assert (await api.post(f"{NOTICES}/seen", json={"notices": ["one"]})).status_code == 422
    assert (await api.post(f"{NOTICES}/seen", json={"notices": []})).status_code == 422


async def leg(house: House, walk: dict[str, Any], number: int) -> Any:
    customer = (await rows(house, "SELECT customer FROM enrollments"))[0]["customer"]
    request = SendRequest(
        enrollment=walk["id"], customer=customer, message="did_it_work", visit=1, cascade=True, leg=number
    )
    return await house.sending.send(request, started=house.clock.now())
