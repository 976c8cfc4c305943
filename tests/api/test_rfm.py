"""RFM over the API: a customer's own, and everybody's by segment."""

from datetime import timedelta

import httpx

from tests.support.factories import an_event
from tropa.wiring import House


async def swept(house: House) -> None:
    """Anna buys often and much, Boris once, a while ago, Clara nothing; then the sweep."""
    now = house.clock.now()
    anna = [an_event("order_placed", "anna", at=now - timedelta(days=day), total=300) for day in range(8)]
    boris = an_event("order_placed", "boris", at=now - timedelta(days=100), total=20)
    await house.ingest.accept([*anna, boris, an_event("signed_up", "clara", at=now)])
    while await house.projector.project_some():
        pass
    await house.sweeping.sweep()


async def test_a_customer_shows_their_rfm(api: httpx.AsyncClient, house: House) -> None:
    await swept(house)
    anna, boris, clara = [(await api.get(f"/v1/customers/{who}")).json()["rfm"] for who in ("anna", "boris", "clara")]

    as_of = anna.pop("as_of")
    assert anna == {
        "code": "555",
        "segment": "champions",
        "effective_segment": "champions",
        "vip": False,
        "one_off": False,
    }
    assert as_of == "2026-03-02T10:00:00Z"
    assert (boris["code"], boris["segment"], boris["one_off"]) == ("311", "potential", True)
    assert clara is None


async def test_everybody_by_segment_with_what_to_do(api: httpx.AsyncClient, house: House) -> None:
    before = (await api.get("/v1/rfm")).json()
    await swept(house)

    now = (await api.get("/v1/rfm")).json()

    assert (before["as_of"], before["customers"], len(before["segments"])) == (None, 0, 6)
    assert {key: now[key] for key in ("as_of", "customers", "vips", "one_offs")} == {
        "as_of": "2026-03-02T10:00:00Z",
        "customers": 2,
        "vips": 0,
        "one_offs": 1,
    }
    assert [(each["segment"], each["customers"], each["by_code"]) for each in now["segments"]] == [
        ("champions", 1, 1),
        ("loyal", 0, 0),
        ("potential", 1, 1),
        ("at_risk", 0, 0),
        ("hibernating", 0, 0),
        ("lost", 0, 0),
    ]
    at_risk = now["segments"][3]["words"]
    assert at_risk["en"] == {"name": "At risk", "advice": "Win them back now, in person."}
    assert at_risk["ru"]["name"] == "В зоне риска"
