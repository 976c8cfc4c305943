"""Every page that people see, in the states that matter, for a reader of English and a reader of Russian."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import httpx
from fastapi import FastAPI
from starlette.responses import Response

from api.pages import page
from api.public.words import WORDS
from domain.durations import hours
from domain.messages import Channel
from tests.api.stories import asked, enroll, happens, know_anna, rows, send
from tropa.wiring import House

PEOPLE = {"en": "anna@example.com", "ru": "olga@example.com"}
WALKS, FORM = "eva@example.com", "laptop_guide"
ASKED = {
    "en": {
        "source": "sign-up form",
        "wording": "News and offers, once a week at most",
        "proof": "https://shop.example",
    },
    "ru": {"source": "форма", "wording": "Новости и скидки, не чаще раза в неделю", "proof": "https://shop.example"},
}
WHATSAPP = {"status": "granted", "source": "chat"}


@dataclass(frozen=True, kw_only=True)
class Sight:
    """A page in one state and language. `press` is what is pressed there first."""

    name: str
    lang: str
    path: str
    press: str = ""


def show_busy(app: FastAPI) -> None:
    """Serve the page for a database that does not answer, which nothing else here would show."""

    @app.get("/busy/{lang}", include_in_schema=False)
    async def busy(lang: str) -> Response:
        return page("later.html", status=503, words=WORDS[lang], lang=lang)


async def public_pages(house: House, api: httpx.AsyncClient) -> list[Sight]:
    """What customers see, and the API's documentation. What a press changes stays, so the order counts."""
    found = [Sight(name="the API's documentation", lang="en", path="/docs")]
    for lang, person in PEOPLE.items():
        pending = {"status": "pending", **ASKED[lang]}
        known = await know_anna(
            api, person, email=person, locale=lang, consents={"whatsapp": WHATSAPP, "email": pending}
        )
        await house.projector.project_some()
        survey = _path(await asked(api, house, person))
        found += await _of_form(house, api, lang)
        found += [
            Sight(name="a question", lang=lang, path=f"{survey}?score=9"),
            Sight(name="a question, answered", lang=lang, path=f"{survey}?score=9", press="button.main"),
        ]
        found += [
            Sight(name=name, lang=lang, path=path, press=press)
            for name, path, press in _of_customer(house, known["id"], person, lang)
        ]
    return found


def _of_customer(house: House, ours: str, person: str, lang: str) -> Sequence[tuple[str, str, str]]:
    now, links = house.clock.now(), house.links
    leaving, texts = links.unsubscribe(ours, Channel.EMAIL), links.unsubscribe(ours, Channel.WHATSAPP)
    center, yes, push = links.preferences(ours), links.confirm(ours, person, now), links.web_push(ours, now)
    return [
        (name, _path(address), press)
        for name, address, press in (
            ("a wrong link", "/u/cut-off", ""),
            ("one moment, please", f"/busy/{lang}", ""),
            ("turning notifications on", push or "", ""),
            ("may we write to you?", yes, ""),
            ("confirmed", yes, "button.main"),
            ("stop writing to me?", leaving, ""),
            ("what you hear from us", center, ""),
            ("what you hear from us, saved", center, 'button[value="save"]'),
            ("what you hear from us, on a break", center, 'button[value="pause"]'),
            ("no more of it", texts, "button.main"),
            ("why, told", texts, "input[name=reason] > form:has([name=reason]) button"),
            ("nothing more", center, 'button[value="stop"]'),
            ("nothing to confirm", yes, ""),
        )
    ]


async def _of_form(house: House, api: httpx.AsyncClient, lang: str) -> list[Sight]:
    """A form on a page of ours, and the page behind the link in the letter that it brings."""
    person, form = f"newcomer-{lang}@example.com", f"/j/{FORM}?lang={lang}"
    sent = await api.post(form, data={"email": person, "lang": lang, "consent": "yes"})
    assert sent.status_code == 200, sent.text
    [row] = await rows(house, f"SELECT id FROM customers WHERE email = '{person}'")
    link = _path(house.links.confirm(row["id"], person, house.clock.now()))
    named = (
        ("a form", form, ""),
        ("a form that there is not", f"/j/nothing?lang={lang}", ""),
        ("was it you?", link, ""),
        ("it was me", link, "button.main"),
    )
    return [Sight(name=name, lang=lang, path=path, press=press) for name, path, press in named]


async def console_pages(house: House, api: httpx.AsyncClient) -> list[Sight]:
    """What staff see of a customer who has walked a little."""
    await know_anna(api, WALKS, email=WALKS)
    walk = (await enroll(api, WALKS)).json()
    await send(house, walk, "greeting", house.clock.now())
    await send(house, walk, "basics", house.clock.now())
    await happens(api, house, "survey_answered", WALKS, survey="nps", score=9)
    to_do = {"title": "Call about the renewal", "due_at": (house.clock.now() + hours(2)).isoformat()}
    task = (await api.post(f"/v1/customers/{WALKS}/tasks", json={**to_do, "text": "They asked for a quote."})).json()
    whom = {"customers": [WALKS, *PEOPLE.values()]}
    bulk = (await api.post("/v1/journeys/Nurturing/enrollments:bulk", json=whom)).json()
    sent: dict[str, Any] = (await rows(house, "SELECT send FROM sandbox_outbox ORDER BY at LIMIT 1"))[0]
    pages = (
        ("signing in", "/console/sign-in"),
        ("the contact policy", "/console/contact-policy"),
        ("messages of the sandbox", "/console/outbox"),
        ("journeys", "/console/journeys"),
        ("a journey", "/console/journeys/Nurturing"),
        ("tasks", "/console/tasks"),
        ("a task", f"/console/tasks/{task['id']}"),
        ("segments", "/console/segments"),
        ("a segment", "/console/segments/sleeping"),
        ("a segment, counted", "/console/segments/active_customers?look=true"),
        ("a segment's form", "/console/segment-form?of=prefers_whatsapp"),
        ("bulks", "/console/bulks?segment=vip"),
        ("a bulk", f"/console/bulks/{bulk['id']}"),
        ("a message", f"/console/outbox/{sent['send']}"),
        ("a customer", f"/console/customers/{WALKS}"),
        ("nobody", "/console/customers/nobody"),
    )
    found = [Sight(name=name, lang=lang, path=_in(path, lang)) for name, path in pages for lang in PEOPLE]
    policy = [each for each in found if each.name == "the contact policy"]  # and with one box changed
    forms = [each for each in found if each.name == "a segment's form"]
    return [
        *found,
        *(replace(each, name=f"{each.name}, counted", press="main button.main") for each in forms),
        *(
            replace(
                each, name=f"{each.name}, tried out", press="input[name='channels.value'][value=sms] > main button.main"
            )
            for each in policy
        ),
    ]


def _in(path: str, lang: str) -> str:
    """A page's address in a language."""
    return f"{path}{'&' if '?' in path else '?'}lang={lang}"


def _path(address: str) -> str:
    """An address within the site."""
    return address if address.startswith("/") else "/" + address.split("/", 3)[3]
