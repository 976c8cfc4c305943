"""Segments over HTTP: counted, set, looked into, taken back; what is wrong with a rule is named by its path."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.api.stories import ANNA, happens, know_anna, rows
from tests.support.factories import SettableClock
from tropa.wiring import House

SEGMENTS = "/v1/segments"
LABEL = {"en": "Team plans", "ru": "Командные тарифы"}
TEAMS: dict[str, Any] = {"attribute": {"plan": "team"}}
BORIS, CLARA = "boris@example.com", "clara@example.com"


def a_segment(rule: object, **changes: Any) -> dict[str, Any]:
    return {"label": LABEL, "description": LABEL, "rule": rule, **changes}


async def three_customers(api: httpx.AsyncClient) -> dict[str, str]:
    """Anna and Boris are on team plans, Clara is not. Answers our ids by the company's."""
    known = [
        await know_anna(api, ANNA, attributes={"plan": "team", "seats": 12}),
        await know_anna(api, BORIS, attributes={"plan": "team", "seats": 3}),
        await know_anna(api, CLARA, attributes={"plan": "free"}),
    ]
    return {each["customer_id"]: each["id"] for each in known}


async def test_a_segment_is_counted_set_looked_into_changed_and_taken_back(
    api: httpx.AsyncClient, house: House
) -> None:
    ids = await three_customers(api)

    counted = (await api.post(f"{SEGMENTS}:count", json={"rule": TEAMS})).json()
    made = await api.put(f"{SEGMENTS}/teams", json=a_segment(TEAMS))
    found = (await api.get(f"{SEGMENTS}/teams/customers")).json()
    changed = await api.put(f"{SEGMENTS}/teams", json=a_segment({"attribute": {"seats": {"more_than": 10}}}))
    read = (await api.get(f"{SEGMENTS}/teams")).json()
    gone = await api.delete(f"{SEGMENTS}/teams")

    assert (counted["count"], counted["everybody"], counted["share"]) == (2, 3, pytest.approx(2 / 3))
    assert set(counted["sample"]) == {ids[ANNA], ids[BORIS]}
    assert (made.status_code, made.json()["version"], made.json()["counted"]["count"]) == (201, 1, 2)
    assert found == {
        "customers": [{"id": ids[ANNA], "customer_id": ANNA}, {"id": ids[BORIS], "customer_id": BORIS}],
        "cursor": None,
    }
    assert (changed.status_code, changed.json()["counted"]["count"]) == (200, 1)
    assert (read["version"], read["set_by"], read["shipped"], read["label"]) == (2, "the shop", False, LABEL)
    assert (gone.status_code, (await api.get(f"{SEGMENTS}/teams")).status_code) == (204, 404)
    told = await rows(house, "SELECT action, before, after FROM audit WHERE subject = 'teams' ORDER BY id")
    assert [each["action"] for each in told] == ["segment.set", "segment.set", "segment.deleted"]
    assert told[1]["before"]["rule"] == TEAMS
    versions = await rows(house, "SELECT version, rule IS NULL AS deleted FROM segments ORDER BY version")
    assert [tuple(each.values()) for each in versions] == [(1, False), (2, False), (3, True)]


async def test_what_happened_counts_once_it_is_projected(
    api: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    await three_customers(api)
    for _ in range(3):
        clock.pass_(timedelta(days=1))
        await happens(api, house, "page_viewed", page="/prices")
    await happens(api, house, "page_viewed", BORIS, page="/prices")
    rule = {
        "event": {"name": "page_viewed", "where": {"page": "/prices"}, "within": "3 days", "count": {"at_least": 3}}
    }

    def asked() -> Any:
        return api.post(f"{SEGMENTS}:count", json={"rule": rule})

    assert (await asked()).json()["count"] == 1
    clock.pass_(timedelta(days=1))
    assert (await asked()).json()["count"] == 0, "the first of the three is three days old"


async def test_a_page_goes_on_where_the_last_one_ended(api: httpx.AsyncClient) -> None:
    ids = await three_customers(api)
    await api.put(f"{SEGMENTS}/all_of_them", json=a_segment({"customer": {"email": {"exists": True}}}))

    first = (await api.get(f"{SEGMENTS}/all_of_them/customers?limit=2")).json()
    second = (await api.get(f"{SEGMENTS}/all_of_them/customers", params={"limit": 2, "cursor": first["cursor"]})).json()

    assert [each["id"] for each in (*first["customers"], *second["customers"])] == sorted(ids.values())
    assert (len(first["customers"]), second["cursor"]) == (2, None)


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        (
            {"any": [TEAMS, {"event": {"name": "page_viewed", "within": "soon"}}]},
            "any[1].event.within: 'soon' is not a duration",
        ),
        ({"segment": "nobody"}, "segment: there is no segment 'nobody'; there are: active_customers, "),
        ({}, "rule: must have exactly one of: all, any, not, customer"),
    ],
)
async def test_what_is_wrong_with_a_rule_is_named_by_its_path(
    asking: httpx.AsyncClient, rule: object, problem: str
) -> None:
    counted = await asking.post(f"{SEGMENTS}:count", json={"rule": rule})
    put = await asking.put(f"{SEGMENTS}/new_ones", json=a_segment(rule))

    for answer in (counted, put):
        assert answer.status_code == 422
        assert answer.json()["problems"][0].startswith(problem)
    assert (await asking.get(f"{SEGMENTS}/new_ones")).status_code == 404


async def test_a_shipped_segment_is_overridden_and_comes_back(api: httpx.AsyncClient) -> None:
    before = (await api.get(f"{SEGMENTS}/vip")).json()
    await know_anna(api, attributes={"plan": "team"})

    await api.put(f"{SEGMENTS}/vip", json=a_segment(TEAMS))
    named = await api.post(f"{SEGMENTS}:count", json={"rule": {"segment": "vip"}})
    over = (await api.get(f"{SEGMENTS}/vip")).json()
    await api.delete(f"{SEGMENTS}/vip")
    refused = await api.delete(f"{SEGMENTS}/vip")

    assert (before["version"], before["shipped"], before["set_by"]) == (0, True, "")
    assert named.json()["count"] == 1
    assert (over["version"], over["shipped"], over["rule"]) == (1, True, TEAMS)
    assert (await api.get(f"{SEGMENTS}/vip")).json() == before
    assert refused.status_code == 409
    assert "comes with Tropa" in refused.json()["detail"]


async def test_segments_hold_each_other_up_and_never_lead_in_a_circle(api: httpx.AsyncClient) -> None:
    await api.put(f"{SEGMENTS}/teams", json=a_segment(TEAMS))
    await api.put(f"{SEGMENTS}/others", json=a_segment({"not": {"segment": "teams"}}))

    circle = await api.put(f"{SEGMENTS}/teams", json=a_segment({"segment": "others"}))
    itself = await api.put(f"{SEGMENTS}/alone", json=a_segment({"segment": "alone"}))
    needed = await api.delete(f"{SEGMENTS}/teams")

    assert circle.json()["problems"] == ["rule: leads back to itself: teams → others → teams"]
    assert itself.json()["problems"] == ["rule: leads back to itself: alone → alone"]
    assert (needed.status_code, needed.json()["detail"]) == (
        409,
        "The segment teams is named by others: others. Change those first.",
    )
    assert (await api.get(f"{SEGMENTS}/teams")).json()["version"] == 1


async def test_who_sets_over_somebody_elses_change_is_told(api: httpx.AsyncClient) -> None:
    await api.put(f"{SEGMENTS}/teams", json=a_segment(TEAMS))

    again = await api.put(f"{SEGMENTS}/teams", json=a_segment(TEAMS), headers={"If-Match": "1"})
    late = await api.put(f"{SEGMENTS}/teams", json=a_segment({"segment": "vip"}), headers={"If-Match": "0"})

    assert again.json()["version"] == 1, "nothing was changed"
    assert (late.status_code, late.json()["detail"]) == (
        409,
        "The segment teams was changed meanwhile: version 1 is in force, not 0.",
    )


async def test_more_segments_than_anybody_keeps_up_with_get_a_note(api: httpx.AsyncClient) -> None:
    answers = [(await api.put(f"{SEGMENTS}/own_{n}", json=a_segment({"segment": "vip"}))).json() for n in range(8)]
    listed = (await api.get(SEGMENTS, params={"locale": "ru"})).json()

    assert [each["note"] for each in answers[:7]] == [None] * 7
    assert answers[7]["note"].startswith("You keep 8 segments of your own.")
    assert listed["note"].startswith("Своих сегментов у вас 8.")
    assert {each["name"] for each in listed["segments"]} > {"own_7", "vip", "new_leads", "rarely_opens"}


async def test_a_name_that_cannot_be_one_is_refused(asking: httpx.AsyncClient) -> None:
    answer = await asking.put(f"{SEGMENTS}/Team Plans", json=a_segment(TEAMS))

    assert answer.json()["problems"] == ["name: must be lower case letters, digits and underscores, such as quiet_vips"]
