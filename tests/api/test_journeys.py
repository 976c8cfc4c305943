"""Journeys and enrollments: looking, setting, entering by hand, pausing and ending."""

from typing import Any

import httpx
import pytest

from tests.api.stories import ANNA, enroll, know_anna, rows, send
from tests.support.factories import SettableClock
from tropa.wiring import House

CHAIN = "/v1/journeys/WelcomeChain"


async def test_a_journey_tells_its_plan_its_options_and_its_counts(api: httpx.AsyncClient) -> None:
    await know_anna(api)
    await enroll(api)

    listed = (await api.get("/v1/journeys")).json()["journeys"]
    chain = (await api.get(CHAIN)).json()

    assert chain in listed
    assert chain["story"].startswith("Welcome chain")
    assert (chain["starts_on"], chain["goal"], chain["open"], chain["endings"]) == (
        ["order_placed", "deal_won"],
        "activated",
        1,
        {},
    )
    assert chain["options"][0] == {
        "name": "basics_on_day",
        "kind": "duration",
        "value": "2 days",
        "default": "2 days",
        "least": "1 hour",
        "most": "30 days",
        "choices": [],
    }
    assert "greeting" in chain["messages"]


async def test_the_map_has_a_row_for_each_touchpoint_as_it_is_set_up_here(api: httpx.AsyncClient) -> None:
    await api.patch(CHAIN, json={"options": {"starts_on": ["signed_up"]}})

    told = (await api.get(f"{CHAIN}/map")).json()

    assert told["journey"] == "WelcomeChain"
    assert [row["name"] for row in told["touchpoints"] if row["reached"] == "customer"] == [
        *("greeting", "setup_help", "basics", "did_it_work", "personal_help")
    ]
    assert [row["goal"] for row in told["touchpoints"] if row["reached"] == "colleague"] == [
        "Help a new customer to get going"
    ]
    assert told["touchpoints"][0] == {
        "stages": ["consideration"],
        "triggers": ["signed_up"],
        "reached": "customer",
        "name": "greeting",
        "channels": ["email"],
        "purpose": "service",
        "goal": "The customer knows the three first steps, has the links at hand and takes the first step today.",
    }
    assert (await api.get("/v1/journeys/NoSuch/map")).status_code == 404


async def test_options_set_here_hold_for_those_who_enter_later(api: httpx.AsyncClient) -> None:
    await know_anna(api)

    changed = await api.patch(CHAIN, json={"options": {"basics_on_day": "3 days", "starts_on": ["signed_up"]}})

    assert changed.status_code == 200
    assert changed.json()["options"][0]["value"] == "3 days"
    assert changed.json()["starts_on"] == ["signed_up"]
    assert (await enroll(api)).json()["options"]["basics_on_day"] == "3 days"


WRONG_OPTIONS: list[dict[str, Any]] = [
    {"basics_on_day": "soon"},
    {"basics_on_day": 2},
    {"basics_on_day": "31 days"},
    {"discount": 10},
    {"starts_on": ["anything"]},
    {"starts_on": "order_placed"},
]


@pytest.mark.parametrize("options", WRONG_OPTIONS, ids=str)
async def test_wrong_options_are_named(asking: httpx.AsyncClient, untouched: House, options: dict[str, Any]) -> None:
    answer = await asking.patch(CHAIN, json={"options": options})

    assert answer.status_code == 422
    assert f"options.{next(iter(options))}" in answer.json()["problems"][0]
    assert await rows(untouched, "SELECT 1 FROM journey_settings") == []


async def test_entering_answers_the_enrollment_and_where_it_is(api: httpx.AsyncClient, house: House) -> None:
    await know_anna(api)

    entered = await enroll(api)

    assert entered.status_code == 201
    assert entered.headers["location"] == f"/v1/enrollments/{entered.json()['id']}"
    assert (await api.get(entered.headers["location"])).json() == entered.json()
    assert [row["kind"] for row in await rows(house, "SELECT kind FROM dispatches")] == ["start"]


async def test_who_walks_it_already_does_not_enter_again(api: httpx.AsyncClient) -> None:
    await know_anna(api)
    await enroll(api)

    again = await enroll(api)

    assert again.status_code == 409
    assert again.json()["rule"] == "already_walking"
    assert "already walking it" in again.json()["detail"]


WRONG_ENTRIES: list[dict[str, Any]] = [
    {},
    {"customer_id": ""},
    {"customer_id": 7},
    {"customer_id": ANNA, "about": "order-1"},
    {"customer_id": ANNA, "options": {"basics_on_day": "soon"}},
    {"customer_id": ANNA, "options": {"starts_on": ["order_placed"]}},
    {"customer_id": ANNA, "more": 1},
]


@pytest.mark.parametrize("body", WRONG_ENTRIES, ids=str)
async def test_a_wrong_entry_is_a_problem(asking: httpx.AsyncClient, untouched: House, body: dict[str, Any]) -> None:
    await know_anna(asking)

    answer = await asking.post(f"{CHAIN}/enrollments", json=body)

    assert answer.status_code == 422
    assert answer.json()["problems"]
    assert await rows(untouched, "SELECT 1 FROM enrollments") == []


NOWHERE: list[tuple[str, str, dict[str, Any] | None]] = [
    ("GET", "/v1/journeys/Nowhere", None),
    ("PATCH", "/v1/journeys/Nowhere", {"options": {}}),
    ("POST", "/v1/journeys/Nowhere/enrollments", {"customer_id": ANNA}),
    ("POST", f"{CHAIN}/enrollments", {"customer_id": "nobody"}),
    ("GET", "/v1/enrollments/enr_0", None),
    ("POST", "/v1/enrollments/enr_0/leave", {"reason": ""}),
    ("POST", "/v1/enrollments/enr_0/pause", None),
    ("POST", "/v1/enrollments/enr_0/resume", None),
    ("GET", "/v1/nothing", None),
    ("GET", "/", None),
]


@pytest.mark.parametrize(("method", "path", "body"), NOWHERE)
async def test_what_is_not_there_is_a_problem(
    asking: httpx.AsyncClient, method: str, path: str, body: dict[str, Any] | None
) -> None:
    answer = await asking.request(method, path, json=body)

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 404


async def test_pausing_resuming_and_leaving(api: httpx.AsyncClient, house: House) -> None:
    await know_anna(api)
    enrollment = (await enroll(api)).headers["location"]

    states = [(await api.post(f"{enrollment}/{verb}")).json()["state"] for verb in ("pause", "pause", "resume")]
    left = (await api.post(f"{enrollment}/leave", json={"reason": "she asked"})).json()

    assert states == ["paused", "paused", "walking"]
    assert (left["state"], left["ending"]) == ("ended", "stopped")
    assert left["decisions"][-1]["text"] == "Stopped by the shop: she asked"
    assert (await api.post(f"{enrollment}/leave", json={})).status_code == 200
    assert (await api.post(f"{enrollment}/pause")).status_code == 409
    assert [row["kind"] for row in await rows(house, "SELECT kind FROM dispatches ORDER BY id")] == ["start", "cancel"]


@pytest.mark.parametrize("body", [{"reason": 7}, {"why": "x"}, {"reason": "x" * 201}, {"reason": "a\nb"}], ids=str)
async def test_a_wrong_reason_is_a_problem(asking: httpx.AsyncClient, body: dict[str, Any]) -> None:
    assert (await asking.post("/v1/enrollments/enr_0/leave", json=body)).status_code == 422


async def test_an_enrollment_tells_where_it_stands(api: httpx.AsyncClient, house: House, clock: SettableClock) -> None:
    await know_anna(api)
    enrollment = (await enroll(api)).json()
    await send(house, enrollment, "greeting", clock.now())

    now = (await api.get(f"/v1/enrollments/{enrollment['id']}")).json()

    assert (now["last"]["message"], now["last"]["state"], now["last"]["channel"]) == ("greeting", "accepted", "email")
    assert [d["rule"] for d in now["decisions"]] == ["enrolled", "accepted"]


async def test_another_method_is_told_which_there_are(asking: httpx.AsyncClient) -> None:
    answer = await asking.delete("/v1/journeys")

    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET"
    assert answer.headers["content-type"] == "application/problem+json"


async def test_messages_are_listed_with_their_promises(asking: httpx.AsyncClient) -> None:
    messages = (await asking.get("/v1/messages")).json()["messages"]

    greeting = next(message for message in messages if message["name"] == "greeting")
    assert (greeting["journey"], greeting["purpose"], greeting["channels"]) == ("WelcomeChain", "service", ["email"])
    assert (greeting["locales"], greeting["shelf_life"], greeting["limit"]) == (["en", "ru"], "2 days", "2 in 30 days")


async def test_a_preview_is_written_for_a_customer_or_an_invented_one(api: httpx.AsyncClient, house: House) -> None:
    await know_anna(api, locale="ru")
    address = "/v1/messages/WelcomeChain/greeting/preview"

    anna = (await api.post(address, json={"customer_id": ANNA})).json()
    boris = (await api.post(address, json={"locale": "en", "attributes": {"first_name": "Boris"}})).json()

    assert anna["locale"] == "ru"
    assert "Anna, добро пожаловать" in anna["text"]
    assert "Welcome, Boris" in boris["text"]
    assert "Welcome, Boris" in boris["html"]
    assert await rows(house, "SELECT 1 FROM sends") == []


WRONG_PREVIEWS: list[tuple[str, dict[str, Any], int]] = [
    ("WelcomeChain/greeting", {"channel": "sms"}, 422),
    ("WelcomeChain/greeting", {"channel": "fax"}, 422),
    ("WelcomeChain/greeting", {"locale": "de"}, 422),
    ("WelcomeChain/greeting", {"customer_id": "nobody"}, 404),
    ("WelcomeChain/nothing", {}, 404),
    ("Nowhere/greeting", {}, 404),
]


@pytest.mark.parametrize(("message", "body", "status"), WRONG_PREVIEWS)
async def test_what_cannot_be_previewed_is_a_problem(
    asking: httpx.AsyncClient, message: str, body: dict[str, Any], status: int
) -> None:
    assert (await asking.post(f"/v1/messages/{message}/preview", json=body)).status_code == status


async def test_a_control_group_is_a_share_of_those_who_enter(api: httpx.AsyncClient) -> None:
    assert (await api.get(CHAIN)).json()["holdout"] == 0

    changed = await api.patch(CHAIN, json={"options": {"holdout": 0.05}})

    assert changed.json()["holdout"] == 0.05
    for wrong in (0.6, -0.1, "5 %", True):
        refused = await api.patch(CHAIN, json={"options": {"holdout": wrong}})
        assert (refused.status_code, "options.holdout" in refused.text) == (422, True), wrong
