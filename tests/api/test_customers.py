"""Customers: a GET after a PUT is true, and an older word never overrides a newer one."""

import asyncio
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.api.stories import ANNA, PROFILE, know_anna, rows
from tropa.wiring import House


async def test_what_was_put_is_got(api: httpx.AsyncClient) -> None:
    put = await api.put(f"/v1/customers/{ANNA}", json=PROFILE)
    got = await api.get(f"/v1/customers/{ANNA}")

    assert (put.status_code, got.status_code) == (201, 200)
    assert put.json() == got.json()
    assert got.json()["id"].startswith("cus_")
    assert got.json()["phone"] == "+4930901820"
    assert got.json()["consents"]["email"]["status"] == "granted"


async def test_putting_again_replaces_the_profile_and_keeps_consents(api: httpx.AsyncClient) -> None:
    await know_anna(api)

    again = await api.put(f"/v1/customers/{ANNA}", json={"locale": "ru_kz", "attributes": {"plan": "team"}})

    assert again.status_code == 200
    now = again.json()
    assert (now["email"], now["phone"], now["timezone"], now["locale"]) == (None, None, None, "ru-KZ")
    assert now["attributes"] == {"plan": "team"}
    assert now["consents"]["email"]["status"] == "granted"


async def test_a_patch_changes_what_it_names(api: httpx.AsyncClient) -> None:
    await know_anna(api)

    now = (
        await api.patch(
            f"/v1/customers/{ANNA}", json={"phone": None, "attributes": {"last_name": None, "plan": "team"}}
        )
    ).json()

    assert (now["email"], now["phone"]) == (ANNA, None)
    assert now["attributes"] == {"first_name": "Anna", "plan": "team"}


async def test_a_change_appends_its_event_without_the_data(api: httpx.AsyncClient, house: House) -> None:
    await know_anna(api)
    await know_anna(api)

    names = [event["name"] for event in await rows(house, "SELECT name FROM events")]
    assert names.count("profile_changed") == 1
    said = await rows(house, "SELECT properties FROM events ORDER BY name LIMIT 2")
    assert said[0]["properties"] == {"channel": "email", "status": "granted"}
    assert ANNA not in str(said)


async def test_an_older_word_never_overrides_a_newer_one(api: httpx.AsyncClient, house: House) -> None:
    await know_anna(api, consents={"email": {"status": "granted", "at": "2026-03-02T09:00:00Z"}})

    refused = await api.patch(
        f"/v1/customers/{ANNA}", json={"consents": {"email": {"status": "denied", "at": "2026-03-01T09:00:00Z"}}}
    )

    assert refused.json()["consents"]["email"]["status"] == "granted"
    assert [
        e["properties"] for e in await rows(house, "SELECT properties FROM events WHERE name = 'consent_changed'")
    ] == [{"channel": "email", "status": "granted"}]


async def test_a_refusal_of_everything_ends_what_she_walks(api: httpx.AsyncClient, house: House) -> None:
    await know_anna(api)
    await api.post("/v1/journeys/WelcomeChain/enrollments", json={"customer_id": ANNA})

    await api.patch(f"/v1/customers/{ANNA}", json={"consents": {"all": {"status": "denied"}}})

    assert await rows(house, "SELECT leaving FROM enrollments") == [{"leaving": "opted_out"}]


@pytest.mark.parametrize("customer_id", ["a/b", "a b", "ä@example.com", "100%", "a?b#c", "a%2Fb", "../x", "a/timeline"])
async def test_any_id_survives_its_address(api: httpx.AsyncClient, customer_id: str) -> None:
    address = f"/v1/customers/{quote(customer_id, safe='')}"

    await api.put(address, json={})

    assert (await api.get(address)).json()["customer_id"] == customer_id
    assert (await api.get(f"{address}/timeline")).status_code == 200


@pytest.mark.parametrize("method", ["GET", "PATCH"])
async def test_nobody_is_made_up(api: httpx.AsyncClient, method: str) -> None:
    answer = await api.request(method, "/v1/customers/nobody", json={} if method == "PATCH" else None)

    assert answer.status_code == 404
    assert "nobody" not in answer.text


async def test_twins_make_one_customer(api: httpx.AsyncClient, house: House) -> None:
    answers = await asyncio.gather(*(api.put(f"/v1/customers/{ANNA}", json=PROFILE) for _ in range(6)))

    assert {answer.status_code for answer in answers} <= {200, 201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(await rows(house, "SELECT 1 FROM customers")) == 1


async def test_an_erased_customer_does_not_come_back(api: httpx.AsyncClient, house: House) -> None:
    await know_anna(api)
    async with house.database.transaction() as connection:
        await connection.exec_driver_sql("UPDATE customers SET erased_at = now(), email = NULL")

    assert (await api.put(f"/v1/customers/{ANNA}", json=PROFILE)).status_code == 409
    assert (await rows(house, "SELECT email FROM customers")) == [{"email": None}]


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "email": ({"email": "secret-canary"}, "email"),
    "local email": ({"email": "secret-canary@localhost"}, "email"),
    "phone": ({"phone": "secret-canary"}, "phone"),
    "phone without a country": ({"phone": "030 901820"}, "phone"),
    "impossible phone": ({"phone": "+49 1"}, "phone"),
    "locale": ({"locale": "secret-canary"}, "locale"),
    "another language": ({"locale": "de"}, "locale"),
    "zone": ({"timezone": "Mars/secret-canary"}, "timezone"),
    "a path for a zone": ({"timezone": "../../etc/passwd"}, "timezone"),
    "number for an email": ({"email": 7}, "email"),
    "list of attributes": ({"attributes": ["secret-canary"]}, "attributes"),
    "large attributes": ({"attributes": {"a": "secret-canary" * 3000}}, "attributes"),
    "NUL": ({"attributes": {"a": "secret-canary\x00"}}, "NUL"),
    "deep": ({"attributes": {"a": [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}}, "deep"),
    "unknown field": ({"name": "secret-canary"}, "name"),
    "unknown channel": ({"consents": {"fax": {"status": "granted"}}}, "consents"),
    "consent": ({"consents": {"email": {"status": "secret-canary"}}}, "consents.email.status"),
    "consent as a word": ({"consents": {"email": "secret-canary"}}, "consents.email"),
    "future consent": (
        {"consents": {"email": {"status": "granted", "at": "2026-03-02T10:06:00Z"}}},
        "consents.email.at",
    ),
    "no zone": ({"consents": {"email": {"status": "granted", "at": "2026-03-02T10:00:00"}}}, "consents.email.at"),
    "number for an instant": ({"consents": {"email": {"status": "granted", "at": 1772445600}}}, "consents.email.at"),
    "out of range": (
        {"consents": {"email": {"status": "granted", "at": "0001-01-01T00:00:00+14:00"}}},
        "consents.email.at",
    ),
}


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize(("body", "field"), WRONG.values(), ids=WRONG.keys())
async def test_what_is_wrong_is_named_not_echoed_and_not_stored(
    asking: httpx.AsyncClient, untouched: House, method: str, body: dict[str, Any], field: str
) -> None:
    await know_anna(asking, attributes={})
    before = await rows(untouched, "SELECT * FROM customers")

    answer = await asking.request(method, f"/v1/customers/{ANNA}", json=body)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert any(field in problem for problem in answer.json()["problems"])
    assert "secret-canary" not in answer.text
    assert await rows(untouched, "SELECT * FROM customers") == before


RAW = {
    "no JSON": b"{",
    "lone surrogate": rb'{"email":"\ud800"}',
    "NaN": b'{"attributes":{"a":NaN}}',
    "no UTF-8": b'{"email":"\xff"}',
    "huge number": b'{"attributes":{"a":1e999}}',
    "endless number": b'{"attributes":{"a":1%s}}' % (b"0" * 5000),
    "no object": b"[]",
    "nothing": b"",
    "endless depth": b'{"attributes":' + b"[" * 100_000,
}


@pytest.mark.parametrize("body", RAW.values(), ids=RAW.keys())
async def test_what_cannot_be_read_is_a_problem(asking: httpx.AsyncClient, untouched: House, body: bytes) -> None:
    answer = await asking.put("/v1/customers/x", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert await rows(untouched, "SELECT 1 FROM customers WHERE customer_id = 'x'") == []
