"""The page of a survey: looking counts nothing, sending counts once, and the words stay here."""

from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.api.stories import ANNA, asked, know_anna, rows
from tropa.wiring import House

ANSWERS = "SELECT properties, about, source FROM events WHERE name = 'survey_answered'"


async def link(api: httpx.AsyncClient, house: House, **profile: Any) -> str:
    """The page of the letter that asks Anna how likely she would recommend us."""
    await know_anna(api, **profile)
    page = urlsplit(await asked(api, house)).path
    [sent] = await rows(house, "SELECT rendered FROM sends")
    assert f"{page}?score=9" in sent["rendered"]["html"]
    assert sent["rendered"]["text"].count("/s/") == 1  # the row of scores is not for a text
    return page


async def test_looking_a_hundred_times_with_a_score_in_the_link_counts_nothing(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House
) -> None:
    page = await link(api, house)

    statuses = {(await stranger.get(f"{page}?score={n % 11}")).status_code for n in range(99)}
    statuses.add((await stranger.head(page)).status_code)

    assert statuses == {200}
    assert await rows(house, ANSWERS) == []


async def test_a_tapped_score_is_chosen_and_counts_when_it_is_sent(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House
) -> None:
    page = await link(api, house)

    shown = (await stranger.get(f"{page}?score=4")).text
    sent = await stranger.post(page, data={"score": "4", "reason": "delivery", "text": " It came late.\x00 "})
    again = await stranger.post(page, data={"score": "10"})

    assert shown.count(" checked") == 1 and 'value="4" required checked' in shown
    assert "<script" not in shown
    assert (sent.status_code, again.status_code) == (200, 200)
    assert "Your answer has arrived" in sent.text and "Your answer has arrived" in again.text
    [event] = await rows(house, ANSWERS)
    said = event["properties"]
    assert {said.pop(name) for name in ("journey", "message")} == {"Nps", "would_you_recommend_us"}
    assert said.pop("send") in page_sends(await rows(house, "SELECT id FROM sends"))
    assert said == {"survey": "nps", "score": 4, "reason": "delivery", "text": "It came late."}
    assert event["source"] == "survey page"


def page_sends(found: list[dict[str, Any]]) -> set[str]:
    return {str(row["id"]) for row in found}


@pytest.mark.parametrize(
    "form", [{}, {"score": "11"}, {"score": "-1"}, {"score": "٣"}, {"score": "3", "reason": "sabotage"}], ids=str
)
async def test_what_is_no_answer_is_told_and_counts_nothing(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House, form: dict[str, str]
) -> None:
    page = await link(api, house)

    answer = await stranger.post(page, data={**form, "text": "my <b>words</b>"})

    assert answer.status_code == 400
    assert "Please choose an answer first" in answer.text
    assert "my &lt;b&gt;words&lt;/b&gt;" in answer.text
    assert await rows(house, ANSWERS) == []


async def test_it_speaks_russian_and_support_reads_the_answer_on_the_timeline(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House
) -> None:
    page = await link(api, house, locale="ru")
    shown = (await stranger.get(page)).text
    await stranger.post(page, data={"score": "9", "reason": "delivery"})
    await house.projector.project_some()

    told = (await api.get(f"/v1/customers/{ANNA}/timeline", params={"locale": "ru"})).json()["entries"]

    assert "Посоветуете ли вы" in shown and "Отправить ответ" in shown
    assert "Ответ на опрос «NPS»: 9, Доставка" in {entry["text"] for entry in told}


@pytest.mark.parametrize("token", ["x", "a.b", "é", "x" * 3000])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_wrong_link_is_told_kindly(asking: httpx.AsyncClient, method: str, token: str) -> None:
    answer = await asking.request(method, f"/s/{token}", data={"score": "9"} if method == "POST" else None)

    assert answer.status_code == 404
    assert "This link is not right" in answer.text


async def test_the_link_of_somebody_erased_is_a_wrong_link(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House
) -> None:
    page = await link(api, house)
    await api.delete(f"/v1/customers/{ANNA}")

    assert (await stranger.get(page)).status_code == 404
    assert (await stranger.post(page, data={"score": "9"})).status_code == 404
