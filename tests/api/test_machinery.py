"""Health, metrics, limits, logs, and a database that does not answer."""

import logging
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from tests.api.conftest import client_of
from tests.api.stories import ANNA, PROFILE, enroll, know_anna, rows, send
from tests.support.factories import SettableClock
from tropa.serve import api_app
from tropa.wiring import House

CANARIES = ("canary", "Petrova", "901820", "anna@", "tropa_")
MANY = 3 * 1024 * 1024


async def test_it_is_alive_and_ready(asking: httpx.AsyncClient) -> None:
    assert (await asking.get("/health/live")).json() == {"status": "ok"}
    ready = await asking.get("/health/ready")
    assert (ready.status_code, ready.json()["database"], ready.json()["migrations"]) == (200, "ok", "ok")


async def test_f07_without_temporal_it_is_ready_and_says_so(house: House) -> None:
    async def down() -> bool:
        raise ConnectionRefusedError

    async with client_of(api_app(house, temporal=down)) as client:
        ready = await client.get("/health/ready")

    assert (ready.status_code, ready.json()["temporal"]) == (200, "down")


async def test_on_another_schema_it_is_not_ready(stranger: httpx.AsyncClient, house: House) -> None:
    async with house.database.transaction() as connection:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")

    ready = await stranger.get("/health/ready")

    assert (ready.status_code, ready.json()["migrations"]) == (503, "run `tropa migrate`")


async def test_f20_a_large_body_is_turned_down_however_it_comes(asking: httpx.AsyncClient, untouched: House) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(3 * 1024):
            yield b"x" * 1024

    said = await asking.post("/v1/events", content=b"x" * MANY)
    unsaid = await asking.post("/v1/events", content=pieces())

    assert (said.status_code, unsaid.status_code) == (413, 413)
    assert unsaid.headers["content-type"] == "application/problem+json"
    assert await rows(untouched, "SELECT 1 FROM events") == []


@pytest.mark.parametrize("path", ["/v1/customers/%00", "/v1/enrollments/a%0Ab", "/v1/journeys/%FF", "/u/%1F"])
async def test_an_address_that_cannot_be_is_a_problem(asking: httpx.AsyncClient, path: str) -> None:
    answer = await asking.get(path)

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


async def test_metrics_count_by_route_and_name_nobody(
    api: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    await know_anna(api)
    await send(house, (await enroll(api)).json(), "greeting", clock.now())
    await api.post("/v1/events", json={"events": [{"event_id": "1", "customer_id": ANNA, "name": "b"}, {}]})

    metrics = (await api.get("/metrics")).text

    assert 'tropa_requests_total{method="PUT",route="/v1/customers/{customer_id}",status="201"} 1.0' in metrics
    assert 'tropa_events_total{result="accepted"} 1.0' in metrics
    assert 'tropa_events_total{result="rejected"} 1.0' in metrics
    assert 'tropa_sends{state="accepted"} 1.0' in metrics
    assert 'tropa_open_enrollments{journey="WelcomeChain"} 1.0' in metrics
    assert "tropa_dispatch_backlog 1.0" in metrics
    assert "anna" not in metrics


def gauge(metrics: str, name: str) -> float:
    return float(next(line for line in metrics.splitlines() if line.startswith(f"{name} ")).split()[1])


async def test_f30_metrics_tell_what_waits_and_for_how_long(
    api: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    await know_anna(api)
    await send(house, (await enroll(api)).json(), "greeting", clock.now())
    await house.projector.project_some()
    well = (await api.get("/metrics")).text
    await api.post("/v1/events", json={"events": [{"event_id": "1", "customer_id": ANNA, "name": "b"}]})
    async with house.database.transaction() as connection:
        await connection.exec_driver_sql(
            "UPDATE sends SET state = 'unknown', claimed_at = now() - interval '100 seconds'"
        )
        await connection.exec_driver_sql(
            """INSERT INTO reports (gateway, provider_id, status, code, received_at, orphaned_at)
               VALUES ('twilio', 'SM1', 'sent', '', now(), now()), ('twilio', 'SM2', 'sent', '', now(), NULL)"""
        )
    ill = (await api.get("/metrics")).text

    names = ("projection_backlog", "projection_oldest_seconds", "unknown_oldest_seconds", "orphan_reports")
    before, after = ([gauge(each, f"tropa_{name}") for name in names] for each in (well, ill))
    assert before == [0, 0, 0, 0]
    assert (after[0], after[3]) == (1, 1)
    assert 0 < after[1] < 100 <= after[2] < 200


async def test_logs_name_nobody(
    api: httpx.AsyncClient, app: FastAPI, house: House, clock: SettableClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # the test's own client
    await api.put("/v1/customers/canary-anna@example.com", json=PROFILE)
    await api.put("/v1/customers/canary", json={"email": "canary"})
    await api.post("/v1/events", content=b'{"events":[{"event_id":"canary","customer_id":"canary"}]}')
    await api.get("/v1/customers/canary-nobody/timeline?cursor=canary")
    await api.get("/canary")
    await send(house, (await enroll(api, "canary-anna@example.com")).json(), "greeting", clock.now())

    said = "\n".join(str(record.__dict__) for record in caplog.records)

    assert "/v1/customers/{customer_id}" in said
    assert [canary for canary in CANARIES if canary in said] == []


async def test_what_breaks_inside_stays_inside(
    app: FastAPI, api: httpx.AsyncClient, house: House, caplog: pytest.LogCaptureFixture
) -> None:
    async with house.database.transaction() as connection:
        await connection.exec_driver_sql("ALTER TABLE customers RENAME COLUMN email TO mail")

    answer = await api.put(f"/v1/customers/{ANNA}", json=PROFILE)

    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "mail" not in answer.text
    assert "SELECT" not in answer.text


async def test_f53_a_database_that_only_reads_takes_nothing_in_and_recovers(
    api: httpx.AsyncClient, house: House
) -> None:
    event = {"event_id": "1", "customer_id": "a", "name": "b"}
    assert (await api.get("/v1/journeys")).status_code == 200
    await only_reading(house, "on")

    refused, ready = await api.post("/v1/events", json={"events": [event]}), await api.get("/health/ready")
    await only_reading(house, "off")
    taken = await api.post("/v1/events", json={"events": [event]})

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert (ready.status_code, ready.json()["database"]) == (503, "read-only")
    assert taken.json()["accepted"] == 1


async def only_reading(house: House, switch: str) -> None:
    async with house.database.transaction() as connection:
        await connection.exec_driver_sql("SET TRANSACTION READ WRITE")
        name = house.database.engine.url.database
        await connection.exec_driver_sql(f"ALTER DATABASE {name} SET default_transaction_read_only = {switch}")
    await house.database.engine.dispose()  # for connections to come


async def test_taken_events_are_counted_and_only_refused_ones_logged(
    api: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    event = {"event_id": "1", "customer_id": "a", "name": "b"}
    with caplog.at_level(logging.INFO):
        await api.post("/v1/events", json={"events": [event]})
        await api.post("/v1/events", json={})

    told = [record.__dict__["status"] for record in caplog.records if record.message == "answered"]
    assert told == [422]
    assert 'route="/v1/events",status="202"} 1.0' in (await api.get("/metrics")).text


DOWN = [
    ("POST", "/v1/events"),
    ("GET", f"/v1/customers/{ANNA}"),
    ("PUT", f"/v1/customers/{ANNA}"),
    ("GET", "/v1/journeys"),
]


@pytest.mark.parametrize(("method", "path"), DOWN)
async def test_f08_a_database_that_is_down_is_told_as_such(
    asking: httpx.AsyncClient, broken: httpx.AsyncClient, method: str, path: str
) -> None:
    event = {"event_id": "1", "customer_id": "a", "name": "b"}

    answer = await broken.request(method, path, json={"events": [event]} if "events" in path else {})

    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert answer.headers["content-type"] == "application/problem+json"


async def test_f08_readiness_and_metrics_answer_when_the_database_is_down(broken: httpx.AsyncClient) -> None:
    assert (await broken.get("/health/live")).status_code == 200
    assert (await broken.get("/health/ready")).status_code == 503
    assert (await broken.get("/metrics")).status_code == 200


@pytest.fixture
async def broken(api: httpx.AsyncClient, house: House) -> httpx.AsyncClient:
    """The API, its key known, after its database has gone."""
    assert (await api.get("/v1/journeys")).status_code == 200
    await house.database.engine.dispose()
    house.database.engine.sync_engine.dialect.connect = _refused  # type: ignore[assignment,method-assign]  # nobody listens there
    return api


def _refused(*_: object, **__: object) -> None:
    raise ConnectionRefusedError


@pytest.mark.parametrize("page", ["c", "f", "j", "n", "p", "s", "u", "y"])
async def test_f20_a_page_for_customers_reads_no_more_than_a_form_needs(untouched: House, page: str) -> None:
    """The length may be said or not: what comes in pieces is cut off where it is too much."""
    read = 0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(1000):
            read += 4096
            yield b"a" * 4096

    async with client_of(api_app(untouched)) as stranger:
        said = await stranger.post(f"/{page}/token", content=b"a" * (16 * 1024 + 1))
        unsaid = await stranger.post(f"/{page}/token", content=pieces())
        enough = await stranger.post(f"/{page}/token", content=b"a" * 16 * 1024)

    assert (said.status_code, unsaid.status_code) == (413, 413)
    assert read <= 16 * 1024 + 2 * 4096
    assert enough.status_code != 413
