"""POST /v1/events: what is accepted is stored once; what is wrong is told and stored nowhere."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest

from tests.api.stories import rows
from tests.support.factories import SettableClock
from tropa.wiring import House


def an_event(**changes: Any) -> dict[str, Any]:
    """An order of Anna's."""
    return {"event_id": "order-1", "customer_id": "anna@example.com", "name": "order_placed", **changes}


async def post(api: httpx.AsyncClient, *events: Any) -> httpx.Response:
    return await api.post("/v1/events", json={"events": list(events)})


async def test_an_event_is_stored_with_what_was_said_and_now_for_what_was_not(
    api: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    taken = await post(api, an_event(properties={"total": 49.9}))

    assert taken.status_code == 202
    assert taken.json() == {"accepted": 1, "duplicates": 0, "rejected": []}
    stored = (await rows(house, "SELECT * FROM events"))[0]
    assert (stored["source"], stored["about"], stored["properties"]) == ("api", "", {"total": 49.9})
    assert stored["occurred_at"] == stored["received_at"] == clock.now()


async def test_f02_sent_again_it_is_a_duplicate_though_time_went_on(
    api: httpx.AsyncClient, clock: SettableClock
) -> None:
    await post(api, an_event())
    clock.pass_(timedelta(minutes=5))

    assert (await post(api, an_event(), an_event())).json() == {"accepted": 0, "duplicates": 2, "rejected": []}


async def test_the_order_of_properties_does_not_make_another_event(api: httpx.AsyncClient) -> None:
    await post(api, an_event(properties={"a": 1, "b": {"c": 1, "d": 2}}))

    again = await post(api, an_event(properties={"b": {"d": 2, "c": 1}, "a": 1}))

    assert again.json()["duplicates"] == 1


async def test_an_event_id_names_one_event_for_ever(api: httpx.AsyncClient) -> None:
    await post(api, an_event())

    taken = (await post(api, an_event(event_id="order-2"), an_event(about="another"))).json()

    assert taken["accepted"] == 1
    assert taken["rejected"] == [
        {"index": 1, "problem": "event_id: is taken by another event; an event_id names one event for ever"}
    ]


async def test_one_wrong_event_does_not_sink_the_batch(api: httpx.AsyncClient, house: House) -> None:
    taken = await post(api, an_event(event_id="1"), an_event(event_id="2", name="Not A Name"), an_event(event_id="3"))

    assert taken.status_code == 202
    assert taken.json()["accepted"] == 2
    assert [each["index"] for each in taken.json()["rejected"]] == [1]
    assert [row["event_id"] for row in await rows(house, "SELECT event_id FROM events ORDER BY 1")] == ["1", "3"]


async def test_a_batch_of_wrong_events_is_still_an_answered_batch(api: httpx.AsyncClient, house: House) -> None:
    taken = await post(api, an_event(name="X"), 7)

    assert taken.status_code == 202
    assert [each["index"] for each in taken.json()["rejected"]] == [0, 1]
    assert await rows(house, "SELECT 1 FROM events") == []


WRONG: dict[str, tuple[Any, str]] = {
    "no id": ({"event_id": ""}, "event_id"),
    "long id": ({"event_id": "x" * 201}, "event_id"),
    "id with a tab": ({"event_id": "a\tb"}, "event_id"),
    "no customer": ({"customer_id": ""}, "customer_id"),
    "number for a customer": ({"customer_id": 7}, "customer_id"),
    "name": ({"name": "Order placed"}, "name"),
    "no zone": ({"occurred_at": "2026-03-02T10:00:00"}, "occurred_at"),
    "no instant": ({"occurred_at": "yesterday"}, "occurred_at"),
    "number for an instant": ({"occurred_at": 1772445600}, "occurred_at"),
    "future": ({"occurred_at": "2026-03-03T10:00:01Z"}, "occurred_at"),
    "year one": ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "occurred_at"),
    "unknown field": ({"tenant": "x"}, "tenant"),
    "properties": ({"properties": [1]}, "properties"),
    "many properties": ({"properties": {str(n): n for n in range(101)}}, "properties"),
    "large properties": ({"properties": {"text": "x" * 33_000}}, "properties"),
    "NUL": ({"properties": {"a": ["x\x00"]}}, "properties"),
    "NUL in a key": ({"properties": {"\x00": 1}}, "properties"),
    "NUL in the id": ({"event_id": "\x00"}, "event_id"),
    "deep": ({"properties": msgspec.json.decode(b'{"a":' * 40 + b"1" + b"}" * 40)}, "properties"),
    "no channel": ({"name": "opted_out", "properties": {"channel": "fax"}}, "channel"),
    "list for a channel": ({"name": "complained", "properties": {"channel": ["email"]}}, "channel"),
    "all as a channel": ({"name": "hard_bounced", "properties": {"channel": "all"}}, "channel"),
}


@pytest.mark.parametrize(("changes", "field"), WRONG.values(), ids=WRONG.keys())
async def test_a_wrong_event_is_told_by_its_field(
    asking: httpx.AsyncClient, untouched: House, changes: dict[str, Any], field: str
) -> None:
    taken = await post(asking, an_event(**changes))

    assert taken.status_code == 202
    assert field in taken.json()["rejected"][0]["problem"]
    assert await rows(untouched, "SELECT 1 FROM events") == []


RAW = {
    "lone surrogate": rb'{"events":[{"event_id":"\ud800","customer_id":"a","name":"b"}]}',
    "no JSON": b'{"events":[',
    "NaN": b'{"events":[{"event_id":"1","customer_id":"a","name":"b","properties":{"a":NaN}}]}',
    "nothing": b"",
    "no events": b"{}",
    "empty": b'{"events":[]}',
    "another field": b'{"events":[{}],"more":1}',
    "no list": b'{"events":{}}',
    "endless depth": b'{"events":[' + b"[" * 100_000 + b"]}",
    "too many": b'{"events":[' + b",".join([b"1"] * 1001) + b"]}",
}


@pytest.mark.parametrize("body", RAW.values(), ids=RAW.keys())
async def test_a_wrong_envelope_is_a_problem_and_stores_nothing(
    asking: httpx.AsyncClient, untouched: House, body: bytes
) -> None:
    answer = await asking.post("/v1/events", content=body)

    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert await rows(untouched, "SELECT 1 FROM events") == []


async def test_f20_bytes_that_are_no_text_cost_their_event_alone(api: httpx.AsyncClient) -> None:
    good = b'{"event_id":"1","customer_id":"a","name":"b"}'

    answer = await api.post("/v1/events", content=b'{"events":[{"event_id":"\xff"},%s]}' % good)

    assert answer.json() == {
        "accepted": 1,
        "duplicates": 0,
        "rejected": [{"index": 0, "problem": "event: is not UTF-8"}],
    }


async def test_huge_numbers_are_told_or_kept_and_never_break(api: httpx.AsyncClient) -> None:
    body = (
        b'{"events":[{"event_id":"1","customer_id":"a","name":"b","properties":{"n":1e400}},'
        b'{"event_id":"2","customer_id":"a","name":"b","properties":{"n":1%s}}]}' % (b"0" * 400)
    )

    answer = await api.post("/v1/events", content=body)

    assert answer.status_code == 202
    assert answer.json()["accepted"] == 1


async def test_an_opt_out_is_in_force_when_the_answer_arrives(api: httpx.AsyncClient, house: House) -> None:
    await post(api, an_event(name="opted_out", properties={"channel": "email"}))

    consents = await rows(house, "SELECT channel, status FROM consents")

    assert consents == [{"channel": "email", "status": "denied"}]


async def test_twins_store_one_event(api: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(post(api, an_event()) for _ in range(8)))

    assert sum(answer.json()["accepted"] for answer in answers) == 1
    assert sum(answer.json()["duplicates"] for answer in answers) == 7


async def test_f20_a_row_that_the_database_refuses_costs_itself_alone(api: httpx.AsyncClient, house: House) -> None:
    async with house.database.transaction() as connection:
        await connection.exec_driver_sql("ALTER TABLE events ADD CONSTRAINT no_bad_luck CHECK (about <> '13')")

    taken = await post(api, an_event(event_id="1"), an_event(event_id="2", about="13"), an_event(event_id="3"))

    assert taken.json()["accepted"] == 2
    assert taken.json()["rejected"] == [{"index": 1, "problem": "event: cannot be stored"}]


async def test_a_thousand_events_are_one_batch(api: httpx.AsyncClient, house: House) -> None:
    taken = await post(api, *(an_event(event_id=str(n), customer_id=f"c{n % 50}") for n in range(1000)))

    assert taken.json()["accepted"] == 1000


async def test_a_name_with_a_line_break_behind_it_is_no_name(api: httpx.AsyncClient) -> None:
    event = {"event_id": "e-1", "customer_id": "anna", "name": "opted_out\n"}

    answer = (await api.post("/v1/events", json={"events": [event]})).json()

    assert answer["accepted"] == 0
    assert answer["rejected"][0]["problem"].startswith("name:")
