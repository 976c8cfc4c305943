"""Short stories that end in a state worth looking at."""

from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import httpx
from sqlalchemy import text

from activities.sending import SendRequest
from domain.sends import SendResult, send_id
from tropa.wiring import House

ANNA = "anna@example.com"
PROFILE: dict[str, Any] = {
    "email": ANNA,
    "phone": "+49 30 901820",
    "locale": "en",
    "timezone": "Europe/Berlin",
    "attributes": {"first_name": "Anna", "last_name": "Petrova"},
    "consents": {"email": {"status": "granted", "source": "sign-up form"}},
}


async def rows(house: House, query: str) -> list[dict[str, Any]]:
    """What a query finds."""
    async with house.database.transaction() as connection:
        return [dict(row) for row in (await connection.execute(text(query))).mappings()]


async def know_anna(api: httpx.AsyncClient, customer_id: str = ANNA, **changes: Any) -> dict[str, Any]:
    """Anna, whom we may write to."""
    known = await api.put(f"/v1/customers/{quote(customer_id, safe='')}", json={**PROFILE, **changes})
    assert known.status_code in (200, 201), known.text
    answer: dict[str, Any] = known.json()
    return answer


async def enroll(api: httpx.AsyncClient, customer_id: str = ANNA, **headers: str) -> httpx.Response:
    """Anna enters the welcome chain by hand."""
    return await api.post(
        "/v1/journeys/WelcomeChain/enrollments", json={"customer_id": customer_id}, headers=headers or None
    )


async def happens(api: httpx.AsyncClient, house: House, name: str, customer_id: str = ANNA, **properties: Any) -> None:
    """Something happens to a customer and is projected."""
    event = {"event_id": uuid4().hex, "customer_id": customer_id, "name": name}
    taken = await api.post("/v1/events", json={"events": [{**event, "properties": properties}]})
    assert taken.json()["accepted"] == 1, taken.text
    await house.projector.project_some()


async def send(house: House, enrollment: dict[str, Any], message: str, at: datetime, visit: int = 1) -> SendResult:
    """A step of the journey is due, as the worker would do it."""
    customer = (await rows(house, f"SELECT customer FROM enrollments WHERE id = '{enrollment['id']}'"))[0]["customer"]
    request = SendRequest(enrollment=enrollment["id"], customer=customer, message=message, visit=visit)
    return await house.sending.send(request, started=at)


async def ask_for_a_score(api: httpx.AsyncClient, house: House, customer_id: str = ANNA) -> UUID:
    """The letter that asks how likely they would recommend us. Answers its send."""
    await api.post("/v1/journeys/Nps/enrollments", json={"customer_id": customer_id})
    [walk] = await rows(house, "SELECT id, customer FROM enrollments WHERE journey = 'Nps' ORDER BY id DESC LIMIT 1")
    request = SendRequest(enrollment=walk["id"], customer=walk["customer"], message="would_you_recommend_us", visit=1)
    await house.sending.send(request, started=house.clock.now())
    return send_id(walk["id"], "would_you_recommend_us", 1)


async def audited(api: httpx.AsyncClient, subject: str) -> list[str]:
    """What was done to somebody or something, the newest first."""
    entries = (await api.get("/v1/audit", params={"subject": subject})).json()["entries"]
    return [entry["action"] for entry in entries]
