"""Segments for marketers: which there are, what each says, who is in it; and making one, counted before it is saved."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import RedirectResponse, Response

from adapters.database import customers
from adapters.stage_sets import stage_label
from api.console.pages import console_page
from api.console.segment_form import Filled, written
from api.console.segment_problems import in_words
from api.console.segment_words import WORDS
from api.console.session import Language, Spoken, staff, who
from api.needs import House, Needs
from api.routes.segments import SegmentBody, note
from domain.errors import Conflict, InvalidInput, NotFound, Unavailable
from domain.segment_rules import read_rule
from domain.segment_uses import uses
from domain.segment_words import Line, Words
from domain.segments import Segment
from services.audit import Actor
from services.segment_catalogue import Known, SegmentNow

SCOPE = "segments:write"
SOME = 20
ORDER = (
    *("new_leads", "active_leads", "new_customers", "active_customers", "sleeping", "gone"),
    *("vip", "loyal", "growth_potential", "one_off", "at_risk", "lost"),
)
"""Those that come with Tropa: by stage, by value, then the others by name."""

router = APIRouter(prefix="/console", include_in_schema=False)
Author = Annotated[Actor | None, Depends(who(SCOPE))]
"""Who may set a segment; None for those who only look."""


@dataclass(frozen=True, kw_only=True)
class Inside:
    """How many are in a segment, and some of them by the company's ids. `count` is None where it took too long.

    `everybody` is None where nobody counted just now: who is in it is kept.
    """

    count: int | None
    everybody: int | None = None
    some: Sequence[str] = ()


@router.get("/segments", dependencies=[staff])
async def list_segments(request: Request, house: House, lang: Spoken, author: Author) -> Response:
    """Every segment. Counted are only those that are counted all the time."""
    async with house.database.transaction() as connection:
        known = await house.segments.known(connection)
        kept = await house.segments.kept(connection, known.now)
    return console_page(
        "segments.html",
        request,
        lang,
        says=WORDS[lang],
        own=[each for each in known.now.values() if each.own],
        shipped=sorted((each for each in known.now.values() if not each.own), key=_place),
        kept=kept,
        note=note(known, lang),
        may_set=author is not None,
    )


@router.get("/segments/{name}", dependencies=[staff])
async def show_segment(
    request: Request, house: House, lang: Spoken, author: Author, name: str, look: bool = False, saved: bool = False
) -> Response:
    """One segment: its rule in words, what journeys do with it, and, asked to `look`, how many and who is in it."""
    try:
        async with house.database.transaction() as connection:
            known = await house.segments.known(connection)
            now = known[name]
            settings = await house.catalogue.settings(connection)
            inside = await _inside(house, connection, now, look=look)
    except NotFound:
        return console_page("missing.html", request, lang, status=404, what="no_segment")
    return console_page(
        "segment.html",
        request,
        lang,
        says=WORDS[lang],
        now=now,
        lines=_lines(known, now.segment.rule, lang),
        rule=written(now.segment.rule),
        inside=inside,
        uses=uses(name, house.catalogue.journeys(), settings),
        named_by=[known[each].segment for each in known.naming(name)],
        saved=saved,
        may_set=author is not None,
        zone=house.zone,
    )


@router.get("/segment-form", dependencies=[staff])
async def show_form(request: Request, house: House, lang: Spoken, author: Author, of: str = "") -> Response:
    """The form: of a segment that there is, or of a new one."""
    async with house.database.transaction() as connection:
        known = await house.segments.known(connection)
    if of and of not in known.now:
        return console_page("missing.html", request, lang, status=404, what="no_segment")
    return _form(request, house, lang, author, known, Filled.of(known[of]) if of else Filled.empty())


@router.post("/segment-form", dependencies=[staff])
async def look(request: Request, house: House, lang: Spoken, author: Author) -> Response:
    """Who would be in it. Changes nothing."""
    filled = Filled.read(await request.form())
    async with house.database.transaction() as connection:
        known = await house.segments.known(connection)
        try:
            body = filled.body(lang)
            if filled.version is None and filled.name in known.now:
                raise InvalidInput([f"{WORDS[lang]['name']}: {WORDS[lang]['taken']}"])
            counted = await house.segments.count(connection, body.rule)
            some = await _called(connection, counted.sample)
        except InvalidInput as error:
            problems = in_words(error.problems, lang)
            return _form(request, house, lang, author, known, filled, status=422, problems=problems)
        except Unavailable:
            problems = [WORDS[lang]["too_long"]]
            return _form(request, house, lang, author, known, filled, status=503, problems=problems)
    lines = _lines(known, body.rule, lang)
    effect = {"counted": counted, "some": some, "lines": lines, "body": body.model_dump_json()}
    return _form(request, house, lang, author, known, filled, effect=effect)


@router.post("/segment-form/save", dependencies=[staff])
async def save(request: Request, house: House, lang: Spoken, author: Author) -> Response:
    """Put in force what was counted, unless somebody set another version meanwhile."""
    form = await request.form()
    filled = Filled.read(form)
    try:
        body = SegmentBody.model_validate_json(str(form.get("segment")))
    except ValidationError:  # no page of ours says such a thing
        return RedirectResponse("/console/segments", 303)
    label, description = body.label.model_dump(), body.description.model_dump()
    segment = Segment(name=filled.name, label=label, description=description, rule=body.rule)
    shown = Filled.of(SegmentNow(segment=segment, shipped=False, version=filled.version or 0))
    async with house.database.transaction() as connection:
        known = await house.segments.known(connection)
        if author is None:
            return _form(request, house, lang, author, known, shown, status=403)
    try:
        async with house.database.transaction() as connection:
            known, _ = await house.segments.set(connection, segment, actor=author, over=filled.version or 0)
    except InvalidInput as error:
        return _form(request, house, lang, author, known, shown, status=422, problems=in_words(error.problems, lang))
    except (Conflict, Unavailable) as error:
        late = isinstance(error, Unavailable)
        problems = [WORDS[lang]["too_long" if late else "conflict"]]
        return _form(request, house, lang, author, known, shown, status=503 if late else 409, problems=problems)
    return RedirectResponse(f"/console/segments/{segment.name}?saved=true", 303)


def _form(
    request: Request,
    house: Needs,
    lang: Language,
    author: Actor | None,
    known: Known,
    filled: Filled,
    *,
    status: int = 200,
    problems: Sequence[str] = (),
    effect: dict[str, Any] | None = None,
) -> Response:
    return console_page(
        "segment_form.html",
        request,
        lang,
        status=status,
        says=WORDS[lang],
        form=filled,
        before=known.now.get(filled.name) if filled.version is not None else None,
        watched=filled.name in house.segments.watched,
        problems=problems,
        effect=effect,
        may_set=author is not None,
    )


async def _inside(house: Needs, connection: AsyncConnection, now: SegmentNow, *, look: bool) -> Inside | None:
    """How many and who: at once where a journey watches it, else only when somebody asks, for it may take long."""
    name, kept = now.segment.name, await house.segments.kept(connection, [now.segment.name])
    if name in kept:
        some = await house.segments.kept_members(connection, name, limit=SOME)
        return Inside(count=kept[name], some=[row["customer_id"] for row in some])
    if not look:
        return None
    try:
        counted = await house.segments.count(connection, now.segment.rule)
    except (Unavailable, InvalidInput):
        return Inside(count=None)
    some_of = await _called(connection, counted.sample)
    return Inside(count=counted.count, everybody=counted.everybody, some=some_of)


async def _called(connection: AsyncConnection, ours: Sequence[str]) -> list[str]:
    """Customers by the company's ids."""
    rows = await customers.of_ids(connection, ours)
    return [rows[each]["customer_id"] for each in ours if each in rows]


def _lines(known: Known, rule: object, lang: Language) -> Sequence[Line]:
    """A rule in words; none for one that was stored and cannot be read any more."""

    def label(name: str) -> str:
        return known[name].segment.label[lang] if name in known.now else name

    words = Words(lang=lang, label=label, stage=lambda stage: stage_label(stage, lang))
    try:
        return words.lines(read_rule(rule))
    except InvalidInput:
        return []


def _place(now: SegmentNow) -> tuple[int, str]:
    name = now.segment.name
    return (ORDER.index(name) if name in ORDER else len(ORDER), name)
