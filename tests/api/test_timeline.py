"""The timeline answers: why did Anna get this, why not that."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.api.stories import ANNA, enroll, happens, know_anna, rows, send
from tests.support.factories import SettableClock
from tropa.wiring import House

HOUR = timedelta(hours=1)


async def texts(api: httpx.AsyncClient, locale: str = "en", **parameters: Any) -> list[str]:
    page = await api.get(f"/v1/customers/{ANNA}/timeline", params={"locale": locale, **parameters})
    assert page.status_code == 200, page.text
    return [entry["text"] for entry in page.json()["entries"]]


async def a_full_story(api: httpx.AsyncClient, house: House, clock: SettableClock) -> None:
    """Greeted at 11 in Berlin, the basics too soon after; then she says no, and is asked whether it worked."""
    await know_anna(api)
    clock.pass_(timedelta(minutes=1))
    enrollment = (await enroll(api)).json()
    await send(house, enrollment, "greeting", clock.now())
    clock.pass_(HOUR)
    await send(house, enrollment, "basics", clock.now())
    clock.pass_(HOUR)
    await happens(api, house, "opted_out", channel="email")
    clock.pass_(HOUR)
    await send(house, enrollment, "did_it_work", clock.now())


async def test_it_tells_what_was_sent_what_waits_and_what_was_not_sent(
    api: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    await a_full_story(api, house, clock)

    assert await texts(api) == [
        "“did it work” was not sent. The customer said no to email on 02 Mar 13:01",
        "Said no to email",
        "“basics” waits. The last touch was at 02 Mar 11:01, and touches stay 4 hours apart; it may go at 02 Mar 15:01",
        "“greeting” – sent by email: the sandbox took it",
        "Entered WelcomeChain: the shop",
        "Consent for email: granted",
        "The profile was changed: attributes, email, language, phone, time zone",
    ]


async def test_it_speaks_russian(api: httpx.AsyncClient, house: House, clock: SettableClock) -> None:
    await a_full_story(api, house, clock)

    told = await texts(api, "ru")

    assert told[0] == "«did it work» не отправлено. Клиент отказался от email 02.03 13:01"
    assert told[1] == "Отказ от сообщений: почта"
    assert told[4:6] == ["Начал путь WelcomeChain: the shop", "Согласие, почта: дано"]


async def test_pages_hold_everything_once_and_in_order(
    api: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    await a_full_story(api, house, clock)
    whole = await texts(api)

    found, cursor = [], None
    for _ in range(4):
        parameters = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await api.get(f"/v1/customers/{ANNA}/timeline", params=parameters)).json()
        found += [entry["text"] for entry in page["entries"]]
        cursor = page["cursor"]

    assert sorted(found) == sorted(whole)
    assert found == whole
    assert cursor is None


async def test_an_event_is_there_before_it_is_projected(api: httpx.AsyncClient) -> None:
    await know_anna(api)
    await api.post("/v1/events", json={"events": [{"event_id": "1", "customer_id": ANNA, "name": "order_placed"}]})

    assert "Placed an order" in await texts(api)


async def test_pausing_ending_and_tasks_are_told(api: httpx.AsyncClient, house: House, clock: SettableClock) -> None:
    await know_anna(api)
    enrollment = (await enroll(api)).json()["id"]
    for verb in ("pause", "resume", "leave"):
        clock.pass_(HOUR)
        await api.post(
            f"/v1/enrollments/{enrollment}/{verb}", json={"reason": "she asked"} if verb == "leave" else None
        )

    assert (await texts(api))[:3] == [
        "WelcomeChain: stopped by the shop: she asked",
        "WelcomeChain: resumed by the shop",
        "WelcomeChain: paused by the shop",
    ]


async def test_an_event_nobody_foresaw_is_told_by_its_name(api: httpx.AsyncClient, house: House) -> None:
    await happens(api, house, "whitepaper_downloaded")

    assert await texts(api) == ["Event: whitepaper downloaded"]
    assert await texts(api, "ru") == ["Событие: whitepaper downloaded"]


async def test_nobody_has_no_timeline(asking: httpx.AsyncClient) -> None:
    assert (await asking.get("/v1/customers/nobody/timeline")).status_code == 404


WRONG = [
    {"cursor": "x"},
    {"cursor": "WzFd"},
    {"cursor": "é"},
    {"cursor": "IiI"},
    {"limit": "0"},
    {"limit": "201"},
    {"limit": "ten"},
    {"locale": "de"},
]


@pytest.mark.parametrize("parameters", WRONG, ids=str)
async def test_what_cannot_be_asked_is_a_problem(asking: httpx.AsyncClient, parameters: dict[str, str]) -> None:
    await know_anna(asking)

    answer = await asking.get(f"/v1/customers/{ANNA}/timeline", params=parameters)

    assert answer.status_code == 422
    assert next(iter(parameters)) in answer.json()["problems"][0]


async def test_the_ledger_stays_out_of_it_but_for_what_was_decided(
    api: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    await a_full_story(api, house, clock)

    entries = (await api.get(f"/v1/customers/{ANNA}/timeline")).json()["entries"]

    sends = [entry for entry in entries if entry["kind"] == "send"]
    assert [entry["now"] for entry in sends] == ["refused", "deferred", "accepted"]
    assert [entry["rule"] for entry in sends] == ["opted_out", "gap", "accepted"]
    assert len(await rows(house, "SELECT 1 FROM sends")) == 3
