"""Offers over HTTP: set up, filled, counted, looked at by a checkout, and previewed without being given."""

from typing import Any

import httpx
import pytest

from services.keys import Keys
from tests.api.conftest import client_of
from tests.api.stories import rows
from tropa.serve import api_app
from tropa.wiring import House

WELCOME: dict[str, Any] = {"prefix": "WELCOME5", "discount": {"percent": 5}, "valid_for": "7 days"}
POOL: dict[str, Any] = {"kind": "pool", "discount": {"amount": 3000, "currency": "KZT"}}


async def test_an_offer_is_set_up_changed_and_audited(api: httpx.AsyncClient, house: House) -> None:
    made = await api.put("/v1/offers/welcome5", json=WELCOME)
    same = await api.put("/v1/offers/welcome5", json=WELCOME)
    changed = await api.put("/v1/offers/welcome5", json={**WELCOME, "discount": {"text": {"en": "a gift"}}})

    assert (
        made.json()
        == same.json()
        == {
            "offer": "welcome5",
            "kind": "generated",
            "prefix": "WELCOME5",
            "discount": {"percent": 5.0, "amount": None, "currency": None, "text": {}},
            "valid_for": "7 days",
            "codes": {"given": 0, "redeemed": 0, "expired": 0, "left": None},
        }
    )
    assert changed.json()["discount"]["text"] == {"en": "a gift"}
    assert (await api.get("/v1/offers")).json() == {"offers": [changed.json()]}
    assert (await api.get("/v1/offers/welcome6")).status_code == 404
    log = await rows(house, "SELECT action, before, after FROM audit WHERE action = 'offer.set' ORDER BY id")
    assert [(each["before"] or {}).get("discount") for each in log] == [None, {"percent": "5.00"}]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"discount": {}}, "discount: write percent, or amount and currency, or text alone"),
        ({"discount": {"percent": 5, "amount": 5, "currency": "EUR"}}, "discount: write percent, or amount"),
        ({"discount": {"amount": 5}}, "discount: an amount needs its currency"),
        ({"discount": {"percent": 0.001}}, "discount: at most two digits behind the point"),
        ({"discount": {"percent": 5}, "prefix": "welcome"}, "prefix: "),
        ({"discount": {"percent": 5}, "valid_for": "a while"}, "valid_for: 'a while' is not a duration"),
        ({"discount": {"percent": 5}, "valid_for": "0 days"}, "valid_for: must be between"),
        ({"discount": {"percent": 5}, "kind": "gift"}, "kind: "),
    ],
)
async def test_a_wrong_offer_is_refused(asking: httpx.AsyncClient, body: dict[str, Any], problem: str) -> None:
    refused = await asking.put("/v1/offers/welcome5", json=body)

    assert refused.status_code == 422
    assert refused.json()["problems"][0].startswith(problem)


async def test_a_pool_is_filled_and_a_checkout_sees_how_a_code_stands(api: httpx.AsyncClient, house: House) -> None:
    await api.put("/v1/offers/friend", json=POOL)
    checkout_key = await Keys(house.database).create("the checkout", ["codes:read"])

    added = await api.post("/v1/offers/friend/codes", json={"codes": ["A-1", "B/2", "a1", " C-3 "]})
    again = await api.post("/v1/offers/friend/codes", json={"codes": ["C3"]})
    async with client_of(api_app(house), Authorization=f"Bearer {checkout_key}") as checkout:
        seen = await checkout.get("/v1/codes/b%2F2")
        unknown = await checkout.get("/v1/codes/D4")
        offer = await checkout.get("/v1/offers/friend")

    assert added.json() == {"added": 3, "duplicates": [2]}
    assert again.json() == {"added": 0, "duplicates": [0]}
    assert seen.json() == {
        "code": "B/2",
        "offer": "friend",
        "valid": False,
        "state": "not_given",
        "discount": {"percent": None, "amount": 3000.0, "currency": "KZT", "text": {}},
        "valid_until": None,
        "redeemed_at": None,
    }
    assert (unknown.status_code, offer.status_code) == (404, 403)
    assert (await api.get("/v1/offers/friend")).json()["codes"]["left"] == 3
    assert (await rows(house, "SELECT after FROM audit WHERE action = 'offer.codes_added'")) == [
        {"after": {"codes": 3}}
    ]


@pytest.mark.parametrize("codes", [[], [""], ["--"], ["A" * 65], ["A\n1"], [5]])
async def test_wrong_codes_are_refused(asking: httpx.AsyncClient, codes: list[object]) -> None:
    assert (await asking.post("/v1/offers/friend/codes", json={"codes": codes})).status_code == 422
