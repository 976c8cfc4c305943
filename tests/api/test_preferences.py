"""What customers choose, set for them by the company: in force for the next message, and told on the timeline."""

from datetime import timedelta
from typing import Any

import httpx

from domain.sends import SendState
from tests.api.stories import ANNA, enroll, know_anna, send
from tests.support.factories import SettableClock
from tropa.wiring import House

CHOICES = f"/v1/customers/{ANNA}/preferences"
DAY = timedelta(days=1)


async def walking(api: httpx.AsyncClient) -> dict[str, Any]:
    await know_anna(api)
    entered: dict[str, Any] = (await enroll(api)).json()
    return entered


async def test_whoever_chose_nothing_hears_as_it_comes(api: httpx.AsyncClient) -> None:
    await know_anna(api)

    chosen = (await api.get(CHOICES)).json()

    assert (chosen["frequency"], chosen["snoozed_until"]) == (None, None)
    assert chosen["topics"] == {"promotions": True, "articles": True, "surveys": True, "help": True}
    assert (chosen["channels"]["email"], chosen["channels"]["telegram"]) == (True, None)


async def test_once_a_week_holds_against_every_journey(
    api: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    enrollment = await walking(api)
    await api.patch(CHOICES, json={"frequency": "weekly"})
    await send(house, enrollment, "greeting", clock.now())
    clock.pass_(DAY)

    later = await send(house, enrollment, "basics", clock.now())

    assert later.state is SendState.EXPIRED  # it would not be worth sending any more in six days
    lines = [entry["text"] for entry in (await api.get(f"/v1/customers/{ANNA}/timeline")).json()["entries"]]
    assert any("the customer asked for one message a week; it may go at 09 Mar" in line for line in lines)


async def test_a_snooze_keeps_everything_back_until_it_ends(
    api: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    enrollment = await walking(api)
    until = clock.now() + DAY
    await api.patch(CHOICES, json={"snoozed_until": until.isoformat()})

    asleep = await send(house, enrollment, "greeting", clock.now())
    await api.patch(CHOICES, json={"snoozed_until": None})
    awake = await send(house, enrollment, "greeting", clock.now())

    assert (asleep.state, asleep.rule, asleep.until) == (SendState.DEFERRED, "snoozed", until)
    assert awake.state is SendState.ACCEPTED


async def test_a_snooze_by_event_is_in_force_when_the_answer_arrives(
    api: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    enrollment = await walking(api)
    await api.post("/v1/events", json={"events": [{"event_id": "s-1", "customer_id": ANNA, "name": "snoozed"}]})

    assert (await send(house, enrollment, "greeting", clock.now())).rule in ("snoozed", "shelf_life")
    assert (await api.get(CHOICES)).json()["snoozed_until"].startswith((clock.now() + 90 * DAY).date().isoformat())


async def test_a_refused_topic_is_refused_by_every_channel_until_it_is_wanted_again(
    api: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    enrollment = await walking(api)
    await api.patch(CHOICES, json={"topics": {"help": False}, "wording": "No more help letters", "proof": "call 17"})

    refused = await send(house, enrollment, "greeting", clock.now())
    clock.pass_(timedelta(seconds=1))
    await api.patch(CHOICES, json={"topics": {"help": True}})

    assert (refused.state, refused.rule) == (SendState.REFUSED, "topic_refused")
    assert (await send(house, enrollment, "basics", clock.now())).state is SendState.ACCEPTED


async def test_a_topic_that_is_none_is_named(api: httpx.AsyncClient) -> None:
    await know_anna(api)

    answer = await api.patch(CHOICES, json={"topics": {"gossip": False}})

    assert answer.status_code == 422
    assert answer.json()["problems"][0].startswith("topics.gossip: there is no such topic; there are: promotions")


async def test_a_break_ends_while_every_calendar_has_days(api: httpx.AsyncClient) -> None:
    await know_anna(api)

    answer = await api.patch(CHOICES, json={"snoozed_until": "9999-12-31T23:59:59Z"})

    assert (answer.status_code, answer.json()["problems"]) == (422, ["snoozed_until: is out of range"])


async def test_a_choice_is_on_the_timeline(api: httpx.AsyncClient) -> None:
    await know_anna(api)
    await api.patch(CHOICES, json={"frequency": "monthly"})

    lines = [entry["text"] for entry in (await api.get(f"/v1/customers/{ANNA}/timeline")).json()["entries"]]

    assert "Chose how often to hear from us" in lines
