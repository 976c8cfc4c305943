"""Imports over the API: a file as it is, counts, and the rows that were wrong."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.api.stories import rows
from tropa.wiring import House

AS_CSV = {"Content-Type": "text/csv"}
ORDERS = "customer_id,order,placed_at,total\nanna,1,2025-11-30,5\nanna,2,yesterday,5\n"


async def test_a_file_is_stored_and_its_wrong_rows_can_be_downloaded(api: httpx.AsyncClient, house: House) -> None:
    done = await api.post("/v1/imports/orders", content=ORDERS.encode(), headers=AS_CSV)

    assert done.status_code == 201, done.text
    said = done.json()
    assert (said["state"], said["rows"], said["stored"], said["known"], said["wrong"]) == ("done", 2, 1, 0, 1)
    assert [(wrong["line"], wrong["field"]) for wrong in said["problems"]] == [(3, "placed_at")]
    assert (await api.get(done.headers["location"])).json() == said
    assert (await api.get("/v1/imports")).json() == {"imports": [said], "cursor": None}
    problems = await api.get(f"{done.headers['location']}/problems.csv")
    assert problems.text.splitlines() == [
        "line,field,problem",
        '3,placed_at,"must be ISO 8601, such as 2026-01-31 or 2026-01-31T09:00:00Z"',
    ]
    assert "yesterday" not in str(await rows(house, "SELECT * FROM import_problems"))
    log = (await api.get("/v1/audit", params={"subject": said["id"]})).json()["entries"]
    assert [(entry["action"], entry["after"]) for entry in log] == [("import.started", {"kind": "orders"})]


@pytest.mark.parametrize(
    ("kind", "body", "said"),
    [
        ("customers", "id,email\n", "id: is no column; the columns are consent.all"),
        ("customers", "customer_id,first name\n", "first name: is no column; the columns are"),
        ("events", "customer_id,name\n", "occurred_at: is missing"),
        ("orders", "", "file: it is empty; the first line names the columns"),
        ("orders", "customer_id;order;placed_at\n", "total: is missing"),
    ],
)
async def test_a_file_with_other_columns_says_which(asking: httpx.AsyncClient, kind: str, body: str, said: str) -> None:
    answer = await asking.post(f"/v1/imports/{kind}", content=body.encode(), headers=AS_CSV)

    assert answer.status_code == 422
    assert answer.json()["problems"][0].startswith(said)


async def test_other_files_and_unknown_imports_say_so(asking: httpx.AsyncClient) -> None:
    utf16 = await asking.post("/v1/imports/orders", content=ORDERS.encode("utf-16"), headers=AS_CSV)
    as_json = await asking.post("/v1/imports/orders", json={})

    assert (utf16.status_code, utf16.json()["problems"]) == (422, ["file: is UTF-16; save it as “CSV UTF-8”"])
    assert as_json.status_code == 415
    assert (await asking.get("/v1/imports/imp_x")).status_code == 404
    assert (await asking.get("/v1/imports/imp_x/problems.csv")).status_code == 404


async def test_a_large_file_comes_in_pieces(api: httpx.AsyncClient) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"customer_id,name,occurred_at,property.note\n"
        for number in range(300):
            yield f"anna,looked,2025-11-30,{number:010000}\n".encode()

    done = await api.post("/v1/imports/events", content=pieces(), headers=AS_CSV)

    assert (done.status_code, done.json()["stored"]) == (201, 300)
