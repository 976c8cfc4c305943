"""Every route has its scope, and without it answers nothing."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from services.keys import Keys
from tropa.wiring import House

SCOPES = {
    "POST /v1/events": "events:write",
    "GET /v1/customers/{customer_id}": "customers:read",
    "PUT /v1/customers/{customer_id}": "customers:write",
    "PATCH /v1/customers/{customer_id}": "customers:write",
    "DELETE /v1/customers/{customer_id}": "customers:erase",
    "GET /v1/customers/{customer_id}/export": "customers:export",
    "POST /v1/customers/{customer_id}/merge": "customers:merge",
    "POST /v1/customers/{customer_id}/identify": "customers:write",
    "GET /v1/customers/{customer_id}/timeline": "customers:read",
    "GET /v1/customers/{customer_id}/stages": "customers:read",
    "PUT /v1/customers/{customer_id}/stage": "customers:write",
    "GET /v1/stages": "customers:read",
    "GET /v1/rfm": "customers:read",
    "GET /v1/customers/{customer_id}/addresses": "customers:read",
    "GET /v1/customers/{customer_id}/notices": "customers:read",
    "POST /v1/customers/{customer_id}/notices/seen": "customers:write",
    "PUT /v1/customers/{customer_id}/addresses/telegram": "customers:write",
    "GET /v1/customers/{customer_id}/links": "customers:write",
    "GET /v1/customers/{customer_id}/preferences": "customers:read",
    "GET /v1/customers/{customer_id}/decisions": "customers:read",
    "PATCH /v1/customers/{customer_id}/preferences": "customers:write",
    "GET /v1/customers/{customer_id}/notes": "customers:read",
    "POST /v1/customers/{customer_id}/notes": "customers:write",
    "GET /v1/customers/{customer_id}/deals": "deals:read",
    "POST /v1/customers/{customer_id}/tasks": "tasks:write",
    "GET /v1/tasks": "tasks:read",
    "GET /v1/tasks/{task}": "tasks:read",
    "POST /v1/tasks/{task}:close": "tasks:write",
    "POST /v1/tasks/{task}:assign": "tasks:write",
    "GET /v1/deals/{deal_id}": "deals:read",
    "PUT /v1/deals/{deal_id}": "deals:write",
    "GET /v1/companies/{company_id}": "companies:read",
    "PUT /v1/companies/{company_id}": "companies:write",
    "GET /v1/companies/{company_id}/timeline": "companies:read",
    "GET /v1/segments": "segments:read",
    "POST /v1/segments:count": "segments:read",
    "GET /v1/segments/{name}": "segments:read",
    "PUT /v1/segments/{name}": "segments:write",
    "DELETE /v1/segments/{name}": "segments:write",
    "GET /v1/segments/{name}/customers": "customers:read",
    "GET /v1/contact-policy": "policy:read",
    "PUT /v1/contact-policy": "policy:write",
    "POST /v1/contact-policy/preview": "policy:read",
    "GET /v1/journeys": "journeys:read",
    "GET /v1/journeys/{journey}": "journeys:read",
    "GET /v1/journeys/{journey}/map": "journeys:read",
    "PATCH /v1/journeys/{journey}": "journeys:write",
    "POST /v1/journeys/{journey}/enrollments": "journeys:write",
    "POST /v1/journeys/{journey}/enrollments:bulk": "journeys:write",
    "GET /v1/bulks": "journeys:read",
    "GET /v1/bulks/{bulk}": "journeys:read",
    "GET /v1/bulks/{bulk}/customers.csv": "customers:export",
    "POST /v1/bulks/{bulk}:approve": "journeys:write",
    "POST /v1/bulks/{bulk}:start": "journeys:write",
    "POST /v1/bulks/{bulk}:pause": "journeys:write",
    "POST /v1/bulks/{bulk}:resume": "journeys:write",
    "POST /v1/bulks/{bulk}:cancel": "journeys:write",
    "GET /v1/segments/{segment}/customers.csv": "customers:export",
    "GET /v1/segments/{segment}/audience.csv": "customers:export",
    "POST /v1/imports/customers": "customers:write",
    "POST /v1/imports/events": "events:write",
    "POST /v1/imports/orders": "events:write",
    "GET /v1/imports": "customers:read",
    "GET /v1/imports/{import_}": "customers:read",
    "GET /v1/imports/{import_}/problems.csv": "customers:read",
    "GET /v1/enrollments/{enrollment}": "journeys:read",
    "POST /v1/enrollments/{enrollment}/leave": "journeys:write",
    "POST /v1/enrollments/{enrollment}/pause": "journeys:write",
    "POST /v1/enrollments/{enrollment}/resume": "journeys:write",
    "GET /v1/audit": "audit:read",
    "GET /v1/messages": "messages:read",
    "POST /v1/products": "products:write",
    "POST /v1/products:import": "products:write",
    "GET /v1/products": "products:read",
    "GET /v1/products/{product}": "products:read",
    "PUT /v1/products/{product}": "products:write",
    "DELETE /v1/products/{product}": "products:write",
    "GET /v1/offers": "offers:read",
    "GET /v1/offers/{offer}": "offers:read",
    "PUT /v1/offers/{offer}": "offers:write",
    "POST /v1/offers/{offer}/codes": "offers:write",
    "GET /v1/codes/{code}": "codes:read",
    "GET /v1/webhooks": "webhooks:read",
    "POST /v1/webhooks": "webhooks:write",
    "DELETE /v1/webhooks/{webhook}": "webhooks:write",
    "POST /v1/webhooks/{webhook}/test": "webhooks:write",
    "POST /v1/messages/{journey}/{message}/preview": "messages:read",
    "POST /webhooks/email/bounces": "bounces:write",
    "GET /console": "console",
    "GET /console/find": "console",
    "GET /console/outbox": "console",
    "GET /console/outbox/{send}": "console",
    "GET /console/outbox/{send}/letter": "console",
    "GET /console/customers/{customer_id}": "console",
    "GET /console/contact-policy": "console",
    "POST /console/contact-policy": "console",
    "POST /console/contact-policy/save": "console",
    "GET /console/journeys": "console",
    "GET /console/journeys/{journey}": "console",
    "GET /console/tasks": "console",
    "GET /console/tasks/{task}": "console",
    "POST /console/tasks/{task}/close": "console",
    "GET /console/bulks": "console",
    "POST /console/bulks": "console",
    "GET /console/bulks/{bulk}": "console",
    "POST /console/bulks/{bulk}/{command}": "console",
    "GET /console/segments": "console",
    "GET /console/segments/{name}": "console",
    "GET /console/segment-form": "console",
    "POST /console/segment-form": "console",
    "POST /console/segment-form/save": "console",
}
OPEN = {
    "GET /console/sign-in",
    "POST /console/sign-in",
    "GET /console/enter",
    "POST /console/sign-out",
    "GET /u/{token}",
    "HEAD /u/{token}",
    "POST /u/{token}",
    "GET /s/{token}",
    "HEAD /s/{token}",
    "POST /s/{token}",
    "GET /f/{token}",
    "HEAD /f/{token}",
    "POST /f/{token}",
    "GET /c/{token}",
    "HEAD /c/{token}",
    "GET /o/{token}.gif",
    "HEAD /o/{token}.gif",
    "POST /webhooks/twilio/status",
    "POST /webhooks/twilio/incoming",
    "POST /webhooks/telegram",
    "GET /y/{token}",
    "HEAD /y/{token}",
    "POST /y/{token}",
    "GET /y/{token}/{form}",
    "HEAD /y/{token}/{form}",
    "GET /n/{token}",
    "HEAD /n/{token}",
    "POST /n/{token}",
    "GET /p/{token}",
    "HEAD /p/{token}",
    "POST /p/{token}",
    "DELETE /p/{token}",
    "POST /v1/visits",
    "OPTIONS /v1/visits",
    "POST /v1/visits:identify",
    "OPTIONS /v1/visits:identify",
    "GET /j/{name}",
    "HEAD /j/{name}",
    "POST /j/{name}",
    "GET /docs",
    "GET /openapi.json",
    "HEAD /openapi.json",
    "GET /health/live",
    "GET /health/ready",
    "GET /metrics",
}
LOCKED = [name for name in SCOPES if "/v1/" in name]


def routes_of(app: FastAPI) -> dict[str, str | None]:
    """Every route with the scope that its dependencies ask for."""
    found: dict[str, str | None] = {}
    waiting: list[Any] = list(app.routes)
    while waiting:
        route = waiting.pop()
        inner = getattr(route, "original_router", None)
        waiting += inner.routes if inner is not None else []
        if not hasattr(route, "methods"):
            continue
        asked = (
            [getattr(d.call, "scope", None) for d in route.dependant.dependencies]
            if isinstance(route, APIRoute)
            else []
        )
        for method in route.methods:
            found[f"{method} {route.path}"] = next((scope for scope in asked if scope), None)
    return found


def test_every_route_is_listed_here_with_its_scope(app: FastAPI) -> None:
    assert routes_of(app) == SCOPES | dict.fromkeys(OPEN)


@pytest.mark.parametrize("route", LOCKED)
async def test_without_a_key_nothing_is_answered(asking: httpx.AsyncClient, route: str) -> None:
    method, path = route.split()

    answer = await asking.request(method, path, json={}, headers={"Authorization": ""})

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("route", LOCKED)
async def test_the_wrong_scope_is_not_enough(asking: httpx.AsyncClient, untouched: House, route: str) -> None:
    method, path = route.split()
    key = await Keys(untouched.database).create("narrow", ["console"])

    answer = await asking.request(method, path, json={}, headers={"Authorization": f"Bearer {key}"})

    assert answer.status_code == 403
    assert SCOPES[route] in answer.json()["detail"]


WRONG_KEYS = ["", "x", "tropa_", "tropa_a_b", "tropa_\x7f_x", "tropa__", "Bearer", "tropa_" + "a" * 5000 + "_x"]


@pytest.mark.parametrize("key", WRONG_KEYS)
async def test_what_is_no_key_opens_nothing(asking: httpx.AsyncClient, key: str) -> None:
    answer = await asking.get("/v1/journeys", headers={"Authorization": f"Bearer {key}"})

    assert answer.status_code == 401


async def test_a_key_with_another_secret_opens_nothing(api: httpx.AsyncClient, stranger: httpx.AsyncClient) -> None:
    forged = api.headers["Authorization"][:-3] + "xyz"

    assert (await stranger.get("/v1/journeys", headers={"Authorization": forged})).status_code == 401


async def test_only_the_digest_of_a_key_is_stored(api: httpx.AsyncClient, house: House) -> None:
    async with house.database.transaction() as connection:
        stored = (await connection.exec_driver_sql("SELECT id, name, digest, scopes FROM api_keys")).one()

    secret = api.headers["Authorization"].rsplit("_", 1)[-1]
    assert secret not in str(stored)
    assert len(stored.digest) == 32


async def test_a_revoked_key_is_over_within_five_seconds_elsewhere_and_here_at_once(house: House) -> None:
    elsewhere, here = Keys(house.database), Keys(house.database)
    key = await here.create("the shop", ["console"])
    caller = await here.verify(key)
    assert caller is not None
    assert await elsewhere.verify(key)

    await here.revoke(caller.id)

    assert await here.verify(key) is None
    elsewhere._known = {i: (since - 5, c, d) for i, (since, c, d) in elsewhere._known.items()}
    assert await elsewhere.verify(key) is None


async def test_an_expired_key_opens_nothing(house: House) -> None:
    keys = Keys(house.database)
    key = await keys.create("old", ["console"])
    async with house.database.transaction() as connection:
        await connection.exec_driver_sql("UPDATE api_keys SET expires_at = now() - interval '1 second'")

    assert await keys.verify(key) is None
