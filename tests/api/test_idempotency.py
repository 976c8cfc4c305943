"""Idempotency-Key: a command that is repeated is done once and answered alike."""

import asyncio

import httpx
import pytest

from services.keys import Keys
from tests.api.stories import ANNA, enroll, know_anna, rows
from tropa.wiring import House

KEY = {"Idempotency-Key": "enter-anna-1"}


async def test_repeated_it_is_answered_alike_and_says_so(api: httpx.AsyncClient, house: House) -> None:
    await know_anna(api)

    first, again = await enroll(api, **KEY), await enroll(api, **KEY)

    assert (first.status_code, first.content, first.headers["location"]) == (
        again.status_code,
        again.content,
        again.headers["location"],
    )
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert len(await rows(house, "SELECT 1 FROM enrollments")) == 1


async def test_twins_do_it_once(api: httpx.AsyncClient, house: House) -> None:
    await know_anna(api)

    answers = await asyncio.gather(*(enroll(api, **KEY) for _ in range(6)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 5
    assert len(await rows(house, "SELECT 1 FROM dispatches")) == 1


async def test_a_key_is_for_one_request(api: httpx.AsyncClient) -> None:
    await know_anna(api)
    enrollment = (await enroll(api, **KEY)).headers["location"]

    other_body = await enroll(api, "boris", **KEY)
    other_route = await api.post(f"{enrollment}/pause", headers=KEY)

    assert (other_body.status_code, other_route.status_code) == (422, 422)
    assert "Idempotency-Key" in other_body.json()["problems"][0]


async def test_a_refusal_is_not_kept(api: httpx.AsyncClient, house: House) -> None:
    refused = await enroll(api, **KEY)
    await know_anna(api)

    assert (refused.status_code, (await enroll(api, **KEY)).status_code) == (404, 201)


async def test_keys_of_two_callers_do_not_meet(api: httpx.AsyncClient, house: House) -> None:
    await know_anna(api)
    await know_anna(api, "boris")
    await enroll(api, **KEY)
    other = await Keys(house.database).create("another shop", ["journeys:write"])

    entered = await enroll(api, "boris", **KEY, Authorization=f"Bearer {other}")

    assert entered.status_code == 201
    assert entered.json()["customer_id"] == "boris"


@pytest.mark.parametrize("verb", ["leave", "pause", "resume"])
async def test_every_command_takes_a_key(api: httpx.AsyncClient, verb: str) -> None:
    await know_anna(api)
    enrollment = (await enroll(api)).headers["location"]

    first = await api.post(f"{enrollment}/{verb}", headers=KEY, json={} if verb == "leave" else None)
    again = await api.post(f"{enrollment}/{verb}", headers=KEY, json={} if verb == "leave" else None)

    assert first.content == again.content
    assert again.headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize("key", ["", "x" * 201, "a\tb"], ids=["empty", "long", "tab"])
async def test_a_wrong_key_is_a_problem(asking: httpx.AsyncClient, key: str) -> None:
    answer = await enroll(asking, ANNA, **{"Idempotency-Key": key})

    assert answer.status_code == 422
    assert "Idempotency-Key" in answer.json()["problems"][0]
