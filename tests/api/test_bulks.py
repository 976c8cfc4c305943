"""Entering many over the API: a draft that changes nothing, two keys for a large one, and CSV that is safe to open."""

import csv
import io
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from domain.ads import Platform, hashed_email, hashed_phone
from services.keys import SCOPES, Keys
from tests.api.conftest import client_of
from tests.api.stories import ANNA, know_anna, rows
from tropa.wiring import House

DRAFT = "/v1/journeys/WelcomeChain/enrollments:bulk"
GOOGLE = Platform.GOOGLE
AS_CSV = {"Content-Type": "text/csv; charset=utf-8"}


@pytest.fixture
async def colleague(app: FastAPI, house: House) -> AsyncIterator[httpx.AsyncClient]:
    """A client with another key."""
    key = await Keys(house.database).create("a colleague", sorted(SCOPES))
    async with client_of(app, Authorization=f"Bearer {key}") as client:
        yield client


async def drafted(api: httpx.AsyncClient, *customers: str, **query: Any) -> dict[str, Any]:
    answer = await api.post(DRAFT, json={"customers": customers}, params=query)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/v1/bulks/{answer.json()['id']}"
    found: dict[str, Any] = answer.json()
    return found


async def enter(house: House, bulk: dict[str, Any]) -> None:
    await house.bulk_entering.enter(bulk["id"], lambda progress: True)


async def test_a_bulk_from_the_draft_to_the_last_customer(api: httpx.AsyncClient, house: House) -> None:
    await know_anna(api)
    bulk = await drafted(api, ANNA, "nobody@example.com", per_second=100, locale="ru")
    assert await rows(house, "SELECT 1 FROM enrollments") == []
    assert (bulk["state"], bulk["entering"], bulk["reachable"]) == ("drafted", 1, {"email": 1})
    assert bulk["excluded"] == [
        {"rule": "unknown", "text": "Таких клиентов здесь нет", "count": 1, "sample": ["nobody@example.com"]}
    ]
    assert bulk["volume"] == {
        "seconds": 0.01,
        "entering_first_hour": 1,
        "messages_first_hour_at_most": 1,
        "messages_a_day_at_most": 2,
        "messages_first_hour_likely": None,
        "messages_by_day_likely": None,
    }

    started = await api.post(f"/v1/bulks/{bulk['id']}:start", json={"per_second": 50})
    assert (started.status_code, started.json()["state"], started.json()["remaining"]) == (200, "running", 1)
    await enter(house, bulk)

    now = (await api.get(f"/v1/bulks/{bulk['id']}")).json()
    assert (now["state"], now["entered"], now["remaining"], now["refused"]) == ("done", 1, 0, [])
    assert [line["id"] for line in (await api.get("/v1/bulks")).json()["bulks"]] == [bulk["id"]]
    found = await rows(house, "SELECT cause, options FROM enrollments")
    assert (found[0]["cause"], found[0]["options"]["basics_on_day"]) == ("bulk", "2 days")


async def test_a_large_one_needs_a_second_key(
    api: httpx.AsyncClient, colleague: httpx.AsyncClient, house: House
) -> None:
    house.bulks.approve_above = 0
    await know_anna(api)
    bulk = await drafted(api, ANNA)
    path = f"/v1/bulks/{bulk['id']}"

    own = await api.post(f"{path}:approve")
    early = await api.post(f"{path}:start")
    approved = await colleague.post(f"{path}:approve")
    start = await api.post(f"{path}:start")

    assert bulk["approval"] == "needed"
    assert (own.status_code, early.status_code) == (409, 409)
    assert "somebody else has to look" in own.json()["detail"]
    assert (approved.json()["approval"], approved.json()["approved_by"]) == ("given", "a colleague")
    assert (start.status_code, start.json()["state"]) == (200, "running")
    log = (await api.get("/v1/audit", params={"subject": bulk["id"]})).json()["entries"]
    assert [(entry["action"], entry["actor_name"]) for entry in log] == [
        ("bulk.started", "the shop"),
        ("bulk.approved", "a colleague"),
        ("bulk.drafted", "the shop"),
    ]


async def test_people_come_as_csv_and_go_as_csv_that_computes_nothing(api: httpx.AsyncClient, house: House) -> None:
    await know_anna(api)
    for customer in ("=1+1", "+49 30", "@anna"):
        await know_anna(api, customer)
    body = '\ufeffName;customer_id\r\n"Petrova;\r\nAnna";anna@example.com\r\n;\'=1+1\r\nB;"+49 30"\r\nC;@anna\r\n'
    bulk = (await api.post(DRAFT, content=body.encode(), headers=AS_CSV)).json()
    await api.post(f"/v1/bulks/{bulk['id']}:start")
    await enter(house, bulk)

    answer = await api.get(f"/v1/bulks/{bulk['id']}/customers.csv")

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    assert {line["customer_id"] for line in lines} == {ANNA, "'=1+1", "'+49 30", "'@anna"}
    assert {(line["state"], line["walk"]) for line in lines} == {("entered", "walking")}
    again = await api.post(DRAFT, content=answer.content, headers=AS_CSV)
    assert (again.json()["audience"], again.json()["excluded"][0]["rule"]) == (4, "already_walking")
    assert (await api.get("/v1/audit")).json()["entries"][1]["action"] == "bulk.exported"


async def test_a_segment_enters_and_leaves_the_house_as_a_list_and_as_hashes(api: httpx.AsyncClient) -> None:
    words = {"en": "Teams", "ru": "Команды"}
    rule = {"attribute": {"plan": {"equals": "team"}}}
    made = await api.put("/v1/segments/teams", json={"label": words, "description": words, "rule": rule})
    assert made.status_code == 201, made.text
    await know_anna(api, "=1+1", attributes={"plan": "team"}, consents={"all/ads": {"status": "granted"}})
    await know_anna(api, "boris", attributes={"plan": "solo"})

    bulk = await api.post(DRAFT, json={"segment": "teams"})
    listed = await api.get("/v1/segments/teams/customers.csv")
    hashed = await api.get("/v1/segments/teams/audience.csv", params={"for": "google"})
    unknown = [await api.get(f"/v1/segments/nowhere/{what}") for what in ("customers.csv", "audience.csv?for=meta")]

    assert (bulk.json()["source"], bulk.json()["audience"]) == ("segment teams", 1)
    assert [line.split(",")[0] for line in listed.text.splitlines()] == ["customer_id", "'=1+1"]
    assert hashed.text.splitlines() == ["Email,Phone", f"{hashed_email(ANNA)},{hashed_phone('+4930901820', GOOGLE)}"]
    assert [answer.status_code for answer in unknown] == [404, 404]


async def test_who_is_erased_is_in_no_list_any_more(api: httpx.AsyncClient, house: House) -> None:
    await know_anna(api, consents={"all": {"status": "denied"}})
    drafted = await api.post(DRAFT, json={"customers": [ANNA, "else"]}, headers={"Idempotency-Key": "spring"})
    assert ANNA in drafted.text

    await api.delete(f"/v1/customers/{ANNA}")

    for table in ("bulk_customers", "idempotency_keys", "bulks", "audit"):
        assert ANNA not in str(await rows(house, f"SELECT * FROM {table}"))
    again = (await api.get(drafted.headers["location"])).json()
    assert [each["count"] for each in again["excluded"]] == [1, 1]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "file: it is empty"),
        ("name\nAnna\n", "customer_id: is missing"),
        ("customer_id\nanna\n\n" + "x" * 201 + "\n", "line 4: customer_id: must have 1 to 200 characters"),
        ("customer_id\nanna,2\n", "line 2: has 2 cells, and the header 1"),
        ('customer_id\n"anna" x\n', "line 2: cannot be read"),
        ('customer_id\n"anna\nboris\n', "line 2: a quotation mark is never closed"),
        ("customer_id\n\udcff\n", "line 2: customer_id: is not UTF-8"),
        ("customer_id,customer_id\n", "customer_id: stands there twice"),
    ],
)
async def test_csv_that_cannot_be_used_names_its_lines(asking: httpx.AsyncClient, body: str, said: str) -> None:
    answer = await asking.post(DRAFT, content=body.encode(errors="surrogateescape"), headers=AS_CSV)

    assert answer.status_code == 422
    assert answer.json()["problems"][0].startswith(said)


async def test_wrong_bodies_and_wrong_names_say_so(asking: httpx.AsyncClient) -> None:
    wrong = await asking.post(DRAFT, json={"customers": [7], "colour": "red"})
    unknown = await asking.post("/v1/journeys/Nowhere/enrollments:bulk", json={"customers": ["anna"]})
    missing = [await asking.post(f"/v1/bulks/blk_x:{do}") for do in ("approve", "start", "pause", "resume", "cancel")]
    fast = await asking.post("/v1/bulks/blk_x:start", json={"per_second": 501, "canary_share": 1})

    assert (wrong.status_code, len(wrong.json()["problems"])) == (422, 2)
    assert unknown.status_code == 404
    assert {answer.status_code for answer in missing} == {404}
    assert (fast.status_code, len(fast.json()["problems"])) == (422, 2)
    assert (await asking.get("/v1/bulks/blk_x/customers.csv")).status_code == 404


async def test_a_list_may_be_larger_than_other_bodies_but_not_without_a_key(
    asking: httpx.AsyncClient,
) -> None:
    large = "customer_id\n" + f"{'x' * 199}\n" * 15_000

    known = await asking.post(DRAFT, content=large.encode(), headers=AS_CSV)
    stranger = await asking.post(DRAFT, content=large.encode(), headers={**AS_CSV, "Authorization": ""})
    too_large = await asking.post(DRAFT, content=b"x" * (33 * 1024 * 1024), headers=AS_CSV)

    assert (known.status_code, stranger.status_code, too_large.status_code) == (201, 401, 413)


async def test_a_draft_is_made_once_under_one_idempotency_key(api: httpx.AsyncClient) -> None:
    await know_anna(api)
    key = {"Idempotency-Key": "spring"}

    first = await api.post(DRAFT, json={"customers": [ANNA]}, headers=key)
    again = await api.post(DRAFT, json={"customers": [ANNA]}, headers=key)

    assert (first.status_code, again.json()["id"]) == (201, first.json()["id"])
