"""Segments in the console: what each says, who is in it, and making one, counted before it is saved."""

import re
from html import unescape
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from adapters.segments import shipped_segments
from api.console.segment_problems import in_words
from domain.errors import InvalidInput
from domain.segment_rules import read_rule
from services.keys import Keys
from tests.api.conftest import client_of
from tests.api.stories import ANNA, happens, know_anna
from tropa.wiring import House

FORM, OLGA = "/console/segment-form", "olga@example.com"
NEW: dict[str, str] = {
    "name": "asks_a_lot",
    "label.en": "Asks a lot",
    "label.ru": "Много спрашивают",
    "description.en": "They wrote to support.",
    "description.ru": "Писали в поддержку.",
    "rule": '{"event": {"name": "support_contacted", "within": "30 days"}}',
}


def counted(page: str) -> dict[str, str]:
    """What the button under the count would send."""
    return {name: unescape(value) for name, value in re.findall(r'hidden" name="(\w+)" value="([^"]*)"', page)}


async def make(staff: httpx.AsyncClient, **changes: str) -> httpx.Response:
    looked = await staff.post(FORM, data={**NEW, **changes})
    return await staff.post(f"{FORM}/save", data=counted(looked.text))


async def test_every_segment_is_listed_with_what_it_says(staff: httpx.AsyncClient) -> None:
    page = unescape((await staff.get("/console/segments?lang=ru")).text)

    for segment in shipped_segments().values():
        assert segment.label["ru"] in page and segment.description["ru"] in page
    assert page.index("Новые лиды") < page.index("Спящие") < page.index("VIP-клиенты") < page.index("Жалуются")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("sleeping", ["хотя бы одно из этого", "последняя активность: 90 дней назад и раньше", "в сегменте «Ушедшие»"]),
        ("vip", ["RFM, VIP: да", "VipWelcome</a> кончается у тех, кто вышел"]),
        ("gone", ['href="/console/segments/sleeping"']),  # which names it
    ],
)  # fmt: skip
async def test_a_segment_says_its_rule_and_what_journeys_do_by_it(
    staff: httpx.AsyncClient, name: str, told: list[str]
) -> None:
    page = unescape((await staff.get(f"/console/segments/{name}?lang=ru")).text)

    assert [each for each in told if each not in page] == []


async def test_nobody_counts_until_somebody_asks(staff: httpx.AsyncClient, api: httpx.AsyncClient) -> None:
    await know_anna(api)
    before = (await staff.get("/console/segments/new_leads")).text
    asked = (await staff.get("/console/segments/new_leads?look=true")).text

    assert "Count now" in before and ANNA not in before
    assert "100.0 % of 1 customers" in asked and f">{ANNA}</a>" in asked


async def test_a_watched_segment_tells_who_is_in_it_at_once(
    staff: httpx.AsyncClient, api: httpx.AsyncClient, house: House
) -> None:
    await know_anna(api)
    async with house.database.transaction() as connection:
        await house.segments.refresh(connection, "active_leads", house.clock.now())
    listed, page = [(await staff.get(f"/console/segments{each}")).text for each in ("", "/active_leads")]

    assert "0 in it" in listed
    assert "A journey watches it" in page and "Count now" not in page


async def test_one_is_made_when_it_was_counted_and_not_before(
    staff: httpx.AsyncClient, api: httpx.AsyncClient, house: House
) -> None:
    await know_anna(api)
    await know_anna(api, OLGA, email=OLGA)
    await happens(api, house, "support_contacted", OLGA)
    looked = await staff.post(FORM, data=NEW)
    assert "1 of 2 customers" in looked.text and OLGA in looked.text and "Wrote or called to support" in looked.text
    assert (await api.get("/v1/segments/asks_a_lot")).status_code == 404

    saved = await staff.post(f"{FORM}/save", data=counted(looked.text))

    assert saved.headers["location"] == "/console/segments/asks_a_lot?saved=true"
    now = (await api.get("/v1/segments/asks_a_lot")).json()
    assert (now["version"], now["set_by"], now["label"]["ru"]) == (1, "the shop", "Много спрашивают")
    assert "Version 1 is in force" in (await staff.get(saved.headers["location"])).text
    assert "Asks a lot" in (await staff.get("/console/segments")).text.split("come with Tropa")[0]


async def test_one_of_ours_is_changed_from_its_own_form(staff: httpx.AsyncClient, api: httpx.AsyncClient) -> None:
    form = unescape((await staff.get(f"{FORM}?of=vip")).text)
    assert '{"rfm": {"vip": true}}' in form and "yours takes its place" in form

    answer = await make(staff, name="vip", version="0", rule='{"customer": {"revenue": {"more_than": 9000}}}')
    again = await make(staff, name="vip", version="0", rule='{"customer": {"revenue": {"more_than": 9}}}')

    assert (answer.status_code, again.status_code) == (303, 409)
    assert "Somebody changed this segment meanwhile" in again.text
    assert (await api.get("/v1/segments/vip")).json()["rule"]["customer"] == {"revenue": {"more_than": 9000}}


@pytest.mark.parametrize(
    ("changes", "en", "ru"),
    [
        ({"rule": '{"all": [\n  {"segment" "vip"}]}'}, "Rule: line 2, character 14", "Правило: строка 2, знак 14"),
        ({"rule": '{"all": [{"event": {"name": "a", "within": "soon"}}]}'}, "event.within: 'soon'", "это не срок"),
        ({"rule": '{"segment": "nobodies"}'}, "segment: there is no segment", "segment: сегмента «nobodies» нет"),
        ({"rule": '{"\\ud800": 1}'}, "is not JSON", "это не JSON"),
        ({"label.en": ""}, "in English: write it", "по-английски: нужно заполнить"),
        ({"name": "vip"}, "Name: there is a segment of this name", "Имя: сегмент с таким именем уже есть"),
    ],
    ids=str,
)  # fmt: skip
async def test_what_cannot_be_is_told_with_its_place_and_stays_written(
    staff: httpx.AsyncClient, changes: dict[str, str], en: str, ru: str
) -> None:
    english, russian = [await staff.post(f"{FORM}?lang={lang}", data={**NEW, **changes}) for lang in ("en", "ru")]

    assert (english.status_code, russian.status_code) == (422, 422)
    assert en in unescape(english.text) and ru in unescape(russian.text)
    assert "Put it in force" not in english.text
    assert NEW["description.ru"] in russian.text


async def test_a_name_that_cannot_be_is_told_when_it_is_saved(staff: httpx.AsyncClient) -> None:
    answer = await make(staff, name="V.I.P.")

    assert answer.status_code == 422
    assert "must be lower case letters" in answer.text


async def test_a_key_that_may_only_look_sets_nothing(app: FastAPI, house: House, staff: httpx.AsyncClient) -> None:
    looked = await staff.post(FORM, data=NEW)
    key = await Keys(house.database).create("looks", ["console"])
    async with client_of(app) as browser:
        await browser.post("/console/sign-in", data={"key": key})
        page = await browser.get(f"{FORM}?of=vip")
        answer = await browser.post(f"{FORM}/save", data=counted(looked.text))

    assert "lacks the scope segments:write" in page.text
    assert answer.status_code == 403
    assert (await staff.get("/console/segments/asks_a_lot")).status_code == 404


async def test_above_seven_of_your_own_there_is_a_note(staff: httpx.AsyncClient, api: httpx.AsyncClient) -> None:
    words = {"en": "Some", "ru": "Кое-кто"}
    for number in range(8):
        body = {"label": words, "description": words, "rule": {"customer": {"orders": number}}}
        await api.put(f"/v1/segments/some_{number}", json=body)

    assert "Своих сегментов у вас 8" in (await staff.get("/console/segments?lang=ru")).text


WRONG: list[Any] = [
    {}, {"none": []}, {"all": {}}, {"rfm": {}}, {"attribute": {}}, {"rfm": {"x": 1}}, {"rfm": {"vip": "yes"}},
    {"rfm": {"r": "1"}}, {"rfm": {"r": {}}}, {"rfm": {"r": {"contains": "x"}}}, {"rfm": {"r": 1e16}},
    {"consent": {"fax": "granted"}}, {"event": {"name": "A B"}}, {"event": {"name": "a", "within": 3}},
    {"event": {"name": "a", "within": "0 days"}}, {"event": {"name": "a", "within": f"{'9' * 30} weeks"}},
    {"event": {"name": "a", "where": {"x": None}}}, {"customer": {"email": 3}}, {"customer": {"email": "x" * 201}},
    {"customer": {"email": "\x00"}}, {"customer": {"email": {"in": []}}},
    {"customer": {"last_order_at": {"after": "x"}}},
    {"sequence": {"first": {"name": "a"}, "then_not": {"name": "b"}}}, {"segment": "V"}, {"segment": "nobodies"},
    {"any": [{"segment": "vip"}] * 101},
]  # fmt: skip


@pytest.mark.parametrize("rule", WRONG, ids=lambda rule: str(rule)[:60])
def test_all_that_can_be_wrong_with_a_rule_is_told_in_russian_too(rule: object) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_rule(rule, known=["vip"])

    told = in_words(caught.value.problems, "ru")

    assert [each for each in told if not re.search("[а-я]", each)] == []
