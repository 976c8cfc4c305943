"""HubSpot's own client against a peer on this machine: what it is told, told again, and what its errors come to."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from starlette.responses import PlainTextResponse, Response

from adapters.crm.hubspot import HubSpotCrm
from domain.crm import CrmTask, CrmUpdate
from tests.support.hubspot_simulator import TOKEN, HubSpotSimulator, problem
from tests.support.serving import Cut, serving

ANNA = "anna@example.com"
UPDATE = CrmUpdate(
    id=UUID(int=1), customer_id="shop-1", journey="HotLead", email=ANNA, owner="mira@acme.test", stage="decision"
)
TASK = CrmTask(
    id=UUID(int=2),
    title="Call Anna",
    text="She read the prices.",
    due_at=datetime(2026, 3, 2, 12, tzinfo=UTC),
    owner="olaf@acme.test",
)


@pytest.fixture(scope="module")
async def peer() -> AsyncIterator[tuple[HubSpotSimulator, str]]:
    simulator = HubSpotSimulator()
    async with serving(simulator.routes) as port:
        yield simulator, f"http://127.0.0.1:{port}"


@pytest.fixture
def hubspot(peer: tuple[HubSpotSimulator, str]) -> HubSpotSimulator:
    peer[0].forget()
    return peer[0]


@pytest.fixture
async def crm(peer: tuple[HubSpotSimulator, str]) -> AsyncIterator[HubSpotCrm]:
    made = HubSpotCrm(TOKEN, base_url=peer[1], timeout=1.0)
    yield made
    await made.close()


async def test_a_contact_is_created_with_its_stage_and_owner_then_changed(
    hubspot: HubSpotSimulator, crm: HubSpotCrm
) -> None:
    first = await crm.update(UPDATE)
    second = await crm.update(replace(UPDATE, stage=None, outcome="converted"))

    assert (first.outcome, second.outcome) == ("done", "done")
    assert list(hubspot.objects["contacts"].values()) == [
        {
            "email": ANNA,
            "tropa_customer": "shop-1",
            "tropa_journey": "HotLead",
            "tropa_stage": "decision",
            "tropa_outcome": "converted",
            "hubspot_owner_id": "7",
        }
    ]
    found = f"objects/contacts/{ANNA}"
    assert hubspot.asked == ["GET owners/", f"PATCH {found}", "POST objects/contacts", f"PATCH {found}"]


async def test_a_task_is_there_once_with_its_contact_however_often_it_is_told(
    hubspot: HubSpotSimulator, crm: HubSpotCrm
) -> None:
    await crm.update(replace(UPDATE, task=TASK))
    await crm.update(replace(UPDATE, task=TASK))
    await crm.update(replace(UPDATE, task=replace(TASK, outcome="done")))

    [(contact, _)] = hubspot.objects["contacts"].items()
    [(made, task)] = hubspot.objects["tasks"].items()
    assert task == {
        "tropa_task": str(TASK.id),
        "hs_task_subject": "Call Anna",
        "hs_task_body": "She read the prices.",
        "hs_timestamp": "2026-03-02T12:00:00+00:00",
        "hs_task_status": "COMPLETED",
    }
    assert hubspot.associations == [(made, contact, 204)]


async def test_whoever_created_the_contact_meanwhile_has_made_it_ours_to_change(
    hubspot: HubSpotSimulator, crm: HubSpotCrm
) -> None:
    def meanwhile(asked: str) -> None:
        if asked == "POST objects/contacts":
            hubspot.objects["contacts"]["55"] = {"email": ANNA}

    hubspot.before = meanwhile

    assert (await crm.update(UPDATE)).outcome == "done"
    assert hubspot.objects["contacts"]["55"]["tropa_stage"] == "decision"
    assert len(hubspot.objects["contacts"]) == 1


async def test_without_an_address_nobody_is_asked(hubspot: HubSpotSimulator, crm: HubSpotCrm) -> None:
    assert (await crm.update(replace(UPDATE, email=None))).outcome == "refused"
    assert hubspot.asked == []


async def test_a_wrong_token_may_become_a_right_one(hubspot: HubSpotSimulator, peer: tuple[Any, str]) -> None:
    crm = HubSpotCrm("another", base_url=peer[1])

    answer = await crm.update(UPDATE)
    await crm.close()

    assert (answer.outcome, answer.busy_for) == ("later", None)
    assert "401" in answer.detail and len(hubspot.asked) == 1


@pytest.mark.parametrize(
    ("headers", "waits"),
    [({"Retry-After": "7"}, 7), ({}, 10), ({"Retry-After": "soon"}, 10), ({"Retry-After": "999999"}, 3600)],
)
async def test_too_much_at_once_is_left_in_peace_for_as_long_as_it_says(
    hubspot: HubSpotSimulator, crm: HubSpotCrm, headers: dict[str, str], waits: int
) -> None:
    hubspot.before = lambda _: problem(429, "RATE_LIMITS", "too much", **headers)

    answer = await crm.update(UPDATE)

    assert (answer.outcome, answer.busy_for, len(hubspot.asked)) == ("later", timedelta(seconds=waits), 1)


async def _slow() -> Response:
    await asyncio.sleep(1.3)
    return PlainTextResponse("too late")


@pytest.mark.parametrize(
    ("answers", "outcome", "said"),
    [
        (lambda: problem(400, "VALIDATION_ERROR", "tropa_stage"), "refused", "400"),
        (lambda: problem(500, "INTERNAL", "oops"), "later", "500"),
        (lambda: problem(423, "LOCKED", "oops"), "later", "423"),
        (lambda: PlainTextResponse("<html>", 502), "later", "502"),
        (lambda: PlainTextResponse("<html>", 200), "later", "cannot be read"),
        (lambda: Response("{}", 200, media_type="application/json"), "later", "cannot be read"),
        (lambda: Response("", 307, {"Location": "/elsewhere"}), "refused", "307"),
        (Cut, "later", "did not answer"),
        (_slow, "later", "did not answer"),
    ],
    ids=["400", "500", "423", "502", "no JSON", "no contact", "redirect", "cut", "slow"],
)
async def test_what_goes_wrong_is_asked_once_and_said_without_its_words(
    hubspot: HubSpotSimulator, crm: HubSpotCrm, answers: Callable[[], Any], outcome: str, said: str
) -> None:
    hubspot.before = lambda asked: answers() if "contacts" in asked else None

    answer = await crm.update(UPDATE)

    assert (answer.outcome, said in answer.detail) == (outcome, True), answer.detail
    assert "anna" not in answer.detail
    assert [asked.split()[0] for asked in hubspot.asked] == ["GET", "PATCH"]


async def test_nobody_there_is_later_and_the_loop_goes_on_meanwhile(hubspot: HubSpotSimulator, crm: HubSpotCrm) -> None:
    nowhere = HubSpotCrm(TOKEN, base_url="http://127.0.0.1:9")
    hubspot.before = lambda asked: _slow() if "contacts" in asked else None

    waiting = asyncio.create_task(crm.update(UPDATE))
    began = time.monotonic()
    answer = await nowhere.update(UPDATE)
    took = time.monotonic() - began

    assert answer.outcome == "later" and took < 1.0
    assert (await waiting).outcome == "later"
    await nowhere.close()
