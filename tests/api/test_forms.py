"""Forms of the company's site: anybody's word, until the mailbox confirms it (S13, S47, S91)."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from adapters.forms import form_names
from tests.api.sites import OTHER, SHOP, VISITOR, a_house_that_starts, page_of, visits, with_sites
from tests.api.stories import ANNA, know_anna, rows
from tests.support.factories import SettableClock
from tropa.wiring import House

FORMS = list(form_names())
WAITING = "SELECT about AS form, properties FROM events WHERE name = 'opt_in_requested' AND source = 'form' ORDER BY id"
TOLD = """
    SELECT name, source, about, properties FROM events WHERE source IN ('form', 'double opt-in') ORDER BY name, id
"""


@pytest.fixture
async def house(database_url: str, clock: SettableClock) -> AsyncIterator[House]:
    async with a_house_that_starts("DoubleOptIn,Nurturing", database_url, clock) as built:
        yield built


@pytest.fixture
async def page(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with page_of(with_sites(house, forms=FORMS)) as client:
        yield client


async def send(page: httpx.AsyncClient, form: str = "newsletter", **given: Any) -> httpx.Response:
    """A plain HTML form is sent."""
    return await page.post(f"/j/{form}", data={"email": ANNA, "lang": "en", **given})


async def link(house: House, email: str = ANNA) -> str:
    """The path behind the link in the letter to an address."""
    (found,) = await rows(house, f"SELECT id FROM customers WHERE email = '{email}'")
    return "/y/" + house.links.confirm(found["id"], email, house.clock.now()).partition("/y/")[2]


def button(shown: httpx.Response) -> dict[str, list[str]]:
    """What a browser sends when the button of a page is pressed, with all that stands there."""
    return {"wish": re.findall(r'name="wish" value="([^"]+)"', shown.text)}


async def press(page: httpx.AsyncClient, house: House) -> httpx.Response:
    """The owner of the mailbox looks at the page behind the link and presses its button."""
    await house.projector.project_some()
    path = await link(house)
    pressed = await page.post(path, data=button(await page.get(path)))
    await house.projector.project_some()
    return pressed


async def test_a_newcomer_is_a_lead_at_once_and_agrees_to_nothing_before_the_press(
    page: httpx.AsyncClient, api: httpx.AsyncClient, house: House
) -> None:
    sent = await send(page, consent="yes", first_name=" Anna ", frequency="weekly", other="kept out")
    await house.projector.project_some()

    assert (sent.status_code, "Almost done" in sent.text) == (200, True)
    known = (await api.get(f"/v1/customers/{ANNA}")).json()
    assert (known["email"], known["locale"], known["consents"]) == (ANNA, "en", {})
    assert await rows(house, "SELECT frequency FROM customers") == [{"frequency": None}]
    assert (await rows(house, TOLD))[0] == {
        "name": "form_submitted",
        "source": "form",
        "about": "newsletter",
        "properties": {
            "form": "newsletter",
            "title": "News by e-mail",
            "site": SHOP,
            "first_name": "Anna",
        },
    }
    assert [row["journey"] for row in await rows(house, "SELECT journey FROM enrollments")] == ["DoubleOptIn"]


async def test_the_press_records_the_yes_with_its_wording_time_and_proof_and_joins_the_visits_before(
    page: httpx.AsyncClient, api: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    await visits(page, page="/pricing", utm_source="ads")
    clock.pass_(timedelta(minutes=1))
    await send(page, consent="yes", frequency="weekly", visitor=VISITOR)
    clock.set(clock.now().replace(hour=12))

    pressed = await press(page, house)

    assert "Thank you: it is confirmed." in pressed.text
    word = (await rows(house, "SELECT * FROM consents"))[0]
    event = (await rows(house, "SELECT event_id FROM events WHERE name = 'form_submitted'"))[0]["event_id"]
    assert (word["channel"], word["status"], word["at"], word["source"]) == (
        *("email", "granted", clock.now(), "double opt-in"),
    )
    ticked = "Yes, send me news and offers by e-mail. I can leave at any time with one click."
    assert word["wording"] == f"“{ticked}” (At most once a week) [Yes, I confirm]"
    assert f"by form newsletter (event {event}); confirmed on /y/" in word["proof"]
    known = (await api.get(f"/v1/customers/{ANNA}")).json()
    assert known["first_touch"]["source"] == "ads"
    assert await rows(house, "SELECT frequency FROM customers") == [{"frequency": "weekly"}]
    assert (await api.get(f"/v1/customers/visitor-{VISITOR}")).json()["customer_id"] == ANNA
    assert [row["name"] for row in await rows(house, TOLD)] == [
        "form_submitted",
        "newsletter_signed_up",
        "opt_in_confirmed",
        "opt_in_requested",
    ]


async def test_a_press_counts_once_and_not_again_after_they_left(
    page: httpx.AsyncClient, api: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    await send(page, consent="yes")
    await press(page, house)
    before = await rows(house, TOLD)
    clock.set(clock.now().replace(hour=12))
    await api.patch(f"/v1/customers/{ANNA}/preferences", json={"channels": {"email": False}})

    again = await press(page, house)

    assert "There is nothing to confirm here." in again.text
    assert await rows(house, TOLD) == before
    assert [row["status"] for row in await rows(house, "SELECT status FROM consents")] == ["denied"]


async def test_the_press_confirms_what_the_page_showed_and_nothing_that_a_stranger_sent_since(
    page: httpx.AsyncClient, house: House
) -> None:
    await send(page, "laptop_guide")
    path = await link(house)
    mine = button(await page.get(path))
    await send(page, "laptop_guide", consent="yes", visitor=OTHER)

    pressed = await page.post(path, data=mine)

    assert (pressed.status_code, "Open: Seven criteria" in pressed.text) == (200, True)
    assert "Yes, also send me tips" in pressed.text  # it waits, and is shown
    assert await rows(house, "SELECT 1 FROM consents") == []
    assert await rows(house, "SELECT 1 FROM customer_aliases") == []


async def test_what_a_stranger_sends_takes_the_place_of_nothing_and_can_be_left_out(
    page: httpx.AsyncClient, house: House
) -> None:
    """Before the owner or after: each thing that was asked for waits on its own, however often it is asked for."""
    await send(page, consent="yes")
    await send(page, consent="yes", lang="ru")
    for _ in range(9):
        await send(page, consent="yes")
    await send(page, "laptop_guide", consent="yes")
    path = await link(house)

    shown = button(await page.get(path))["wish"]
    assert len(shown) == 4  # the news in two languages, the gift, and the letters beside it
    gift = [key for key in shown if "/gift/" in key]
    pressed = await page.post(path, data={"wish": gift})

    assert "Open: Seven criteria" in pressed.text
    assert await rows(house, "SELECT 1 FROM consents") == []
    assert set(button(pressed)["wish"]) == set(shown) - set(gift)


async def test_the_strictest_frequency_holds_and_is_shown_before_it_does(page: httpx.AsyncClient, house: House) -> None:
    await send(page, consent="yes", frequency="weekly")
    path = await link(house)
    mine = button(await page.get(path))
    await send(page, consent="yes", frequency="monthly")

    stale = await page.post(path, data=mine)

    assert (stale.status_code, "At most once a month" in stale.text) == (409, True)
    assert await rows(house, "SELECT 1 FROM consents") == []
    assert (await page.post(path, data=button(stale))).status_code == 200
    assert await rows(house, "SELECT frequency FROM customers") == [{"frequency": "monthly"}]


async def test_of_two_browsers_that_sent_the_same_neither_becomes_hers(page: httpx.AsyncClient, house: House) -> None:
    await visits(page)
    await send(page, consent="yes", visitor=VISITOR)
    await send(page, consent="yes", visitor=OTHER)

    await press(page, house)

    assert await rows(house, "SELECT 1 FROM customer_aliases") == []
    assert [row["status"] for row in await rows(house, "SELECT status FROM consents")] == ["granted"]


async def test_looking_at_the_link_or_pressing_something_else_changes_nothing(
    page: httpx.AsyncClient, house: House
) -> None:
    await send(page, consent="yes")
    path = await link(house)

    shown, fetched = await page.get(path), await page.head(path)
    others = [await page.post(path), await page.post(path, data={"wish": "something else"})]

    assert [each.status_code for each in (shown, fetched, *others)] == [200, 200, 409, 409]
    assert "Yes, send me news" in shown.text
    assert await rows(house, "SELECT 1 FROM consents") == []
    assert (await page.get(path[:-2] + "xx")).status_code == 404
    assert (await page.get("/y/" + house.links.preferences("cus_x").partition("/f/")[2])).status_code == 404


PROFILE = "SELECT customer_id, email, phone, locale, timezone, attributes, needs, frequency FROM customers"


async def test_an_unproven_form_neither_reads_nor_changes_an_existing_profile(
    page: httpx.AsyncClient, api: httpx.AsyncClient, house: House
) -> None:
    await know_anna(api, "customer-7", locale="en")
    await api.patch("/v1/customers/customer-7/preferences", json={"channels": {"email": False}})
    before = [await rows(house, PROFILE), await rows(house, "SELECT * FROM consents")]

    known = await send(page, email="ANNA@example.com", consent="yes", first_name="Mallory", visitor=OTHER, lang="ru")
    unknown = await send(page, email="nobody@example.com", consent="yes", lang="ru")
    await house.projector.project_some()

    assert (known.status_code, known.text) == (unknown.status_code, unknown.text)
    assert [
        await rows(house, PROFILE + " WHERE customer_id = 'customer-7'"),
        (await rows(house, "SELECT * FROM consents")),
    ] == before
    assert await rows(house, "SELECT 1 FROM customer_aliases") == []
    mallory = [row["properties"] for row in await rows(house, TOLD) if "first_name" in row["properties"]]
    assert [said["first_name"] for said in mallory] == ["Mallory"]
    assert "Mallory" not in (await page.get(await link(house))).text


async def test_an_old_letter_proves_nothing_about_another_address_nor_for_ever(
    page: httpx.AsyncClient, api: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    await send(page)
    old = await link(house)
    await api.patch(f"/v1/customers/{ANNA}", json={"email": "new@example.com"})
    await send(page, email="new@example.com", consent="yes", visitor=OTHER)
    new = await link(house, "new@example.com")
    shown = button(await page.get(new))

    assert (await page.post(old, data=shown)).status_code == 404
    clock.pass_(timedelta(days=30, seconds=1))
    assert (await page.post(new, data=shown)).status_code == 404
    assert await rows(house, "SELECT 1 FROM consents") == []


async def test_a_browser_that_is_somebody_elses_stays_theirs_and_the_rest_counts(
    page: httpx.AsyncClient, api: httpx.AsyncClient, house: House
) -> None:
    await know_anna(api, "boris", email="boris@example.com")
    await visits(page)
    await api.post("/v1/customers/boris/identify", json={"visitor_id": f"visitor-{VISITOR}"})
    await send(page, consent="yes", visitor=VISITOR)

    await press(page, house)

    assert (await api.get(f"/v1/customers/visitor-{VISITOR}")).json()["customer_id"] == "boris"
    assert (await api.get(f"/v1/customers/{ANNA}")).json()["consents"]["email"]["status"] == "granted"


async def test_the_magnet_is_theirs_after_the_press_with_or_without_a_yes_to_letters(
    page: httpx.AsyncClient, house: House
) -> None:
    await send(page, "laptop_guide", use="study")
    path = f"{await link(house)}/laptop_guide"
    early = await page.get(path)

    shown = await press(page, house)
    file = await page.get(path)

    assert early.status_code == 404
    assert f'href="{path}"' in shown.text
    assert "Seven criteria" in file.text
    assert file.headers["content-disposition"] == 'attachment; filename="laptop_guide.txt"'
    assert await rows(house, "SELECT 1 FROM consents") == []
    walks = await rows(house, "SELECT journey FROM enrollments WHERE ended_at IS NULL")
    assert walks == [{"journey": "Nurturing"}]
    assert [(row["name"], row["properties"].get("magnet")) for row in await rows(house, TOLD)] == [
        ("downloaded", "laptop_guide"),
        ("form_submitted", None),
        ("opt_in_confirmed", None),
        ("opt_in_requested", "laptop_guide"),
    ]


async def test_the_gift_is_told_in_the_companys_language_to_who_has_none_of_their_own(
    api: httpx.AsyncClient, house: House
) -> None:
    await api.put("/v1/customers/customer-7", json={"email": ANNA})
    assert await rows(house, "SELECT locale FROM customers") == [{"locale": None}]

    async with page_of(with_sites(house, forms=FORMS, locale="ru")) as page:
        await send(page, "laptop_guide", use="study", lang="ru")
        await press(page, house)

    gift = (await rows(house, "SELECT properties FROM events WHERE name = 'downloaded'"))[0]["properties"]
    assert re.search("[а-я]", gift["title"])


async def test_the_site_leads_on_to_its_own_page_and_to_no_other(page: httpx.AsyncClient, house: House) -> None:
    led = await send(page, thanks=f"{SHOP}/thanks?from=news")

    assert (led.status_code, led.headers["location"]) == (303, f"{SHOP}/thanks?from=news")
    before = await rows(house, WAITING)
    for evil in (
        "https://evil.example", "//evil.example", "javascript:alert(1)", f"{SHOP}.evil.example", "/thanks",
        f"{SHOP}@evil.example", f"{SHOP}\\@evil.example", f"https:{SHOP[6:]}:9/", f"{SHOP}/\r\nX: y", "https://[",
    ):  # fmt: skip
        turned = await send(page, email="boris@example.com", thanks=evil)
        assert (turned.status_code, "location" in turned.headers) == (422, False), evil
    assert await rows(house, WAITING) == before


async def test_the_form_shows_again_with_what_is_wrong_in_both_languages(untouched: House) -> None:
    async with page_of(with_sites(untouched, forms=FORMS)) as page:
        for lang, said in (("en", "This is no e-mail address"), ("ru", "Это не похоже на адрес почты")):
            answer = await send(page, "laptop_guide", email='"><script>', use="war", lang=lang, consent="yes")
            assert answer.status_code == 422
            assert said in answer.text
            assert "<script" not in answer.text
            assert re.search(r'name="consent" value="yes" checked', answer.text)
            assert f"form-action 'self' {SHOP}" in answer.headers["content-security-policy"]
        empty = await page.post("/j/newsletter", content=b"")
        assert (empty.status_code, "Please fill this in" in empty.text) == (422, True)
        shown = [await page.get(f"/j/{name}?lang={lang}") for name in FORMS for lang in ("en", "ru")]
        assert [each.status_code for each in shown] == [200] * len(shown)

    assert await rows(untouched, "SELECT 1 FROM events") == []


async def test_programs_other_sites_and_floods_leave_nothing(untouched: House) -> None:
    app = with_sites(untouched, forms=FORMS, proxies=1)
    async with (
        page_of(app) as page,
        page_of(app, "https://evil.example") as other,
        page_of(app, "http://[") as broken,
    ):
        trapped = await send(page, website="http://buy.example")
        foreign = await send(other)
        no_origin = await send(broken)
        unknown = await send(page, "no_such_form")
        many = [(await send(page, email="", headers=None)).status_code for _ in range(25)]
        large = await send(page, first_name="x" * 20_000)

    assert (trapped.status_code, "Almost done" in trapped.text or "Thank you" in trapped.text) == (200, True)
    assert no_origin.status_code == 422
    assert (foreign.status_code, unknown.status_code, large.status_code) == (422, 404, 413)
    assert (many[0], many[-1]) == (422, 429)
    assert await rows(untouched, "SELECT 1 FROM events") == []


async def test_a_form_that_is_not_named_in_the_settings_is_not_answered(untouched: House) -> None:
    async with page_of(with_sites(untouched)) as page:
        assert ((await page.get("/j/newsletter")).status_code, (await send(page)).status_code) == (404, 404)


async def test_who_was_erased_comes_back_as_somebody_new_and_the_old_link_is_over(
    page: httpx.AsyncClient, api: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    await send(page, consent="yes", first_name="Anna")
    await house.projector.project_some()
    old = await link(house)
    await api.delete(f"/v1/customers/{ANNA}")
    assert await rows(house, WAITING) == []
    clock.set(clock.now().replace(hour=12))

    await send(page, consent="yes")
    await house.projector.project_some()

    assert (await page.get(old)).status_code == 404
    assert (await api.get(f"/v1/customers/{ANNA}")).json()["email"] == ANNA
    assert len(await rows(house, WAITING)) == 1


async def test_what_two_profiles_asked_for_waits_for_both_once_they_are_one(
    page: httpx.AsyncClient, api: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    await send(page, consent="yes")
    await send(page, "laptop_guide", email="boris@example.com")
    clock.set(clock.now().replace(hour=12))

    await api.post(f"/v1/customers/{ANNA}/merge", json={"from": "boris@example.com"})

    shown = await page.get(await link(house))
    assert len(button(shown)["wish"]) == 2
    assert "Seven criteria" in shown.text
