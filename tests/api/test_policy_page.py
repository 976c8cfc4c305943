"""The contact policy in the console: read in a form, tried out, put in force by whoever may."""

import re
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.keys import Keys
from tests.api.conftest import client_of
from tests.api.stories import enroll, know_anna, send
from tests.support.factories import SettableClock
from tropa.wiring import House

PAGE = "/console/contact-policy"


def fields(page: str) -> dict[str, Any]:
    """What a browser would send of the form, as it stands."""
    form = page.split('<form class="policy"')[1]
    said: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]+>", form):
        said_of = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if said_of["type"] != "checkbox":
            said[said_of["name"]] = said_of["value"]
        elif " checked" in tag:
            said.setdefault(said_of["name"], []).append(said_of["value"])
    for name, options in re.findall(r'<select name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        said[name] = re.findall(r'value="(\w+)" selected', options)[0]
    return said


def tried(page: str) -> dict[str, str]:
    """What the button under the effect would send."""
    return {
        name: value.replace("&#34;", '"')
        for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page)
    }


async def the_form(staff: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    return {**fields((await staff.get(PAGE)).text), **changes}


async def test_the_form_unchanged_means_the_policy_in_force(staff: httpx.AsyncClient) -> None:
    answer = await staff.post(PAGE, data=await the_form(staff))

    assert answer.status_code == 200
    assert "Nothing has been changed." in answer.text
    assert "Put it in force" not in answer.text


async def test_looking_changes_nothing_and_what_was_looked_at_is_put_in_force(
    staff: httpx.AsyncClient, api: httpx.AsyncClient
) -> None:
    changes = {"gap.length": "6", "audiences.vip.times": "2", "quiet.end": "10:30", "holdout": "5"}
    looked = await staff.post(PAGE, data=await the_form(staff, **changes))
    assert (await api.get("/v1/contact-policy")).json()["version"] == 0

    saved = await staff.post(f"{PAGE}/save", data=tried(looked.text))

    assert (saved.status_code, saved.headers["location"]) == (303, f"{PAGE}?saved=true")
    now = (await api.get("/v1/contact-policy")).json()
    assert (now["version"], now["set_by"]) == (1, "the shop")
    policy = now["policy"]
    assert (policy["gap"], policy["quiet"]["end"], policy["holdout"]) == ("6 hours", "10:30", 0.05)
    assert policy["audiences"]["vip"] == {"times": 2, "within": "7 days"}
    (entry,) = (await api.get("/v1/audit", params={"subject": "1"})).json()["entries"]
    assert entry["actor_name"] == "the shop"
    assert "Version 1 is in force" in (await staff.get(saved.headers["location"])).text


async def test_the_effect_is_told_on_the_messages_of_the_last_week(
    staff: httpx.AsyncClient, api: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    await know_anna(api)
    walk = (await enroll(api)).json()
    await send(house, walk, "greeting", clock.now())
    clock.pass_(timedelta(hours=5))
    await send(house, walk, "basics", clock.now())

    looked = await staff.post(f"{PAGE}?lang=ru", data=await the_form(staff, **{"gap.length": "8"}))

    rows = re.findall(r'<th scope="row">([^<]+)</th><td>(\d+)</td><td><b>(\d+)</b>', looked.text)
    assert ("уйдут сразу", "2", "1") in rows
    assert ("пауза между ними", "0", "1") in rows


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"gap.length": "400", "gap.unit": "days"},
            {
                "en": "Every marketing message, Between two messages: at most 7 days; this is 400 days",
                "ru": "Любое рекламное сообщение, Между двумя сообщениями: максимум 7 дней, а здесь 400 дней",
            },
        ),
        (
            {"cap.times": "0"},
            {
                "en": "All channels together: from 1 to 1000; this is 0",
                "ru": "Во всех каналах вместе: от 1 до 1000, а здесь 0",
            },
        ),
        (
            {"audiences.vip.length": "1", "audiences.vip.unit": "minutes"},
            {"en": "VIP: 1 hour at least and", "ru": "VIP: минимум 1 час, максимум"},
        ),
        ({"cap.times": "two"}, {"en": "together: write a whole number", "ru": "вместе: нужно целое число"}),
        ({"quiet.start": "25:00"}, {"en": "From: write a time such as 21:00", "ru": "С: нужно время, например 21:00"}),
        ({"holdout": "lots"}, {"en": "customers, %: write a number", "ru": "клиентов, %: нужно число"}),
        ({"holdout": "80"}, {"en": "customers, %: from 0 to 50", "ru": "клиентов, %: от 0 до 50"}),
        ({"jitter.unit": "moons"}, {"en": "over: write how long", "ru": "в течение: нужен срок"}),
        (
            {"explicit_consent": ["sms"], "quiet.start": "09:00"},
            {"en": "Quiet hours: at least 4 hours", "ru": "Тихие часы: от суток"},
        ),
    ],
    ids=str,
)
async def test_what_cannot_be_is_told_and_stays_written(
    staff: httpx.AsyncClient, changes: dict[str, Any], told: dict[str, str]
) -> None:
    form = await the_form(staff, **changes)
    answer, russian = [await staff.post(f"{PAGE}?lang={lang}", data=form) for lang in ("en", "ru")]

    assert (answer.status_code, russian.status_code) == (422, 422)
    assert told["en"] in answer.text
    assert told["ru"] in russian.text
    assert "Put it in force" not in answer.text
    written = fields(answer.text) if "jitter.unit" not in changes else {}
    assert {name: written.get(name) for name in changes if name.endswith(("length", "times"))} == {
        name: value for name, value in changes.items() if name.endswith(("length", "times"))
    }


async def test_who_looked_at_an_older_version_is_told(staff: httpx.AsyncClient, api: httpx.AsyncClient) -> None:
    looked = await staff.post(PAGE, data=await the_form(staff, **{"gap.length": "6"}))
    body = (await api.get("/v1/contact-policy")).json()["policy"]
    await api.put("/v1/contact-policy", json={**body, "gap": "5 hours"})

    saved = await staff.post(f"{PAGE}/save", data=tried(looked.text))

    assert saved.status_code == 409
    assert "Somebody changed the policy meanwhile" in saved.text
    assert (await api.get("/v1/contact-policy")).json()["policy"]["gap"] == "5 hours"


async def test_a_key_that_may_only_look_changes_nothing(app: FastAPI, house: House, staff: httpx.AsyncClient) -> None:
    looked = await staff.post(PAGE, data=await the_form(staff, **{"gap.length": "6"}))
    key = await Keys(house.database).create("support", ["console"])
    async with client_of(app) as support:
        await support.post("/console/sign-in", data={"key": key})

        page = await support.get(PAGE)
        saved = await support.post(f"{PAGE}/save", data=tried(looked.text))

    assert "Your key may look" in page.text
    assert saved.status_code == 403
    assert "Tropa’s own defaults" in (await staff.get(PAGE)).text


async def test_what_no_page_of_ours_says_saves_nothing(staff: httpx.AsyncClient, asking: httpx.AsyncClient) -> None:
    assert (await asking.post(f"{PAGE}/save", data={})).headers["location"] == "/console/sign-in"

    answer = await staff.post(f"{PAGE}/save", data={"policy": "{}", "version": "0"})

    assert (answer.status_code, answer.headers["location"]) == (303, PAGE)
    assert "Tropa’s own defaults" in (await staff.get(PAGE)).text
