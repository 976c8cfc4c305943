"""Where customers stand, how they got there, and where somebody says that they are."""

import httpx

from tests.api.stories import ANNA, audited, happens, know_anna
from tropa.wiring import House

WAY, STAGE = f"/v1/customers/{ANNA}/stages", f"/v1/customers/{ANNA}/stage"


async def test_the_stages_tell_what_they_are_and_how_many_are_there(api: httpx.AsyncClient, house: House) -> None:
    await know_anna(api)
    await know_anna(api, "boris", email="boris@example.com")
    await happens(api, house, "signed_up")

    told = (await api.get("/v1/stages")).json()
    in_russian = (await api.get("/v1/stages", params={"locale": "ru"})).json()

    assert (told["set"], told["nowhere"], len(told["stages"])) == ("seven", 1, 7)
    here = told["stages"][1]
    assert (here["name"], here["customers"], here["label"]) == ("consideration", 1, "Consideration")
    assert in_russian["stages"][1]["label"] == "Рассмотрение"
    assert "page_viewed (page pricing)" in told["stages"][2]["enters"]
    assert "order_placed, order 2 or later" in told["stages"][5]["enters"]


async def test_a_customer_tells_stage_engagement_orders_and_first_touch(api: httpx.AsyncClient, house: House) -> None:
    await know_anna(api)
    await happens(api, house, "page_viewed", utm_source="newsletter")
    await happens(api, house, "order_placed", total=49.9)

    anna = (await api.get(f"/v1/customers/{ANNA}")).json()

    assert (anna["stage"], anna["orders"], anna["revenue"]) == ("purchase", 1, "49.90")
    assert 0 < anna["engagement"] < 100
    assert anna["first_touch"]["source"] == "newsletter"


async def test_somebody_who_knows_better_says_the_stage(api: httpx.AsyncClient, house: House) -> None:
    ours = (await know_anna(api))["id"]
    await happens(api, house, "order_placed")

    way = await api.put(STAGE, json={"stage": "decision"})

    assert way.status_code == 200
    assert [visit["stage"] for visit in way.json()["visits"]] == ["decision", "purchase"]
    assert way.json()["visits"][0]["cause"] == "stage_chosen"
    assert (await api.get(f"/v1/customers/{ANNA}")).json()["stage"] == "decision"
    assert (await api.get(WAY)).json() == way.json()
    assert (await audited(api, ours))[0] == "customer.stage_set"
    timeline = (await api.get(f"/v1/customers/{ANNA}/timeline", params={"locale": "ru"})).json()["entries"]
    assert "Этап: «Решение»" in [entry["text"] for entry in timeline]


async def test_a_stage_that_there_is_not_is_told(api: httpx.AsyncClient) -> None:
    await know_anna(api)

    refused = await api.put(STAGE, json={"stage": "nirvana"})

    assert refused.status_code == 422
    assert "awareness" in refused.text
    assert (await api.put("/v1/customers/nobody/stage", json={"stage": "decision"})).status_code == 404
