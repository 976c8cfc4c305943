"""The customer's own page: what they change is in force at once, and what they only look at stays."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from domain.messages import Channel
from tests.api.stories import ANNA, enroll, happens, know_anna, rows, send
from tests.support.factories import SettableClock
from tropa.wiring import House

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
TOPICS = ["promotions", "articles", "surveys", "help"]
Form = dict[str, list[str]]


async def page_of(api: httpx.AsyncClient, house: House, **profile: Any) -> str:
    """The path of Anna's page."""
    return urlsplit(house.links.preferences((await know_anna(api, **profile))["id"])).path


async def leaving_of(api: httpx.AsyncClient, house: House, **profile: Any) -> str:
    """The path of Anna's link to leave email."""
    return urlsplit(house.links.unsubscribe((await know_anna(api, **profile))["id"], Channel.EMAIL)).path


def form_of(page: str) -> Form:
    """What a browser would send when nothing on the page is touched."""
    form: Form = {}
    for tag in re.findall(r"<input[^>]*>", page):
        given = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if given["type"] == "hidden" or " checked" in tag:
            form.setdefault(given["name"], []).append(given["value"])
    return form


async def open_page(browser: httpx.AsyncClient, path: str) -> Form:
    """The form of a page, as it stands."""
    page = await browser.get(path)
    assert page.status_code == 200
    return form_of(page.text)


async def press(browser: httpx.AsyncClient, path: str, form: Form, button: str = "save", **changes: list[str]) -> str:
    """Change some controls and press a button. Answers the page that comes."""
    answer = await browser.post(path, data={**form, **changes, "press": button})
    assert answer.status_code == 200, answer.text
    assert "set-cookie" not in answer.headers
    return answer.text


async def chosen(api: httpx.AsyncClient) -> dict[str, Any]:
    answer: dict[str, Any] = (await api.get(f"/v1/customers/{ANNA}/preferences")).json()
    return answer


async def names(house: House) -> list[str]:
    found = await rows(house, "SELECT name FROM events WHERE name <> 'profile_changed' ORDER BY received_at, id")
    return [row["name"] for row in found]


async def test_looking_a_hundred_times_changes_nothing(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House
) -> None:
    path = await page_of(api, house)
    before = await rows(house, "SELECT * FROM customers"), await rows(house, "SELECT * FROM consents")

    statuses = {(await stranger.get(path)).status_code for _ in range(99)} | {(await stranger.head(path)).status_code}

    assert statuses == {200}
    assert (await rows(house, "SELECT * FROM customers"), await rows(house, "SELECT * FROM consents")) == before
    assert await names(house) == ["consent_changed"]  # her sign-up


async def test_it_shows_what_holds(api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House) -> None:
    path = await page_of(api, house)
    await api.patch(f"/v1/customers/{ANNA}/preferences", json={"frequency": "weekly", "topics": {"promotions": False}})

    form = await open_page(stranger, path)

    assert form["frequency"] == form["shown_frequency"] == ["weekly"]
    assert form["topic"] == form["shown_topic"] == ["articles", "surveys", "help"]
    assert form["channel"] == form["shown_channel"] == ["email"]
    shown = (await stranger.get(path)).text
    assert "writes to you by email, at most once a week. Not about “Offers and sales”." in shown
    assert 'value="whatsapp"' in shown  # she has a phone
    assert 'value="sms"' not in shown  # used here for orders and codes alone, which nobody refuses
    assert 'value="telegram"' not in shown


@pytest.mark.parametrize(("choice", "expected"), [("weekly", "weekly"), ("monthly", "monthly"), ("any", None)], ids=str)
async def test_she_chooses_how_often(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House, choice: str, expected: str | None
) -> None:
    path = await page_of(api, house)
    other = "monthly" if choice == "weekly" else "weekly"
    await api.patch(f"/v1/customers/{ANNA}/preferences", json={"frequency": other})

    answer = await press(stranger, path, await open_page(stranger, path), frequency=[choice])

    assert "<b>Saved.</b>" in answer
    assert (await chosen(api))["frequency"] == expected
    assert form_of(answer)["frequency"] == [choice]


async def test_she_chooses_topics_and_ways_and_the_words_are_kept_as_proof(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    path = await page_of(api, house)
    clock.pass_(HOUR)

    answer = await press(
        stranger, path, await open_page(stranger, path), topic=["articles", "help"], channel=["email", "whatsapp"]
    )

    assert "Not about “Offers and sales”, “Questions about how it went”." in answer
    now = await chosen(api)
    assert now["topics"] == {"promotions": False, "articles": True, "surveys": False, "help": True}
    assert (now["channels"]["email"], now["channels"]["whatsapp"]) == (True, True)
    said = await rows(house, "SELECT * FROM consents WHERE source = 'preference center' ORDER BY channel, topic")
    assert [(word["channel"], word["topic"], word["status"]) for word in said] == [
        ("all", "promotions", "denied"),
        ("all", "surveys", "denied"),
        ("whatsapp", "", "granted"),
    ]
    assert {word["proof"] for word in said} == {"/f/"}
    assert said[0]["wording"] == (
        "What would you like to hear from Example Company? [x] WhatsApp [ ] Offers and sales "
        "[ ] Questions about how it went [Save]"
    )


async def test_saving_what_is_shown_or_twice_the_same_changes_no_more(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    path = await page_of(api, house)
    form = await open_page(stranger, path)
    await press(stranger, path, form)
    assert await names(house) == ["consent_changed"]

    for _ in range(3):
        clock.pass_(HOUR)
        await press(stranger, path, form, frequency=["monthly"], topic=["help"], channel=[])

    assert (await names(house)).count("frequency_chosen") == 1
    assert (await names(house)).count("consent_changed") == 1 + 3 + 1  # sign-up, three topics, email


async def test_a_page_left_open_undoes_nothing_that_was_chosen_since(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    path = await page_of(api, house)
    old = await open_page(stranger, path)
    await press(stranger, path, old, frequency=["monthly"], topic=["articles", "surveys", "help"])
    clock.pass_(DAY)

    answer = await press(stranger, path, old, topic=["promotions", "articles", "surveys"])

    now = await chosen(api)
    assert now["frequency"] == "monthly"
    assert now["topics"] == {"promotions": False, "articles": True, "surveys": True, "help": False}
    assert form_of(answer)["topic"] == ["articles", "surveys"]


async def test_a_break_lasts_three_months_however_often_it_is_asked_for_and_may_end_sooner(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    path = await page_of(api, house)
    form = await open_page(stranger, path)

    first = await press(stranger, path, form, "pause", frequency=["weekly"])
    clock.pass_(DAY)
    await press(stranger, path, form, "pause")

    assert "You have a break until 31 May 2026." in first
    assert "Pause for 3 months" not in first
    now = await chosen(api)
    assert now["snoozed_until"] == "2026-05-31T10:00:00Z"
    assert now["frequency"] == "weekly"  # what she ticked before she pressed is not lost
    assert (await names(house)).count("snoozed") == 1

    again = await press(stranger, path, await open_page(stranger, path), "wake")

    assert (await chosen(api))["snoozed_until"] is None
    assert "at most once a week" in again
    told = (await api.get(f"/v1/customers/{ANNA}/timeline")).json()["entries"]
    assert "Ended the break they had asked for" in [entry["text"] for entry in told]


async def test_stopping_everything_ends_her_walks_once_and_she_may_come_back(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    path = await page_of(api, house)
    await enroll(api)
    clock.pass_(HOUR)
    form = await open_page(stranger, path)

    answer = await press(stranger, path, form, "stop", topic=[])
    clock.pass_(HOUR)
    await press(stranger, path, form, "stop")

    assert "does not write to you" in answer
    assert form_of(answer)["topic"] == TOPICS
    assert await rows(house, "SELECT leaving FROM enrollments") == [{"leaving": "opted_out"}]
    assert (await names(house)).count("consent_changed") == 2
    assert set((await chosen(api))["channels"].values()) == {False}

    clock.pass_(HOUR)
    back = await press(stranger, path, await open_page(stranger, path), channel=["email"])

    assert "by email, when there is something to say." in back
    assert (await chosen(api))["channels"]["email"] is True
    assert (await chosen(api))["channels"]["whatsapp"] is False


WRONG: list[dict[str, list[str]]] = [
    {"frequency": ["daily"]},
    {"frequency": []},
    {"shown_frequency": []},
    {"topic": ["secrets"]},
    {"shown_topic": ["secrets"]},
    {"channel": ["pigeon"]},
    {"press": ["explode"]},
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
async def test_a_form_that_says_what_there_is_not_changes_nothing(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House, wrong: Form
) -> None:
    path = await page_of(api, house)
    form = await open_page(stranger, path)

    answer = await stranger.post(path, data={**form, "topic": ["help"], "press": ["save"], **wrong})

    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert await names(house) == ["consent_changed"]


async def test_no_way_is_opened_that_the_page_does_not_offer(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House
) -> None:
    path = await page_of(api, house)
    form = await open_page(stranger, path)

    await press(stranger, path, form, channel=["email", "telegram"])

    assert (await chosen(api))["channels"]["telegram"] is None


async def test_an_address_that_bounced_for_good_is_not_offered(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House
) -> None:
    path = await page_of(api, house, phone=None)
    await happens(api, house, "hard_bounced", channel="email")

    shown = (await stranger.get(path)).text

    assert 'name="channel"' not in shown
    assert "has no way to write to you" in shown


async def test_it_speaks_the_customers_language(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House
) -> None:
    path = await page_of(api, house, locale="ru-KZ")
    form = await open_page(stranger, path)

    answer = await press(stranger, path, form, frequency=["monthly"], topic=["articles", "surveys", "help"])

    assert '<html lang="ru">' in answer
    assert "<b>Сохранено.</b>" in answer
    assert "пишет вам по почте, не чаще раза в месяц. Кроме тем: «Скидки и предложения»." in answer
    wordings = await rows(house, "SELECT wording FROM consents WHERE topic = 'promotions'")
    assert wordings == [{"wording": "Что вам присылать от Example Company? [ ] Скидки и предложения [Сохранить]"}]


async def test_every_control_is_labelled_and_nothing_personal_is_shown(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House
) -> None:
    shown = await stranger.get(await page_of(api, house))

    controls = [tag for tag in re.findall(r"<input[^>]*>", shown.text) if "hidden" not in tag]
    labelled = re.findall(r"<label>(<input[^>]*>) [^<]+</label>", shown.text)
    assert len(controls) == 3 + 4 + 2
    assert labelled == controls
    assert shown.text.count("<fieldset>") == shown.text.count("<legend>") == 3
    assert shown.text.count("<h1>") == 1
    assert ANNA not in shown.text
    assert "Anna" not in shown.text
    assert shown.headers["referrer-policy"] == "no-referrer"
    assert shown.headers["cache-control"] == "no-store"
    assert "noindex" in shown.headers["x-robots-tag"]
    assert "script" not in shown.headers["content-security-policy"]


@pytest.mark.parametrize("token", ["x", "a.b", "%20", "ImN1c18xIg.forged", "é", "x" * 3000])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_forged_link_is_a_wrong_link(asking: httpx.AsyncClient, method: str, token: str) -> None:
    form = {"frequency": "any", "shown_frequency": "weekly"} if method == "POST" else None

    answer = await asking.request(method, f"/f/{token}", data=form)

    assert answer.status_code == 404
    assert "This link is not right" in answer.text


async def test_a_link_to_leave_opens_no_page_of_choices(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House
) -> None:
    leaving = await leaving_of(api, house)

    assert (await stranger.get(leaving.replace("/u/", "/f/"))).status_code == 404


@pytest.mark.parametrize("gone", ["erased", "unknown"])
async def test_the_pages_of_somebody_who_is_gone_are_wrong_links(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House, gone: str
) -> None:
    center, leaving = await page_of(api, house), await leaving_of(api, house)
    form = await open_page(stranger, center)
    if gone == "erased":
        async with house.database.transaction() as connection:
            await connection.exec_driver_sql("UPDATE customers SET erased_at = now()")
    else:
        center = urlsplit(house.links.preferences("cus_gone")).path
        leaving = urlsplit(house.links.unsubscribe("cus_gone", Channel.EMAIL)).path
    before = await names(house)

    assert (await stranger.get(center)).status_code == 404
    assert (await stranger.get(leaving)).status_code == 404
    for button in ("save", "pause", "stop"):
        assert (await stranger.post(center, data={**form, "frequency": "weekly", "press": button})).status_code == 404
    for said in (ONE_CLICK, {"way": "back"}, {"reason": "too_often"}):
        assert (await stranger.post(leaving, data=said)).status_code == 404
    assert await names(house) == before


# After leaving -------------------------------------------------------------------------------------------------------


async def test_what_else_there_is_comes_after_leaving_and_not_before(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House
) -> None:
    path = await leaving_of(api, house)

    before = (await stranger.get(path)).text
    left = await stranger.post(path, data=ONE_CLICK)
    later = await stranger.get(path)

    assert before.count("<button") == 1
    assert 'name="way"' not in before
    assert (left.status_code, left.text) == (200, later.text)
    center = re.findall(r'href="(/f/[^"]+)"', left.text)
    assert len(center) == 1
    assert (await stranger.get(center[0])).status_code == 200
    assert re.findall(r'name="way" value="(\w+)"', left.text) == ["weekly", "monthly", "pause", "back"]


WAYS_BACK = [
    ("back", None, None, "That was a mistake: keep writing to me"),
    ("weekly", "weekly", None, "At most once a week"),
    ("monthly", "monthly", None, "At most once a month"),
    ("pause", None, "2026-05-31T12:00:00Z", "After a break of 3 months"),
]


@pytest.mark.parametrize(("way", "frequency", "snoozed", "wording"), WAYS_BACK)
async def test_every_way_back_is_an_explicit_yes(
    api: httpx.AsyncClient,
    stranger: httpx.AsyncClient,
    house: House,
    clock: SettableClock,
    way: str,
    frequency: str | None,
    snoozed: str | None,
    wording: str,
) -> None:
    path = await leaving_of(api, house)
    clock.pass_(HOUR)
    await stranger.post(path, data=ONE_CLICK)
    clock.pass_(HOUR)

    for _ in range(2):
        answer = await stranger.post(path, data={"way": way})
        assert answer.status_code == 200

    now = await chosen(api)
    assert now["channels"]["email"] is True
    assert now["frequency"] == frequency
    assert now["snoozed_until"] == snoozed
    yes = (await rows(house, "SELECT * FROM consents WHERE channel = 'email'"))[0]
    assert (yes["status"], yes["source"], yes["proof"]) == ("granted", "unsubscribe page", "/u/")
    assert yes["wording"].endswith(wording)
    assert (await names(house)).count("consent_changed") == 2
    assert form_of(answer.text)["shown_channel"] == ["email"]  # the page of choices, with what holds now
    assert "/f/" in answer.text


async def test_the_mail_programs_own_post_still_leaves_after_a_way_back(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    path = await leaving_of(api, house)
    for said in (ONE_CLICK, {"way": "back"}, ONE_CLICK):
        clock.pass_(HOUR)
        assert (await stranger.post(path, data=said)).status_code == 200

    assert (await chosen(api))["channels"]["email"] is False
    assert (await names(house)).count("opted_out") == 2


REASONS = ["too_often", "not_relevant", "only_selling", "never_signed_up", "another"]


async def test_the_reason_is_stored_once_and_told_to_staff(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House
) -> None:
    path = await leaving_of(api, house)
    left = (await stranger.post(path, data=ONE_CLICK)).text
    assert re.findall(r'name="reason" value="(\w+)"', left) == REASONS

    for _ in range(2):
        thanked = await stranger.post(path, data={"reason": "only_selling"})
        assert thanked.status_code == 200
        assert "Thank you for telling us." in thanked.text
        assert 'name="reason"' not in thanked.text
        assert 'name="way"' in thanked.text

    stored = await rows(house, "SELECT properties FROM events WHERE name = 'unsubscribe_reason'")
    assert stored == [{"properties": {"reason": "only_selling", "channel": "email"}}]
    for locale, sentence in (("en", "Told why they left: nothing but selling"), ("ru", "Причина ухода: одна реклама")):
        told = (await api.get(f"/v1/customers/{ANNA}/timeline", params={"locale": locale})).json()["entries"]
        assert sentence in [entry["text"] for entry in told]


@pytest.mark.parametrize("form", [{"reason": "because I say so"}, {"way": "daily"}, {"way": ""}, {}], ids=str)
async def test_what_was_not_offered_after_leaving_is_not_taken(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House, form: dict[str, str]
) -> None:
    path = await leaving_of(api, house)
    await stranger.post(path, data=ONE_CLICK)

    assert (await stranger.post(path, data=form)).status_code == 400
    assert await names(house) == ["consent_changed", "opted_out"]


async def test_who_did_not_leave_gives_no_reason(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House
) -> None:
    path = await leaving_of(api, house)

    answer = await stranger.post(path, data={"reason": "too_often"})

    assert "No more emails from" in answer.text
    assert await names(house) == ["consent_changed"]


async def test_the_page_after_leaving_speaks_russian(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    path = await leaving_of(api, house, locale="ru")
    left = (await stranger.post(path, data=ONE_CLICK)).text
    clock.pass_(HOUR)
    back = (await stranger.post(path, data={"way": "weekly"})).text

    assert "Почему вы уходите?" in left
    assert "пишет вам по почте, не чаще раза в неделю." in back


# What it does to the next message ------------------------------------------------------------------------------------


EFFECTS = [
    ({"frequency": ["weekly"]}, "save", 5, ("deferred", "chose_weekly")),
    ({"frequency": ["monthly"]}, "save", 28, ("deferred", "chose_monthly")),
    ({}, "pause", 88, ("deferred", "snoozed")),
    ({"topic": ["promotions", "surveys", "help"]}, "save", 1, ("refused", "topic_refused")),
    ({"channel": []}, "save", 1, ("refused", "opted_out")),
    ({}, "save", 1, ("accepted", "accepted")),
]


@pytest.mark.parametrize(("changes", "button", "after", "expected"), EFFECTS)
async def test_the_next_letter_obeys(
    api: httpx.AsyncClient,
    stranger: httpx.AsyncClient,
    house: House,
    clock: SettableClock,
    changes: Form,
    button: str,
    after: int,
    expected: tuple[str, str],
) -> None:
    path = await page_of(api, house)
    enrollment: dict[str, Any] = (await enroll(api)).json()
    clock.pass_(timedelta(minutes=1))
    await send(house, enrollment, "greeting", clock.now())
    await press(stranger, path, await open_page(stranger, path), button, **changes)
    clock.pass_(after * DAY)

    await send(house, enrollment, "basics", clock.now())

    last = (await rows(house, "SELECT state, rule FROM decisions ORDER BY id DESC LIMIT 1"))[0]
    assert (last["state"], last["rule"]) == expected
    assert (await rows(house, "SELECT state FROM sends WHERE message = 'basics'"))[0]["state"] == expected[0]


async def test_a_letter_leads_to_the_page_straight_and_untracked(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    path = await page_of(api, house)
    enrollment = (await enroll(api)).json()
    clock.pass_(timedelta(minutes=1))
    await send(house, enrollment, "greeting", clock.now())

    kept = (await rows(house, "SELECT html, text FROM sandbox_outbox"))[0]

    assert kept["html"].count(f'href="http://127.0.0.1:8080{path}"') == 1
    assert f"Less often, or choose topics: http://127.0.0.1:8080{path}" in kept["text"]
    assert (await stranger.get(path)).status_code == 200


async def test_staff_see_what_she_chose(
    api: httpx.AsyncClient, staff: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House
) -> None:
    path = await page_of(api, house)
    assert "How often" not in (await staff.get(f"/console/customers/{ANNA}")).text
    form = await open_page(stranger, path)
    await press(stranger, path, form, "pause", frequency=["monthly"], topic=["help"])

    shown = (await staff.get(f"/console/customers/{ANNA}")).text
    russian = (await staff.get(f"/console/customers/{ANNA}", params={"lang": "ru"})).text

    for line in ("once a month at most", "until 31 May 2026", "Offers and sales; Guides and ideas"):
        assert line in shown
    assert "не чаще раза в месяц" in russian
    assert "Тема «Скидки и предложения»: отказ" in russian
