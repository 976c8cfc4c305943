"""What people do about customers: tasks, notes, deals, owners, needs, companies; and all of it on one timeline."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from adapters.database import crm_updates
from tests.api.stories import ANNA, enroll, know_anna, rows
from tests.support.factories import SettableClock
from tropa.wiring import House
from tropa.worker import pumping

HOME = f"/v1/customers/{ANNA}"
MIRA = "mira@acme.example"
TASK = {"title": "Call about the renewal", "text": "It ends in June.\nThey asked.", "due_at": "2026-03-02T12:00:00Z"}
DEAL = {"customer_id": ANNA, "pipeline": "sales", "stage": "qualification", "amount": 4800, "currency": "EUR"}


async def told(api: httpx.AsyncClient, path: str = f"{HOME}/timeline", locale: str = "en") -> list[str]:
    page = await api.get(path, params={"locale": locale})
    assert page.status_code == 200, page.text
    return [entry["text"] for entry in page.json()["entries"]]


async def a_task(api: httpx.AsyncClient, path: str = HOME, **more: Any) -> dict[str, Any]:
    made = await api.post(f"{path}/tasks", json={**TASK, **more})
    assert made.status_code == 201, made.text
    task: dict[str, Any] = made.json()
    return task


async def listed(api: httpx.AsyncClient, **asked: Any) -> list[str]:
    return [task["title"] for task in (await api.get("/v1/tasks", params=asked)).json()["tasks"]]


# Tasks ---------------------------------------------------------------------------------------------------------------


async def test_a_task_is_made_found_given_away_and_closed(
    api: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    await know_anna(api, owner=MIRA)
    key = {"Idempotency-Key": "call-1"}
    made = await api.post(f"{HOME}/tasks", json=TASK, headers=key)
    again = await api.post(f"{HOME}/tasks", json=TASK, headers=key)
    task, address = made.json(), made.headers["location"]
    clock.pass_(timedelta(hours=2))

    given = await api.post(f"{address}:assign", json={"owner": "olaf@acme.example"})
    closed = await api.post(f"{address}:close", json={"outcome": "done", "note": "A demo on Friday"})
    repeated = await api.post(f"{address}:close", json={"outcome": "done"})

    assert again.content == made.content
    assert (task["owner"], task["cause"], task["overdue"], task["text"]) == (MIRA, "staff", False, TASK["text"])
    assert (given.json()["owner"], given.json()["overdue"]) == ("olaf@acme.example", True)
    ended = closed.json()
    assert (ended["outcome"], ended["closed_by"], ended["note"]) == ("done", "the shop", "A demo on Friday")
    assert repeated.json() == ended == (await api.get(address)).json()
    assert (await api.post(f"{address}:close", json={"outcome": "dropped"})).status_code == 409
    assert (await api.post(f"{address}:assign", json={"owner": None})).status_code == 409
    assert (await told(api))[:2] == [
        "Closed: “Call about the renewal” – done",
        "Task for a person: Call about the renewal",
    ]
    assert (await told(api, locale="ru"))[0] == "Задача закрыта: «Call about the renewal» – сделано"
    entry = (await api.get(f"{HOME}/timeline")).json()["entries"][0]
    assert (entry["task"], entry["note"], entry["owner"]) == (task["id"], "A demo on Friday", "olaf@acme.example")
    audited = (await api.get("/v1/audit", params={"subject": task["id"]})).json()["entries"]
    assert [each["action"] for each in audited] == ["task.closed", "task.assigned", "task.created"]
    assert "demo" not in str(audited)


async def test_tasks_are_listed_by_their_deadlines_state_owner_and_customer(
    api: httpx.AsyncClient, clock: SettableClock
) -> None:
    await know_anna(api, owner=MIRA)
    await know_anna(api, "boris")
    made = [
        await a_task(api, title=f"{hour} o'clock", due_at=f"2026-03-02T{hour}:00:00Z", owner=owner)
        for hour, owner in ((13, None), (11, "olaf@acme.example"), (12, None), (12, None))
    ]
    await a_task(api, "/v1/customers/boris", title="Boris")
    await api.post(f"/v1/tasks/{made[2]['id']}:close", json={"outcome": "done"})
    clock.pass_(timedelta(hours=1))

    found, cursor = list[str](), None
    for _ in range(4):
        page = (await api.get("/v1/tasks", params={"limit": 1, **({"cursor": cursor} if cursor else {})})).json()
        found += [task["title"] for task in page["tasks"]]
        cursor = page["cursor"]

    assert found == await listed(api) and cursor is None
    assert sorted(found) == ["11 o'clock", "12 o'clock", "13 o'clock", "Boris"] and found[0] == "11 o'clock"
    assert await listed(api, state="overdue") == ["11 o'clock"]
    assert await listed(api, state="closed") == ["12 o'clock"]
    assert len(await listed(api, state="all")) == 5
    assert await listed(api, owner=MIRA, customer_id=ANNA) == ["12 o'clock", "13 o'clock"]
    assert await listed(api, customer_id="boris") == ["Boris"]


async def test_a_worker_escalates_tells_and_updates_by_itself(api: httpx.AsyncClient, house: House) -> None:
    await know_anna(api, owner=MIRA)
    walk = (await enroll(api)).json()["id"]
    task = await a_task(api, due_at="2026-03-02T09:00:00Z", escalate_to="head@acme.example")
    async with house.database.transaction() as connection:
        customer = (await house.enrolling.get(connection, walk))["customer"]
        facts = {"stage": "decision", "outcome": None, "task": None}
        await crm_updates.insert(connection, uuid4(), customer, walk, facts, house.clock.now())
    nobody: Any = None  # Temporal has nothing to do with it

    async with pumping(house, nobody, reconcile_every=None):
        async with asyncio.timeout(10):
            while not (await rows(house, "SELECT done_at FROM crm_updates"))[0]["done_at"]:
                await asyncio.sleep(0.05)
            while (await api.get(f"/v1/tasks/{task['id']}")).json()["escalated_at"] is None:
                await asyncio.sleep(0.05)

    assert (await api.get(f"/v1/tasks/{task['id']}")).json()["owner"] == "head@acme.example"
    assert await rows(house, "SELECT result FROM notices") == [{"result": "no mail server is set up"}]
    assert "Overdue, and escalated: “Call about the renewal”" in await told(api)


# Notes, owner, needs -------------------------------------------------------------------------------------------------


async def test_notes_are_kept_with_their_author_newest_first(api: httpx.AsyncClient, clock: SettableClock) -> None:
    await know_anna(api)
    for number in range(3):
        clock.pass_(timedelta(minutes=1))
        kept = await api.post(
            f"{HOME}/notes", json={"text": f"Note {number}\nPrefers calls"}, headers={"Idempotency-Key": str(number)}
        )
        assert kept.status_code == 201, kept.text

    first = (await api.get(f"{HOME}/notes", params={"limit": 2})).json()
    last = (await api.get(f"{HOME}/notes", params={"limit": 2, "cursor": first["cursor"]})).json()

    notes = first["notes"] + last["notes"]
    assert [note["text"][:6] for note in notes] == ["Note 2", "Note 1", "Note 0"]
    assert (notes[0]["author_name"], last["cursor"]) == ("the shop", None)
    entry = (await api.get(f"{HOME}/timeline")).json()["entries"][0]
    assert (entry["text"], entry["words"]) == ("Note by the shop", "Note 2\nPrefers calls")
    assert (await told(api, locale="ru"))[0] == "Заметка (the shop)"


async def test_owner_and_needs_are_part_of_the_profile(api: httpx.AsyncClient) -> None:
    card = {"need": "Fewer lost leads", "budget": 5000, "currency": "EUR", "decision_date": "2026-06-30"}
    known = await know_anna(api, owner=MIRA, needs=card)

    changed = (await api.patch(HOME, json={"needs": {"budget": None, "next_step": "demo"}})).json()
    emptied = (await api.patch(HOME, json={"needs": None})).json()
    cleared = (await api.put(HOME, json={})).json()

    assert (known["owner"], known["needs"]) == (MIRA, card)
    rest = {name: value for name, value in card.items() if name != "budget"}
    assert (changed["owner"], changed["needs"]) == (MIRA, {**rest, "next_step": "demo"})
    assert (emptied["owner"], emptied["needs"]) == (MIRA, {})
    assert (cleared["owner"], cleared["needs"]) == (None, {})
    assert "The profile was changed: needs" in await told(api)
    assert "Изменён профиль: потребности" in await told(api, locale="ru")


# Deals ---------------------------------------------------------------------------------------------------------------


async def test_a_deal_moves_and_is_won_and_its_customer_knows(
    api: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    await know_anna(api)
    answers = []
    for change in ({}, {}, {"stage": "negotiation"}, {"stage": "negotiation", "status": "won"}):
        clock.pass_(timedelta(minutes=1))
        answers.append(await api.put("/v1/deals/D%2F1", json={**DEAL, **change}))
    await house.projector.project_some()

    assert [answer.status_code for answer in answers] == [201, 200, 200, 200]
    won = answers[-1].json()
    assert (won["deal_id"], won["status"], won["ended_at"]) == ("D/1", "won", "2026-03-02T10:04:00Z")
    assert won == (await api.get("/v1/deals/D%2F1")).json()
    assert (await api.get(f"{HOME}/deals")).json() == {"deals": [won], "cursor": None}
    events = await rows(house, "SELECT name, about, source, properties FROM events WHERE about <> '' ORDER BY number")
    assert [(event["name"], event["about"], event["source"]) for event in events] == [
        ("deal_opened", "D/1", "tropa"),
        ("deal_stage_changed", "D/1", "tropa"),
        ("deal_won", "D/1", "tropa"),
    ]
    assert events[-1]["properties"] == {"deal": "D/1", "pipeline": "sales", "amount": 4800, "currency": "EUR"}
    assert [line for line in await told(api) if line.startswith("Deal")] == [
        "Deal D/1 was won",
        "Deal D/1 went from qualification to negotiation",
        "Deal D/1 was opened: qualification",
    ]
    assert "Сделка D/1: из «qualification» в «negotiation»" in await told(api, locale="ru")
    audited = (await api.get("/v1/audit", params={"subject": won["id"]})).json()["entries"]
    assert [(each["action"], each["after"]["fields"]) for each in audited[:2]] == [
        ("deal.changed", ["status"]),
        ("deal.changed", ["stage"]),
    ]


async def test_a_deal_stays_with_its_customer_also_when_they_are_merged(api: httpx.AsyncClient) -> None:
    for person in (ANNA, "anja", "boris"):
        await know_anna(api, person)
    await api.put("/v1/deals/D-1", json={**DEAL, "customer_id": "anja"})
    others = await api.put("/v1/deals/D-1", json={**DEAL, "customer_id": "boris"})
    await api.post(f"{HOME}/merge", json={"from": "anja"})

    theirs = await api.put("/v1/deals/D-1", json={**DEAL, "status": "lost", "lost_reason": "price"})

    assert (others.status_code, theirs.status_code) == (409, 200)
    assert theirs.json()["customer_id"] == ANNA
    assert "Deal D-1 was lost: price" in await told(api)


# Companies -----------------------------------------------------------------------------------------------------------


async def test_several_people_decide_and_their_story_is_one(
    api: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    acme = {"name": "Acme GmbH", "owner": MIRA, "attributes": {"industry": "logistics"}}
    made = await api.put("/v1/companies/acme", json=acme)
    assert (await api.put("/v1/companies/acme", json=acme)).status_code == 200
    for person, part in (("anna", "initiator"), ("boris", "signatory"), ("clara", None)):
        await know_anna(api, person, company_id="acme", buying_role=part)
    await know_anna(api, "nina")
    for minute, person in enumerate(("boris", "nina", "anna")):
        clock.pass_(timedelta(minutes=minute + 1))
        await api.post(f"/v1/customers/{person}/notes", json={"text": f"Spoke to {person}"})

    company = (await api.get("/v1/companies/acme", params={"limit": 2})).json()
    rest = (await api.get("/v1/companies/acme", params={"limit": 2, "cursor": company["cursor"]})).json()
    first = (await api.get("/v1/companies/acme/timeline", params={"limit": 2})).json()
    following = (await api.get("/v1/companies/acme/timeline", params={"cursor": first["cursor"]})).json()

    assert made.status_code == 201
    assert (company["name"], company["owner"], company["people"]) == ("Acme GmbH", MIRA, 3)
    assert [(each["customer_id"], each["buying_role"]) for each in company["members"] + rest["members"]] == [
        ("anna", "initiator"),
        ("boris", "signatory"),
        ("clara", None),
    ]
    assert rest["cursor"] is None
    entries = first["entries"] + following["entries"]
    assert [(each["customer_id"], each.get("words")) for each in entries[:2]] == [
        ("anna", "Spoke to anna"),
        ("boris", "Spoke to boris"),
    ]
    assert {each["customer_id"] for each in entries} == {"anna", "boris", "clara"}
    assert len({(each["at"], each["text"], each["customer_id"]) for each in entries}) == len(entries)


async def test_who_leaves_a_company_has_no_part_in_it(api: httpx.AsyncClient) -> None:
    await api.put("/v1/companies/acme", json={"name": "Acme"})
    known = await know_anna(api, company_id="acme", buying_role="user")

    left = (await api.patch(HOME, json={"company_id": None})).json()

    assert (known["company_id"], known["buying_role"]) == ("acme", "user")
    assert (left["company_id"], left["buying_role"]) == (None, None)
    assert "The profile was changed: buying role, company" in await told(api)
    assert (await api.get("/v1/companies/acme")).json()["members"] == []


# What cannot be ------------------------------------------------------------------------------------------------------

WRONG: list[tuple[str, str, dict[str, Any] | None, int, str]] = [
    ("POST", f"{HOME}/tasks", {**TASK, "title": ""}, 422, "title"),
    ("POST", f"{HOME}/tasks", {**TASK, "due_at": "soon"}, 422, "due_at"),
    ("POST", f"{HOME}/tasks", {**TASK, "name": "Call Anna"}, 422, "name"),
    ("POST", f"{HOME}/tasks", {**TASK, "text": "\x07"}, 422, "text"),
    ("POST", "/v1/customers/nobody/tasks", TASK, 404, "customer"),
    ("GET", "/v1/tasks?state=late", None, 422, "state"),
    ("GET", "/v1/tasks?cursor=WyIyMDI2LTAzLTAyVDEwOjAwOjAwIiwieCJd", None, 422, "cursor"),
    ("GET", "/v1/tasks?customer_id=nobody", None, 404, "customer"),
    ("GET", "/v1/tasks/x", None, 422, "task"),
    ("POST", "/v1/tasks/00000000-0000-0000-0000-000000000000:close", {"outcome": "done"}, 404, "task"),
    ("POST", "/v1/tasks/00000000-0000-0000-0000-000000000000:close", {"outcome": "well"}, 422, "outcome"),
    ("POST", f"{HOME}/notes", {"text": ""}, 422, "text"),
    ("POST", f"{HOME}/notes", {"text": "x" * 4001}, 422, "text"),
    ("GET", f"{HOME}/notes?cursor=WyJcdTAwMDAiXQ", None, 422, "cursor"),
    ("GET", "/v1/customers/nobody/notes", None, 404, "customer"),
    ("PUT", "/v1/deals/D-1", {**DEAL, "customer_id": "nobody"}, 404, "customer"),
    ("PUT", "/v1/deals/D-1", {**DEAL, "currency": None}, 422, "currency"),
    ("PUT", "/v1/deals/D-1", {**DEAL, "currency": "euro"}, 422, "currency"),
    ("PUT", "/v1/deals/D-1", {**DEAL, "amount": -1}, 422, "amount"),
    ("PUT", "/v1/deals/D-1", {**DEAL, "amount": 0.001}, 422, "amount"),
    ("PUT", "/v1/deals/D-1", {**DEAL, "amount": "NaN"}, 422, "amount"),
    ("PUT", "/v1/deals/D-1", {**DEAL, "status": "maybe"}, 422, "status"),
    ("PUT", "/v1/deals/D-1", {**DEAL, "lost_reason": "price"}, 422, "lost_reason"),
    ("GET", "/v1/deals/D-1", None, 404, "deal"),
    ("GET", f"{HOME}/deals?cursor=WyJcdTAwMDAiXQ", None, 422, "cursor"),
    ("PUT", "/v1/companies/acme", {"name": ""}, 422, "name"),
    ("PUT", "/v1/companies/acme", {"name": "A", "attributes": {"x": "y" * 40_000}}, 422, "attributes"),
    ("GET", "/v1/companies/nobody", None, 404, "company"),
    ("GET", "/v1/companies/nobody/timeline", None, 404, "company"),
    ("PATCH", HOME, {"company_id": "nobody"}, 422, "company_id"),
    ("PATCH", HOME, {"buying_role": "user"}, 422, "buying_role"),
    ("PATCH", HOME, {"buying_role": "boss"}, 422, "buying_role"),
    ("PATCH", HOME, {"owner": "Mira"}, 422, "owner"),
    ("PATCH", HOME, {"needs": {"budget": -1}}, 422, "budget"),
    ("PATCH", HOME, {"needs": {"wish": "all"}}, 422, "wish"),
]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "named"), WRONG, ids=[f"{each[0]} {each[1][:40]} {each[4]}" for each in WRONG]
)
async def test_what_cannot_be_is_a_problem_that_names_it(
    asking: httpx.AsyncClient, method: str, path: str, body: dict[str, Any] | None, status: int, named: str
) -> None:
    await know_anna(asking)

    answer = await asking.request(method, path, json=body)

    assert answer.status_code == status, answer.text
    assert named in str(answer.json())
