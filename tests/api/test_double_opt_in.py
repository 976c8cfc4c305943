"""The page behind a confirmation letter: looking changes nothing, one press is the yes, with its proof."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from domain.clock import Pace
from tests.api.stories import ANNA, happens, know_anna, rows
from tests.support.factories import SettableClock, compiled, settings_for
from tropa.wiring import House, build

PENDING = {"status": "pending", "source": "checkout", "wording": "Send me news", "proof": "https://shop.example/c"}


@pytest.fixture
async def house(database_url: str, clock: SettableClock) -> AsyncIterator[House]:
    """A house where this journey starts."""
    settings = settings_for(database_url, journeys="DoubleOptIn")
    built = await build(settings, clock=clock, pace=Pace(anchor=clock.now()), library=compiled())
    yield built
    await built.close()


async def ask(api: httpx.AsyncClient, house: House, **changes: Any) -> str:
    """Anna's address is in a form; answers her page."""
    anna = await know_anna(api, consents={"email": PENDING}, **changes)
    await house.projector.project_some()
    return house.links.confirm(anna["id"], ANNA, house.clock.now()).replace("http://127.0.0.1:8080", "")


async def shown_on(stranger: httpx.AsyncClient, link: str) -> list[str]:
    """The wishes that the page shows."""
    return re.findall(r'name="wish" value="([^"]+)"', (await stranger.get(link)).text)


async def word(api: httpx.AsyncClient) -> str | None:
    found = (await api.get(f"/v1/customers/{ANNA}")).json()["consents"]
    return found["email"]["status"] if "email" in found else None


async def test_looking_a_hundred_times_changes_nothing_and_pressing_without_what_was_shown_neither(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House
) -> None:
    link = await ask(api, house)

    statuses = {(await stranger.request(method, link)).status_code for method in ("GET", "HEAD") * 50}
    empty = await stranger.post(link)

    assert statuses == {200}
    assert (empty.status_code, "Was it you?" in empty.text) == (409, True)
    assert await rows(house, "SELECT * FROM consents") == []


async def test_a_pending_consent_over_the_api_starts_the_journey_and_is_no_consent(
    api: httpx.AsyncClient, house: House
) -> None:
    await ask(api, house)

    assert await word(api) is None
    walks = await rows(house, "SELECT journey FROM enrollments")
    assert [row["journey"] for row in walks] == ["DoubleOptIn"]
    page = await api.get(f"/v1/customers/{ANNA}/timeline", params={"locale": "ru"})
    assert "Заявка ждёт подтверждения из почты" in [each["text"] for each in page.json()["entries"]]


async def test_a_profile_that_is_put_again_asks_nobody_again_and_old_news_nobody_at_all(
    api: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    await ask(api, house)
    clock.pass_(timedelta(days=1))
    await ask(api, house)
    assert [row["name"] for row in await rows(house, "SELECT name FROM events WHERE name = 'opt_in_requested'")] == [
        "opt_in_requested"
    ]

    await api.put("/v1/customers/boris", json={"consents": {"email": {**PENDING, "at": "2025-01-01T10:00:00Z"}}})
    await house.projector.project_some()

    assert len(await rows(house, "SELECT id FROM enrollments")) == 1


async def test_a_press_is_the_yes_and_a_second_one_changes_nothing(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House
) -> None:
    link = await ask(api, house, locale="ru")
    asked = await stranger.get(link)
    assert "Это были вы?" in asked.text and "Send me news" in asked.text
    shown = await shown_on(stranger, link)

    first = await stranger.post(link, data={"wish": shown})
    again = await stranger.post(link, data={"wish": shown})

    assert "Спасибо, всё подтверждено." in first.text
    assert first.text == again.text
    (kept,) = await rows(house, "SELECT status, source, wording, proof FROM consents")
    assert (kept["status"], kept["source"]) == ("granted", "double opt-in")
    assert kept["wording"] == "“Send me news” [Да, подтверждаю]"
    assert "by checkout (https://shop.example/c)" in kept["proof"]
    events = await rows(house, "SELECT name FROM events WHERE name ~ 'consent_|opt_in_' ORDER BY id")
    assert [row["name"] for row in events] == ["opt_in_requested", "consent_changed", "opt_in_confirmed"]


async def test_a_no_since_then_stands_whatever_an_old_page_says(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    link = await ask(api, house)
    shown = await shown_on(stranger, link)
    clock.pass_(timedelta(hours=1))
    await happens(api, house, "opted_out", channel="email")

    answer = await stranger.post(link, data={"wish": shown})

    assert "There is nothing to confirm here." in answer.text
    assert await word(api) == "denied"


async def test_only_what_the_page_showed_is_confirmed(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    link = await ask(api, house)
    shown = await shown_on(stranger, link)
    clock.pass_(timedelta(minutes=1))
    await happens(api, house, "opt_in_requested", channel="email", wording="Sell my address", topic="promotions")

    await stranger.post(link, data={"wish": shown})

    (kept,) = await rows(house, "SELECT wording FROM consents")
    assert "Send me news" in kept["wording"]
    assert "Sell my address" not in kept["wording"]


async def test_a_topic_that_was_refused_is_wanted_again(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House
) -> None:
    link = await ask(api, house)
    await happens(api, house, "opt_in_requested", channel="email", topic="promotions")
    await happens(api, house, "opt_in_requested", channel="email", topic="no such topic")

    await stranger.post(link, data={"wish": await shown_on(stranger, link)})

    scopes = await rows(house, "SELECT channel, topic FROM consents ORDER BY topic")
    assert [(row["channel"], row["topic"]) for row in scopes] == [("email", ""), ("email", "promotions")]


@pytest.mark.parametrize("which", ["cut off", "too old", "another address", "erased"])
async def test_a_link_that_is_not_good_opens_nothing(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House, clock: SettableClock, which: str
) -> None:
    link = await ask(api, house)
    shown = await shown_on(stranger, link)
    if which == "cut off":
        link = link[:-3]
    elif which == "too old":
        clock.pass_(timedelta(days=31))
    elif which == "another address":
        await api.patch(f"/v1/customers/{ANNA}", json={"email": "anna@new.example"})
    else:
        await api.delete(f"/v1/customers/{ANNA}")

    answers = [await stranger.get(link), await stranger.post(link, data={"wish": shown})]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert "This link is not right" in answers[0].text
    assert await rows(house, "SELECT * FROM consents") == []


async def test_only_an_address_of_email_can_be_confirmed_by_a_letter(api: httpx.AsyncClient) -> None:
    answer = await api.put("/v1/customers/boris", json={"consents": {"sms": {"status": "pending"}}})

    assert answer.status_code == 422
    assert "only email can be confirmed" in answer.text
