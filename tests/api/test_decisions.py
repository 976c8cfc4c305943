"""Why and why not, in a sentence each, in both languages, with rule and facts."""

from datetime import timedelta

import httpx

from tests.api.stories import ANNA, enroll, know_anna, send
from tests.support.factories import SettableClock
from tropa.wiring import House

DECISIONS = f"/v1/customers/{ANNA}/decisions"


async def test_each_decision_has_its_rule_its_facts_and_its_sentence(
    api: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    await know_anna(api)
    enrollment = (await enroll(api)).json()
    await send(house, enrollment, "greeting", clock.now())
    clock.pass_(timedelta(hours=1))
    await send(house, enrollment, "basics", clock.now())

    newest = (await api.get(DECISIONS)).json()["decisions"][0]
    russian = (await api.get(DECISIONS, params={"locale": "ru"})).json()["decisions"][0]

    assert (newest["rule"], newest["state"], newest["message"], newest["journey"]) == (
        "gap",
        "deferred",
        "basics",
        "WelcomeChain",
    )
    assert newest["facts"]["gap"] == "4 hours"
    assert newest["text"].startswith(
        "“basics” waits. The last touch was at 02 Mar 11:00, and touches stay 4 hours apart"
    )
    assert russian["text"].startswith("«basics» ждёт. Последнее касание было в 02.03 11:00")


async def test_pages_go_back_to_the_first_decision(api: httpx.AsyncClient, house: House, clock: SettableClock) -> None:
    await know_anna(api)
    enrollment = (await enroll(api)).json()
    for message in ("greeting", "basics", "did_it_work"):
        await send(house, enrollment, message, clock.now())
    whole = [each["number"] for each in (await api.get(DECISIONS)).json()["decisions"]]
    full = (await api.get(DECISIONS, params={"limit": len(whole)})).json()

    paged, before = [], None
    while True:
        page = (await api.get(DECISIONS, params={"limit": 2, **({"before": before} if before else {})})).json()
        paged += [each["number"] for each in page["decisions"]]
        if (before := page["before"]) is None:
            break

    assert paged == whole
    assert len(whole) >= 4
    assert (len(full["decisions"]), full["before"]) == (len(whole), None)  # full, and the last


async def test_a_place_that_no_page_gave_is_refused(api: httpx.AsyncClient) -> None:
    await know_anna(api)

    assert (await api.get(DECISIONS, params={"before": 2**63})).status_code == 422


async def test_a_stranger_is_not_found(api: httpx.AsyncClient) -> None:
    assert (await api.get("/v1/customers/nobody/decisions")).status_code == 404
