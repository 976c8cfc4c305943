"""Forms of the company's site: plain HTML posts here, no script needed."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from pydantic import TypeAdapter, ValidationError
from starlette.responses import RedirectResponse, Response

from api.fields import Email
from api.needs import House, Needs
from api.pages import NOT_KEPT, POLICY, page
from api.problems import Refused
from api.public.form_words import WORDS
from api.public.wrong_link import browser_language
from domain.customers import Frequency
from domain.errors import NotFound
from domain.forms import CONSENT, EMAIL, FREQUENCY, LANGUAGE, THANKS, TRAP, VISITOR, Form, Wrong, read_answers
from services.forms import Submission

router = APIRouter(include_in_schema=False)

_EMAIL: TypeAdapter[str] = TypeAdapter(Email)
_MOST_FIELDS = 60


@router.api_route("/j/{name}", methods=["GET", "HEAD"])
async def show(name: str, request: Request, house: House) -> Response:
    """The form as a page of ours, for whoever has no site to put it on."""
    lang = _language(request.query_params.get(LANGUAGE, ""), request, house)
    try:
        return _form(house, house.forms.form(name), lang)
    except NotFound:
        return _said(lang, "no_form", house, status=404)


@router.post("/j/{name}")
async def submit(name: str, request: Request, house: House) -> Response:
    """Keep what was sent, and lead on; or show the form again with what is wrong.

    What fills the field that people do not see is a program: it is thanked, and nothing is kept.
    """
    given = await _given(request)
    lang = _language(given.get(LANGUAGE, ""), request, house)
    try:
        form = house.forms.form(name)
        house.sites.slow_down(house.sites.forms, request)
    except NotFound:
        return _said(lang, "no_form", house, status=404)
    except Refused:
        return _said(lang, "busy", house, status=429)
    sent, wrong = _read(form, given, lang)
    if not _may_lead_on(given.get(THANKS, ""), house):
        wrong[THANKS] = Wrong.NOT_OURS
    origin = request.headers.get("origin", "")
    if not _is_of_ours(origin, request, house):
        wrong[THANKS] = Wrong.NOT_OURS
    if wrong or sent is None:
        return _form(house, form, lang, given=given, wrong=wrong, status=422)
    if not given.get(TRAP):
        await house.forms.submit(form, replace(sent, site="" if origin == "null" else origin))
    if thanks := given.get(THANKS):
        return RedirectResponse(thanks, 303, NOT_KEPT)
    return _said(lang, "sent" if sent.agreed or form.magnet else "received", house)


def _read(form: Form, given: Mapping[str, str], lang: str) -> tuple[Submission | None, dict[str, Wrong]]:
    answers, wrong = read_answers(form, given)
    try:
        email = _EMAIL.validate_python(given.get(EMAIL, "").strip())
    except ValidationError:
        return None, {EMAIL: Wrong.NO_EMAIL if given.get(EMAIL) else Wrong.MISSING, **wrong}
    chosen = given.get(FREQUENCY, "")
    sent = Submission(
        email=email,
        language=lang,
        answers=answers,
        agreed=bool(form.wording) and bool(given.get(CONSENT)),
        frequency=Frequency(chosen) if form.frequency and chosen in set(Frequency) else None,
        visitor=given.get(VISITOR, ""),
    )
    return sent, wrong


async def _given(request: Request) -> dict[str, str]:
    """The fields of a form, each once; files are none."""
    async with request.form(max_files=0, max_fields=_MOST_FIELDS) as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}


def _may_lead_on(thanks: str, house: Needs) -> bool:
    """Whether the page that should follow is of the company's own sites: nobody else is to borrow our good name."""
    try:
        parts = urlsplit(thanks)
    except ValueError:
        return False
    plain = thanks.isascii() and thanks.isprintable() and "\\" not in thanks and " " not in thanks
    return not thanks or (plain and f"{parts.scheme}://{parts.netloc}" in house.sites.origins)


def _is_of_ours(origin: str, request: Request, house: Needs) -> bool:
    """Whether the page with the form may be one of the company's, or our own. Browsers do not always say."""
    own = origin.partition("://")[2] == request.headers.get("host")
    return origin in ("", "null") or own or origin in house.sites.origins


def _language(asked: str, request: Request, house: Needs) -> str:
    return asked if asked in WORDS else browser_language(request, house)


def _form(
    house: Needs,
    form: Form,
    lang: str,
    *,
    given: Mapping[str, str] | None = None,
    wrong: Mapping[str, Wrong] | None = None,
    status: int = 200,
) -> Response:
    leads = " ".join(["form-action 'self'", *sorted(house.sites.origins)])
    return page(
        "form.html",
        status=status,
        policy=POLICY.replace("form-action 'self'", leads),
        words=WORDS[lang],
        lang=lang,
        form=form,
        given=defaultdict(str, given or {}),
        wrong=wrong or {},
        company=house.company,
    )


def _said(lang: str, what: str, house: Needs, *, status: int = 200) -> Response:
    words = WORDS[lang]
    lead = words[f"{what}_lead"].format(company=house.company)
    return page("said.html", status=status, words=words, lang=lang, heading=words[what], lead=lead)
