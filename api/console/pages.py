"""The console's pages: messages of the sandbox, and one customer's whole story."""

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from adapters.database import offers, outbox
from adapters.zones import zone_of
from api.console import views
from api.console.session import COOKIE, SCOPE, Language, Spoken, let_in, remember, staff
from api.console.words import WORDS
from api.fields import CustomerInPath
from api.needs import House, Needs
from api.pages import LETTER_POLICY, page
from domain.errors import InvalidInput, NotFound
from domain.event_words import cause_words
from domain.tasks import TaskState
from services.keys import BY_LINK
from services.timeline import Titled

PAGE, CODES = 50, 10
LOOK_AGAIN = 5  # seconds

router = APIRouter(prefix="/console", include_in_schema=False)


def console_page(template: str, request: Request, lang: Language, *, status: int = 200, **context: Any) -> Response:
    """A page of the console, with its way to the same page in the other language."""
    other = "en" if lang == "ru" else "ru"
    switch = str(request.url.include_query_params(lang=other).replace(scheme="", netloc=""))
    words = WORDS[lang]
    answer = page(template, status=status, words=words, lang=lang, other=other, switch=switch, **context)
    return remember(answer, lang) if "lang" in request.query_params else answer


def titles(house: Needs, lang: Language) -> Titled:
    """What messages are called on a page in this language."""
    return lambda journey, message: house.catalogue.title(journey, message, lang)


@router.get("/sign-in")
async def show_sign_in(request: Request, lang: Spoken) -> Response:
    """The form."""
    return console_page("sign_in.html", request, lang, wrong=None)


@router.post("/sign-in")
async def sign_in(
    request: Request, house: House, lang: Spoken, key: Annotated[str, Form(max_length=200)] = ""
) -> Response:
    """Open a session for a key with the scope `console`."""
    if request.headers.get("sec-fetch-site") == "cross-site":
        return console_page("sign_in.html", request, lang, status=403, wrong=None)
    caller = await house.keys.verify(key.strip())
    if caller is None or SCOPE not in caller.scopes:
        return console_page("sign_in.html", request, lang, status=403, wrong=WORDS[lang]["wrong_key"])
    return let_in(house, caller.id)


@router.get("/enter")
async def enter(request: Request, house: House, lang: Spoken, token: str = "") -> Response:
    """Open a session by a link that the command line printed."""
    if house.sessions.admits(token):
        return let_in(house, BY_LINK)
    return console_page("sign_in.html", request, lang, status=403, wrong=WORDS[lang]["link_over"])


@router.post("/sign-out")
async def sign_out() -> Response:
    """End the session of this browser."""
    answer = RedirectResponse("/console/sign-in", 303)
    answer.delete_cookie(COOKIE, path="/console")
    return answer


@router.get("", dependencies=[staff])
async def start() -> Response:
    """The messages are the first page."""
    return RedirectResponse("/console/outbox", 303)


@router.get("/find", dependencies=[staff])
async def find(customer_id: str = "") -> Response:
    """To the customer who was searched for."""
    wanted = customer_id.strip()
    return RedirectResponse(f"/console/customers/{quote(wanted, safe='')}" if wanted else "/console/outbox", 303)


@router.get("/outbox", dependencies=[staff])
async def list_outbox(
    request: Request, house: House, lang: Spoken, at: datetime | None = None, send: UUID | None = None
) -> Response:
    """The sandbox's messages, newest first."""
    before = (at, send) if at and at.tzinfo and send else None
    async with house.database.transaction() as connection:
        rows = await outbox.newest(connection, before=before, limit=PAGE + 1)
    older = f"?at={quote(rows[PAGE - 1]['at'].isoformat())}&send={rows[PAGE - 1]['send']}" if len(rows) > PAGE else None
    shown = [{**row, "zone": zone_of(row, house.zone)} for row in rows[:PAGE]]
    again = None if before else LOOK_AGAIN
    return console_page("outbox.html", request, lang, messages=shown, older=older, refresh=again, first=before is None)


@router.get("/outbox/{send}", dependencies=[staff])
async def show_message(request: Request, house: House, lang: Spoken, send: UUID) -> Response:
    """One message, as it looks and as plain text."""
    async with house.database.transaction() as connection:
        row = await outbox.one(connection, send)
    if row is None:
        return console_page("missing.html", request, lang, status=404, what="no_message")
    title = house.catalogue.title(row["journey"], row["message"], lang)
    return console_page("message.html", request, lang, message=row, title=title, zone=zone_of(row, house.zone))


@router.get("/outbox/{send}/letter", dependencies=[staff])
async def show_letter(house: House, send: UUID) -> Response:
    """A letter's own HTML, for the frame of its page."""
    async with house.database.transaction() as connection:
        row = await outbox.one(connection, send)
    headers = {"Content-Security-Policy": LETTER_POLICY, "Referrer-Policy": "no-referrer"}
    html = house.letters.for_staff(row["html"], row["links"] or ()) if row and row["html"] else ""
    return HTMLResponse(html, 200 if row else 404, headers)


@router.get("/customers/{customer_id}", dependencies=[staff])
async def show_customer(
    request: Request,
    house: House,
    lang: Spoken,
    customer_id: CustomerInPath,
    cursor: Annotated[str | None, Query(max_length=300)] = None,
) -> Response:
    """One customer: channels, journeys with what comes next, and everything that happened."""
    try:
        context = await _story(house, customer_id, lang, cursor)
    except (NotFound, InvalidInput):
        return console_page("missing.html", request, lang, status=404, what="no_customer")
    return console_page("customer.html", request, lang, **context)


async def _story(house: House, customer_id: str, lang: Language, cursor: str | None) -> dict[str, Any]:
    """All that a customer's page shows. Raises NotFound, and InvalidInput for a cursor that is not ours."""
    titled = titles(house, lang)
    async with house.database.transaction() as connection:
        customer_id = await house.erasing.called_now(connection, customer_id)
        now = await house.customers.get(connection, customer_id)
        current = await house.timeline.current(connection, now.row["id"])
        chosen = await house.preferences.of(connection, now.row["id"])
        company = await house.companies.get(connection, now.company_id) if now.company_id else None
        segments = await house.segments.of(connection, now.row["id"])
        codes = await offers.of_customer(connection, now.row["id"], CODES)
        tasks = await house.tasks.page(
            connection, state=TaskState.OPEN, owner=None, customer_id=customer_id, after=None, limit=PAGE
        )
        quiet = (await house.policies.in_force(connection)).quiet
        entries = await house.timeline.read(
            connection, customer_id, locale=lang, cursor=cursor, limit=PAGE, titled=titled
        )
    at, words = house.clock.now(), WORDS[lang]
    stories = {journey.name: journey.story for journey in house.catalogue.journeys()}
    walks = [
        {
            **row,
            "steps": views.next_steps(row, titled, words, entries.zone, lang),
            "story": stories.get(row["journey"], ""),
            "because": cause_words(row["cause"], lang),
        }
        for row in current
    ]
    return {
        "customer": now.row,
        "channels": views.channels(now),
        "standing": views.standing(
            now, at, company["name"] if company else None, house.catalogue.currency, words, lang
        ),
        "segments": [(segment.name, segment.label[lang]) for segment in segments],
        "codes": [{**code, "state": views.code_state(code, at)} for code in codes],
        "tasks": tasks,
        "choices": views.choices(chosen, house.catalogue.topic_words(lang), words, entries.zone, lang),
        "walks": walks,
        "days": views.days(entries, lang),
        "cursor": entries.cursor,
        "zone": entries.zone,
        "now": at,
        "quiet_until": quiet.end_after(at, entries.zone),
        "first": cursor is None,
    }
