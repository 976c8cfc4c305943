"""The console: who gets in, and what support sees."""

from datetime import timedelta
from urllib.parse import urlsplit

import httpx
import pytest

from services.keys import Keys, console_link
from tests.api.stories import ANNA, enroll, happens, know_anna, rows, send
from tests.support.factories import SettableClock
from tropa.wiring import House

SECRET = "development-secret-never-for-production"
LOCKED = [
    "/console",
    "/console/journeys",
    "/console/journeys/Nps",
    "/console/tasks",
    "/console/bulks",
    "/console/segments",
    "/console/segments/vip",
    "/console/segment-form",
    "/console/outbox",
    "/console/find?customer_id=x",
    f"/console/customers/{ANNA}",
]


@pytest.mark.parametrize("path", LOCKED)
async def test_nobody_looks_without_signing_in(asking: httpx.AsyncClient, path: str) -> None:
    answer = await asking.get(path)

    assert (answer.status_code, answer.headers["location"]) == (303, "/console/sign-in")


async def test_a_key_without_the_scope_stays_outside(stranger: httpx.AsyncClient, house: House) -> None:
    key = await Keys(house.database).create("the shop", ["events:write"])

    answer = await stranger.post("/console/sign-in", data={"key": key})

    assert answer.status_code == 403
    assert key not in answer.text
    assert "set-cookie" not in answer.headers


async def test_another_site_cannot_sign_anybody_in(stranger: httpx.AsyncClient, house: House) -> None:
    key = await Keys(house.database).create("support", ["console"])

    answer = await stranger.post("/console/sign-in", data={"key": key}, headers={"Sec-Fetch-Site": "cross-site"})

    assert "set-cookie" not in answer.headers


async def test_the_cookie_is_kept_from_scripts_and_other_sites(stranger: httpx.AsyncClient, house: House) -> None:
    key = await Keys(house.database).create("support", ["console"])

    cookie = (await stranger.post("/console/sign-in", data={"key": key})).headers["set-cookie"]

    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert key not in cookie
    assert (await stranger.get("/console/outbox")).status_code == 200


async def test_revoking_a_key_ends_its_session(staff: httpx.AsyncClient, house: House) -> None:
    async with house.database.transaction() as connection:
        await connection.exec_driver_sql("UPDATE api_keys SET revoked_at = now()")
    keys = staff._transport.app.state.needs.keys  # type: ignore[attr-defined]  # time passes for its memory
    keys._known.clear()

    assert (await staff.get("/console/outbox")).status_code == 303


async def test_a_fresh_link_lets_in_and_a_wrong_one_does_not(stranger: httpx.AsyncClient) -> None:
    path = console_link([SECRET], "")

    assert (await stranger.get("/console/enter?token=x")).status_code == 403
    assert (await stranger.get(console_link(["another secret"], ""))).status_code == 403
    assert (await stranger.get(path)).status_code == 303
    assert (await stranger.get("/console/outbox")).status_code == 200


async def test_signing_out_ends_it(staff: httpx.AsyncClient) -> None:
    await staff.post("/console/sign-out")

    assert (await staff.get("/console/outbox")).status_code == 303


async def test_the_outbox_shows_each_message_and_the_message_whole(
    api: httpx.AsyncClient, staff: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    await know_anna(api)
    await send(house, (await enroll(api)).json(), "greeting", clock.now())

    listed = (await staff.get("/console/outbox")).text
    sent = (await rows(house, "SELECT send FROM sandbox_outbox"))[0]["send"]
    message = (await staff.get(f"/console/outbox/{sent}")).text
    letter = await staff.get(f"/console/outbox/{sent}/letter")

    assert "Your first steps with Example Company" in listed
    assert "11:00" in listed
    assert f'sandbox src="/console/outbox/{sent}/letter"' in message
    assert "Welcome, Anna!" in letter.text
    assert letter.headers["content-security-policy"].startswith("sandbox; default-src 'none'")


async def test_the_outbox_has_pages(
    api: httpx.AsyncClient, staff: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    await know_anna(api)
    await send(house, (await enroll(api)).json(), "greeting", clock.now())
    await _sixty_more(house)

    first = (await staff.get("/console/outbox")).text
    older = first.split('href="/console/outbox?at=')[1].split('"')[0].replace("&amp;", "&")
    second = (await staff.get(f"/console/outbox?at={older}")).text

    assert (first.count("<li>"), second.count("<li>")) == (50, 11)


async def _sixty_more(house: House) -> None:
    async with house.database.transaction() as connection:
        await connection.exec_driver_sql("""
            INSERT INTO sends (id, enrollment, customer, message, visit, leg, purpose, kind, priority, state, wished_at,
                               expires_at, slot_at, rule)
            SELECT gen_random_uuid(), enrollment, customer, message, n, leg, purpose, kind, priority, state, wished_at,
                   expires_at, slot_at, rule FROM sends, generate_series(2, 61) AS n
        """)
        await connection.exec_driver_sql("""
            INSERT INTO sandbox_outbox (send, at, channel, recipient, subject, text)
            SELECT s.id, o.at, o.channel, o.recipient, o.subject, o.text
            FROM sends s, sandbox_outbox o WHERE s.id <> o.send
        """)


async def test_the_customer_page_tells_what_was_what_is_and_what_comes(
    api: httpx.AsyncClient, staff: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    await know_anna(api)
    enrollment = (await enroll(api)).json()
    await send(house, enrollment, "greeting", clock.now())
    clock.pass_(timedelta(hours=1))
    await send(house, enrollment, "basics", clock.now())

    page = (await staff.get(f"/console/customers/{ANNA}")).text

    assert "Anna Petrova" in page
    assert "may be contacted" in page
    assert "“Three things that save people the most time” waits and may go on 2 Mar, 15:00." in page
    assert "touches stay 4 hours apart" in page
    assert "Monday, 2 March 2026" in page


async def test_every_page_tells_the_time_of_a_customer_whose_phone_says_where_they_are(
    api: httpx.AsyncClient, staff: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    """Five hours ahead, as the contact policy counts; the installation is in UTC."""
    anna = await know_anna(api, phone="+7 701 234 56 78", timezone=None)
    await send(house, (await enroll(api)).json(), "greeting", clock.now())
    await api.patch(f"/v1/customers/{ANNA}/preferences", json={"snoozed_until": "2026-05-01T20:00:00Z"})
    clock.pass_(timedelta(hours=7))  # 22:00, and quiet

    customer = (await staff.get(f"/console/customers/{ANNA}")).text
    outbox = (await staff.get("/console/outbox")).text
    message = (await staff.get(f"/console/outbox/{outbox.split('/console/outbox/')[1].split(chr(34))[0]}")).text
    own = (await staff.get(urlsplit(house.links.preferences(anna["id"])).path)).text
    told = [(await api.get(f"/v1/customers/{ANNA}/{each}")).json()["timezone"] for each in ("timeline", "decisions")]

    assert told == ["Asia/Almaty"] * 2
    assert "<b>22:00</b>, 2 Mar <small>Asia/Almaty</small>" in customer
    assert "quiet hours until 09:00" in customer
    assert 'title="Asia/Almaty">2 Mar<br><b>15:00</b>' in outbox
    assert "15:00</time> <small>Asia/Almaty</small>" in message
    assert "You have a break until 2 May 2026." in own


async def test_it_speaks_russian_and_remembers(api: httpx.AsyncClient, staff: httpx.AsyncClient, house: House) -> None:
    await know_anna(api)

    asked = (await staff.get(f"/console/customers/{ANNA}?lang=ru")).text
    later = (await staff.get("/console/outbox")).text

    assert "Что происходило" in asked
    assert "понедельник, 2 марта 2026" in asked
    assert "Сообщения" in later


async def test_what_a_customer_wrote_is_only_text(
    api: httpx.AsyncClient, staff: httpx.AsyncClient, house: House
) -> None:
    await know_anna(api, attributes={"first_name": "<script>alert(1)</script>"})
    await happens(api, house, "opted_out", ANNA, note="<b>")

    page = await staff.get(f"/console/customers/{ANNA}")

    assert "<script" not in page.text
    assert "&lt;script&gt;" in page.text
    assert "'unsafe" not in page.headers["content-security-policy"]


@pytest.mark.parametrize("customer_id", ["a/b", "ä ö", "100%"])
async def test_the_search_finds_any_id(api: httpx.AsyncClient, staff: httpx.AsyncClient, customer_id: str) -> None:
    await know_anna(api, customer_id)

    found = await staff.get("/console/find", params={"customer_id": customer_id}, follow_redirects=True)

    assert found.status_code == 200
    assert "Anna Petrova" in found.text


NOWHERE = ["/console/customers/nobody", "/console/outbox/00000000-0000-0000-0000-000000000000"]


@pytest.mark.parametrize("path", NOWHERE)
async def test_what_is_not_there_is_a_page(staff: httpx.AsyncClient, path: str) -> None:
    answer = await staff.get(path)

    assert answer.status_code == 404
    assert "There is no such" in answer.text


async def test_the_documentation_is_a_page_without_scripts(asking: httpx.AsyncClient) -> None:
    page = await asking.get("/docs")

    assert page.status_code == 200
    assert "Why did they get this, and why not that?" in page.text
    assert "<script" not in page.text
    assert (await asking.get("/static/tropa.css")).status_code == 200


async def test_a_customers_page_shows_where_they_stand_and_what_is_to_do(
    api: httpx.AsyncClient, staff: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    await api.put("/v1/companies/acme", json={"name": "Acme GmbH"})
    await know_anna(api, company_id="acme", buying_role="signatory", owner="mira@acme.example")
    await happens(api, house, "order_placed", order="A-1", total=149.9, currency="EUR")
    await send(house, (await rows(house, "SELECT id FROM enrollments"))[0], "greeting", clock.now())
    due = (clock.now() + timedelta(hours=2)).isoformat()
    await api.post(f"/v1/customers/{ANNA}/tasks", json={"title": "Call about the renewal", "due_at": due})

    english = (await staff.get(f"/console/customers/{ANNA}?lang=en")).text
    russian = (await staff.get(f"/console/customers/{ANNA}?lang=ru")).text

    for said in ("1, €149.90", "Acme GmbH, signs", "mira@acme.example", "Call about the renewal", "New customers"):
        assert said in english, said
    assert "“Your first steps with …”" in english
    assert "«С чего начать»" in russian
    assert "“greeting”" not in english
    assert "«greeting»" not in russian


async def test_journeys_show_their_plans_their_options_and_how_many_walk_them(
    api: httpx.AsyncClient, staff: httpx.AsyncClient
) -> None:
    await know_anna(api)
    await enroll(api)
    await api.patch("/v1/journeys/WelcomeChain", json={"options": {"basics_on_day": "3 days"}})

    listed = (await staff.get("/console/journeys")).text
    welcome = (await staff.get("/console/journeys/WelcomeChain")).text

    assert listed.index("Welcome chain") < listed.index("Win-back")
    assert "<b>1</b> walk it now" in listed
    assert "is everything fine?" in listed and "?." not in listed
    for said in (
        "<span>greeting with the first steps</span>",
        "Placed an order",
        "3 days",
        "shipped with 2 days",
        "Did it work out?",
    ):
        assert said in welcome, said
    assert (await staff.get("/console/journeys/Nothing")).status_code == 404


@pytest.mark.parametrize("lang", ["en", "ru"])
async def test_every_message_has_a_title_in_words(house: House, lang: str) -> None:
    for journey, message in house.catalogue.messages():
        title = house.catalogue.title(journey.name, message.name, lang)
        assert 5 <= len(title) <= 80, title
        assert not set("{}_%") & set(title), title
        assert any("а" <= letter <= "я" for letter in title.lower()) == (lang == "ru"), title


@pytest.mark.parametrize("lang", ["en", "ru"])
async def test_every_journey_has_a_page(staff: httpx.AsyncClient, house: House, lang: str) -> None:
    for journey in house.catalogue.journeys():
        answer = await staff.get(f"/console/journeys/{journey.name}?lang={lang}")
        assert answer.status_code == 200, journey.name


async def test_a_bulk_shows_how_far_it_is_and_why_who_stays_out(
    api: httpx.AsyncClient, staff: httpx.AsyncClient, house: House
) -> None:
    await know_anna(api)
    await know_anna(api, "olga@example.com", email="olga@example.com")
    await happens(api, house, "opted_out", "olga@example.com")
    whom = {"customers": [ANNA, "olga@example.com"]}
    bulk = (await api.post("/v1/journeys/WelcomeChain/enrollments:bulk", json=whom)).json()

    assert "WelcomeChain" in (await staff.get("/console/bulks")).text
    page = (await staff.get(f"/console/bulks/{bulk['id']}")).text

    assert "0 of 1 have entered" in page
    assert "Opted out of everything" in page and "olga@example.com" in page
    assert (await staff.get("/console/bulks/blk_nothing")).status_code == 404


async def test_a_segment_enters_a_journey_when_somebody_has_looked(
    api: httpx.AsyncClient, staff: httpx.AsyncClient
) -> None:
    await know_anna(api)
    form = (await staff.get("/console/bulks?segment=new_leads")).text
    assert (
        '<option value="new_leads" selected>New leads' in form and "<option>AbandonedCart" not in form
    )  # it is about a cart

    drafted = await staff.post("/console/bulks", data={"segment": "new_leads", "journey": "WelcomeChain"})
    address = drafted.headers["location"]
    page = (await staff.get(f"{address}?lang=ru")).text
    assert "начали 0 из 1" in page and "сегмент «Новые лиды»" in page and "1 секунду" in page
    assert "сегмент «Новые лиды»" in (await staff.get("/console/bulks")).text

    for command, state in (("start", "running"), ("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        assert f'action="{address}/{command}"' in (await staff.get(address)).text
        assert (await staff.post(f"{address}/{command}")).status_code == 303
        assert (await api.get(f"/v1/bulks/{address.rpartition('/')[2]}")).json()["state"] == state
    assert (await staff.post(f"{address}/start")).status_code == 409
    assert "<form" not in (await staff.get(address)).text.split("<main>")[1]


async def test_of_many_a_second_person_has_to_approve(
    api: httpx.AsyncClient, staff: httpx.AsyncClient, house: House, stranger: httpx.AsyncClient
) -> None:
    house.bulks.approve_above = 0
    await know_anna(api)
    drafted = await staff.post("/console/bulks", data={"segment": "new_leads", "journey": "WelcomeChain"})
    address = drafted.headers["location"]
    mine = (await staff.get(address)).text
    key = await Keys(house.database).create("a colleague", ["console", "journeys:write"])
    await stranger.post("/console/sign-in", data={"key": key})
    theirs = (await stranger.get(address)).text
    approved = await stranger.post(f"{address}/approve")

    assert "A second key must approve it." in mine and f"{address}/" not in mine
    assert f"{address}/approve" in theirs
    assert approved.status_code == 303
    assert f"{address}/start" in (await staff.get(address)).text


@pytest.mark.parametrize(
    ("segment", "status", "told"), [("gone", 422, "Сейчас в этом сегменте никого нет."), ("nothing", 303, "")]
)
async def test_a_bulk_of_nobody_is_told(staff: httpx.AsyncClient, segment: str, status: int, told: str) -> None:
    answer = await staff.post("/console/bulks?lang=ru", data={"segment": segment, "journey": "WelcomeChain"})

    assert answer.status_code == status
    assert told in answer.text


async def test_a_key_that_may_only_look_enters_nobody(
    stranger: httpx.AsyncClient, api: httpx.AsyncClient, house: House
) -> None:
    await know_anna(api)
    bulk = (await api.post("/v1/journeys/WelcomeChain/enrollments:bulk", json={"customers": [ANNA]})).json()["id"]
    key = await Keys(house.database).create("looks", ["console"])
    await stranger.post("/console/sign-in", data={"key": key})
    draft = await stranger.post("/console/bulks", data={"segment": "new_leads", "journey": "WelcomeChain"})
    start = await stranger.post(f"/console/bulks/{bulk}/start")

    assert (draft.status_code, start.status_code) == (403, 403)
    assert "lacks the scope journeys:write" in draft.text
    assert (await api.get(f"/v1/bulks/{bulk}")).json()["state"] == "drafted"


async def test_a_task_is_closed_with_how_it_ended_and_looking_closes_nothing(
    api: httpx.AsyncClient, staff: httpx.AsyncClient, clock: SettableClock
) -> None:
    await know_anna(api)
    due = (clock.now() + timedelta(hours=2)).isoformat()
    made = await api.post(f"/v1/customers/{ANNA}/tasks", json={"title": "Call about the renewal", "due_at": due})
    task = f"/console/tasks/{made.json()['id']}"

    assert "Call about the renewal" in (await staff.get("/console/tasks")).text
    assert "Nothing is late." in (await staff.get("/console/tasks?state=overdue")).text
    clock.set(clock.now() + timedelta(hours=3))
    assert "overdue since" in (await staff.get("/console/tasks?state=overdue")).text
    for _ in range(3):
        assert "Close the task" in (await staff.get(task)).text
    assert (await staff.get(f"{task}/close")).status_code == 405

    closed = await staff.post(f"{task}/close", data={"outcome": "no_answer", "note": "Try on Friday."})

    assert (closed.status_code, closed.headers["location"]) == (303, task)
    page = (await staff.get(task)).text
    assert "Could not be reached" in page and "Try on Friday." in page and "Close the task" not in page
    again = await staff.post(f"{task}/close", data={"outcome": "done"})
    assert again.status_code == 409
    assert "Call about the renewal" in (await staff.get("/console/tasks?state=closed")).text


async def test_a_key_that_may_only_look_closes_no_task(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    await know_anna(api)
    due = (clock.now() + timedelta(hours=2)).isoformat()
    made = (await api.post(f"/v1/customers/{ANNA}/tasks", json={"title": "Call her", "due_at": due})).json()
    key = await Keys(house.database).create("support", ["console"])
    await stranger.post("/console/sign-in", data={"key": key})

    answer = await stranger.post(f"/console/tasks/{made['id']}/close", data={"outcome": "done"})

    assert answer.status_code == 403
    assert "tasks:write" in answer.text
    assert (await rows(house, "SELECT closed_at FROM tasks")) == [{"closed_at": None}]
