"""The contact policy over HTTP: read, tried out, set, and in force for the next message."""

import copy
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.api.stories import enroll, know_anna, rows, send
from tests.support.factories import SettableClock
from tropa.wiring import House

POLICY = "/v1/contact-policy"


async def the_policy(api: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    """The policy in force as a body, with changes."""
    body = (await api.get(POLICY)).json()["policy"]
    return {**copy.deepcopy(body), **changes}


async def test_the_defaults_are_told_in_words_and_nobody_set_them(api: httpx.AsyncClient) -> None:
    answer = (await api.get(POLICY)).json()

    assert (answer["version"], answer["set_by"]) == (0, "")
    told = answer["policy"]
    assert (told["cap"], told["gap"]) == ({"times": 2, "within": "1 day"}, "4 hours")
    assert told["quiet"] == {"start": "21:00", "end": "09:00"}
    assert told["audiences"]["sleeping"] == {"times": 2, "within": "30 days"}
    assert "sms" not in told["channels"]["offer"]
    assert "sms" in told["channels"]["transactional"]


async def test_what_is_put_back_unchanged_means_the_same(api: httpx.AsyncClient) -> None:
    body = await the_policy(api)

    answer = await api.put(POLICY, json=body)

    assert answer.status_code == 200
    assert answer.json()["policy"] == body


async def test_what_is_set_binds_the_next_message_and_says_so(
    api: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    await know_anna(api)
    enrollment = (await enroll(api)).json()
    await api.put(POLICY, json=await the_policy(api, gap="6 hours"))
    await send(house, enrollment, "greeting", clock.now())
    clock.pass_(timedelta(hours=5))

    later = await send(house, enrollment, "basics", clock.now())

    assert (later.rule, later.until) == ("gap", clock.now() + timedelta(hours=1))
    set_by = (await api.get(POLICY)).json()
    assert (set_by["version"], set_by["set_by"]) == (1, "the shop")


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        ({"gap": "soon"}, ["gap: 'soon' is not a duration"]),
        ({"cap": {"times": 0, "within": "1 day"}}, ["cap: times must be between 1 and 1000; got 0"]),
        ({"cap": {"times": 2, "within": "5 minutes"}}, ["cap: within must be between 1 hour and 366 days"]),
        ({"quiet": {"start": "08:00", "end": "07:00"}}, ["quiet: must leave at least 4 hours of the day"]),
        ({"jitter": "5 hours"}, ["jitter: must be between nothing and 3 hours; got 5 hours"]),
        ({"values_before_offer": -1}, ["values_before_offer: must be between 0 and 20; got -1"]),
        ({"audiences": {}}, ["audiences.new_lead: is missing", "audiences.active: is missing"]),
    ],
)
async def test_what_cannot_be_is_refused_field_by_field_and_changes_nothing(
    api: httpx.AsyncClient, changes: dict[str, Any], problems: list[str]
) -> None:
    answer = await api.put(POLICY, json=await the_policy(api, **changes))

    assert answer.status_code == 422
    for problem in problems:
        assert any(told.startswith(problem) for told in answer.json()["problems"]), answer.json()["problems"]
    assert (await api.get(POLICY)).json()["version"] == 0


async def test_who_sets_over_somebody_elses_change_is_told(api: httpx.AsyncClient) -> None:
    seen = await the_policy(api)
    await api.put(POLICY, json=await the_policy(api, gap="5 hours"))

    answer = await api.put(POLICY, json={**seen, "gap": "6 hours"}, headers={"If-Match": "0"})

    assert answer.status_code == 409
    assert "version 1 is in force" in answer.json()["detail"]
    assert (await the_policy(api))["gap"] == "5 hours"


async def test_the_preview_plays_the_last_week_again_and_changes_nothing(
    api: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    await know_anna(api)
    enrollment = (await enroll(api)).json()
    for message in ("greeting", "basics", "did_it_work"):
        await send(house, enrollment, message, clock.now())
        clock.pass_(timedelta(hours=5))
    before = await rows(house, "SELECT state, slot_at FROM sends ORDER BY id")

    often, short = {"times": 5, "within": "1 day"}, {"start": "23:00", "end": "05:00"}
    looser = await the_policy(api, cap=often, gap="1 hour", quiet=short)
    seen = (await api.post(f"{POLICY}/preview", json=looser)).json()

    assert (seen["messages"], seen["whole"]) == (3, True)
    assert (seen["in_force"]["at_once"], seen["in_force"]["later"]) == (2, 1)
    assert (seen["yours"]["at_once"], seen["yours"]["later"], seen["yours"]["rules"]) == (3, 0, {})
    assert sum(seen["yours"]["days"]) == 3
    assert await rows(house, "SELECT state, slot_at FROM sends ORDER BY id") == before
    assert (await api.get(POLICY)).json()["version"] == 0
