"""The product feed over HTTP: by the batch, one by one, as a file, and by page."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import api.limits
from tests.support.typing_commands import Tropa
from tropa.wiring import House

KETTLE: dict[str, Any] = {
    "name": {"en": "Kettle", "ru": "Чайник"},
    "category": "kettles",
    "price": 49.9,
    "currency": "EUR",
    "url": "https://shop.example/kettle",
    "rating": 4.7,
    "stock": 0,
    "related": ["filter"],
    "attributes": {"color": "red"},
}
FILE = """id,name.en,name.ru,price,currency,stock,related,attributes.color
k-1,Kettle,Чайник,"49,90",EUR,3,f-1|f-2,red
k-2,,,5,EUR,,,
k-3,=1+1,Чашка,5,EUR,,,
k-4,Cup,Чашка,,,,,
"""


async def test_a_batch_is_kept_and_each_wrong_product_is_told(api: httpx.AsyncClient) -> None:
    batch = [
        {"id": "kettle", **KETTLE},
        {"id": "cup", "name": "Cup", "price": 5},
        {"id": "pot", "name": "Pot", "colour": "red"},
        {"id": "", "name": "Nothing"},
        {"id": "lid", "name": "Lid\u0000"},
        {"id": "mug", "name": "Mug", "url": "javascript:alert(1)"},
        {"id": "jar", "name": "Jar", "attributes": {"deep": [[[[]]]], "nul": "\u0000"}},
        {"id": "lamp", "name": "Lamp"},
    ]

    kept = (await api.post("/v1/products", json={"products": batch})).json()
    again = (await api.post("/v1/products", json={"products": batch})).json()

    assert (kept["stored"], kept["unchanged"]) == (2, 0)
    assert (again["stored"], again["unchanged"]) == (0, 2)
    assert [(each["index"], each["problem"].partition(":")[0]) for each in kept["rejected"]] == [
        (1, "currency"),
        (2, "Object contains unknown field `colour`"),
        (3, "id"),
        (4, "name"),
        (5, "url"),
        (6, "product"),
    ]


@pytest.mark.parametrize(
    ("body", "status", "problem"),
    [
        (b"{", 400, None),
        (b'{"products": []}', 422, "products: Expected `array` of length >= 1"),
        (b'{"products": {}}', 422, "products: Expected `array`, got `object`"),
    ],
)
async def test_a_wrong_envelope_is_refused(asking: httpx.AsyncClient, body: bytes, status: int, problem: str) -> None:
    refused = await asking.post("/v1/products", content=body)

    assert refused.status_code == status
    assert refused.json().get("problems") == ([problem] if problem else None)


async def test_one_product_is_kept_read_withdrawn_and_brought_back(api: httpx.AsyncClient) -> None:
    address = "/v1/products/kettle%2F2"  # an id may hold a slash

    kept = (await api.put(address, json=KETTLE)).json()
    withdrawn = await api.delete(address)
    gone = (await api.get(address)).json()
    listed = [each["id"] for each in (await api.get("/v1/products")).json()["products"]]
    back = (await api.put(address, json={"name": "Kettle"})).json()

    assert kept == gone | {"withdrawn_at": None}
    assert {**KETTLE, "id": "kettle/2", "available": False}.items() <= kept.items()
    assert withdrawn.status_code == 204 and gone["withdrawn_at"] is not None
    assert listed == []
    assert (back["price"], back["related"], back["available"], back["withdrawn_at"]) == (None, [], True, None)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"name": "Kettle", "price": -1, "currency": "EUR"}, "price: Expected `float` >= 0.0"),
        ({"name": "Kettle", "id": "other"}, "Object contains unknown field `id`"),
        ({"name": "Kettle", "attributes": {"nul": "\u0000"}}, "body: holds the character NUL, which cannot be stored"),
    ],
)
async def test_a_wrong_product_is_refused(asking: httpx.AsyncClient, body: dict[str, Any], problem: str) -> None:
    refused = await asking.put("/v1/products/kettle", json=body)

    assert (refused.status_code, refused.json()["problems"]) == (422, [problem])
    assert (await asking.get("/v1/products/kettle")).status_code == 404
    assert (await asking.delete("/v1/products/kettle")).status_code == 404


async def test_products_come_by_page_and_category(api: httpx.AsyncClient) -> None:
    batch = [
        {"id": f"p-{number}", "name": "A", "category": "even" if number % 2 == 0 else "odd"} for number in range(5)
    ]
    await api.post("/v1/products", json={"products": batch})
    await api.delete("/v1/products/p-4")

    first = (await api.get("/v1/products", params={"limit": 2})).json()
    rest = (await api.get("/v1/products", params={"limit": 2, "cursor": first["cursor"]})).json()
    even = (await api.get("/v1/products", params={"category": "even", "withdrawn": True})).json()

    assert [each["id"] for each in first["products"] + rest["products"]] == ["p-0", "p-1", "p-2", "p-3"]
    assert (first["cursor"], rest["cursor"]) == ("p-1", None)
    assert [each["id"] for each in even["products"]] == ["p-0", "p-2", "p-4"]


async def test_a_file_is_taken_row_by_row(api: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for byte in FILE.encode():
            yield bytes([byte])

    taken = await api.post("/v1/products:import", content=chunks(), headers={"Content-Type": "text/csv"})

    assert taken.status_code == 200
    assert taken.json() == {
        "stored": 2,
        "unchanged": 0,
        "rejected": 2,
        "problems": [
            {"line": 3, "problem": "Object missing required field `name`"},
            {
                "line": 4,
                "problem": "name.en: begins with = as a formula does; if it is text, write an apostrophe before it",
            },
        ],
    }
    kettle = (await api.get("/v1/products/k-1")).json()
    assert (kettle["price"], kettle["related"], kettle["attributes"]) == (49.9, ["f-1", "f-2"], {"color": "red"})


async def test_a_wrong_header_keeps_nothing_and_a_file_too_large_is_cut_off(
    asking: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = await asking.post("/v1/products:import", content=b"id,colour\nk,red\n")
    monkeypatch.setattr(api.limits, "LARGEST_FILE", 10)
    large = await asking.post("/v1/products:import", content=b"id,name\nk,Kettle\n")

    assert (wrong.status_code, large.status_code) == (422, 413)
    assert wrong.json()["problems"][0].startswith("colour: is no column; the columns are available, category")


async def test_a_file_is_larger_than_any_other_body(asking: httpx.AsyncClient) -> None:
    rows = b"".join(b"k-%d,%s\n" % (number, b"n" * 300) for number in range(7_500))

    taken = (await asking.post("/v1/products:import", content=b"id,name\n" + rows)).json()
    again = (await asking.post("/v1/products:import", content=b"id,name\n" + rows)).json()

    assert len(rows) > 2 * 1024 * 1024
    assert (taken["stored"], again["stored"], again["unchanged"]) == (7_500, 0, 7_500)


async def test_nothing_else_is_larger_however_it_is_called(asking: httpx.AsyncClient) -> None:
    large = await asking.put("/v1/customers/anna:import", content=b" " * (3 * 1024 * 1024))

    assert large.status_code == 413


async def test_a_file_from_the_terminal(house: House, tropa: Tropa, tmp_path: Path) -> None:
    file = tmp_path / "products.csv"
    file.write_text(FILE, encoding="utf-8")

    code, said, bar = await tropa("products", "import", str(file))
    again, said_again, _ = await tropa("products", "import", str(file))

    assert (code, again) == (1, 1)  # two rows want mending
    assert "2 products are new or changed, 0 were known as they are." in said
    assert "line 3: Object missing required field `name`" in said and "2 rows were not taken" in said
    assert "0 products are new or changed, 2 were known as they are." in said_again
    assert "products.csv" in bar
    assert (await house.products.get("k-4"))["available"] is True


async def test_a_file_with_a_wrong_header_says_so(tropa: Tropa, tmp_path: Path) -> None:
    file = tmp_path / "products.csv"
    file.write_text("name\nKettle\n", encoding="utf-8")

    code, _, complained = await tropa("products", "import", str(file))

    assert (code, "id: is missing" in complained) == (1, True)
