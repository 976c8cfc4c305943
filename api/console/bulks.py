"""Bulks for marketers: letting a segment enter a journey, how far it is, and why how many stay out."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from api.console.bulk_words import WORDS
from api.console.pages import console_page
from api.console.session import Language, Spoken, staff, who
from api.needs import House, Needs
from api.routes.bulks import BulkLine, BulkView
from domain.bulk import BulkCommand, BulkState, after
from domain.durations import spoken_roughly
from domain.errors import Conflict, InvalidInput, NotFound, Unavailable
from services.audiences import Asked
from services.audit import Actor
from services.segment_catalogue import Known

SCOPE = "journeys:write"
PAGE, PER_SECOND = 50, 10.0

router = APIRouter(prefix="/console/bulks", include_in_schema=False)
Author = Annotated[Actor | None, Depends(who(SCOPE))]
"""Who may enter customers; None for those who only look."""


@router.get("", dependencies=[staff])
async def list_bulks(
    request: Request,
    house: House,
    lang: Spoken,
    author: Author,
    before: Annotated[str | None, Query(max_length=100)] = None,
    segment: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """Bulks, newest first, under a form to draft one."""
    return await _list(request, house, lang, author, before=before, segment=segment)


@router.post("", dependencies=[staff])
async def draft_bulk(
    request: Request,
    house: House,
    lang: Spoken,
    author: Author,
    journey: Annotated[str, Form(max_length=100)],
    segment: Annotated[str, Form(max_length=100)],
) -> Response:
    """Who of a segment would enter a journey. Nobody does."""
    if author is None:
        return await _list(request, house, lang, author, segment=segment, status=403)
    says = WORDS[lang]
    try:
        async with house.database.transaction() as connection:
            bulk = await house.bulk_drafting.draft(
                connection, journey, Asked(segment=segment), options={}, per_second=PER_SECOND, actor=author
            )
    except InvalidInput as error:
        empty = any(each.startswith("segment: nobody is in") for each in error.problems)
        problem = says["nobody"] if empty else says["cannot"].format(problem="; ".join(error.problems))
        return await _list(request, house, lang, author, segment=segment, status=422, problem=problem)
    except Unavailable:
        return await _list(request, house, lang, author, segment=segment, status=503, problem=says["too_long"])
    except NotFound:  # no page of ours names such a thing
        return RedirectResponse("/console/bulks", 303)
    return RedirectResponse(f"/console/bulks/{bulk}", 303)


@router.get("/{bulk}", dependencies=[staff])
async def show_bulk(request: Request, house: House, lang: Spoken, author: Author, bulk: str) -> Response:
    """One bulk: how far it is, and why how many stay out."""
    return await _one(request, house, lang, author, bulk)


@router.post("/{bulk}/{command}", dependencies=[staff])
async def command_bulk(
    request: Request,
    house: House,
    lang: Spoken,
    author: Author,
    bulk: str,
    command: Literal["approve", "start", "pause", "resume", "cancel"],
) -> Response:
    """Approve, start, pause, resume or cancel it."""
    if author is None:
        return await _one(request, house, lang, author, bulk, status=403)
    try:
        async with house.database.transaction() as connection:
            await getattr(house.bulks, command)(connection, bulk, actor=author)
    except Conflict:
        return await _one(request, house, lang, author, bulk, status=409)
    except NotFound:
        return console_page("missing.html", request, lang, status=404, what="no_bulk")
    return RedirectResponse(f"/console/bulks/{bulk}", 303)


async def _list(
    request: Request,
    house: Needs,
    lang: Language,
    author: Actor | None,
    *,
    before: str | None = None,
    segment: str = "",
    status: int = 200,
    problem: str = "",
) -> Response:
    async with house.database.transaction() as connection:
        rows = await house.bulks.page(connection, before=before, limit=PAGE + 1)
        known = await house.segments.known(connection)
    named = sorted((each.segment.label[lang], name) for name, each in known.now.items())
    context: dict[str, Any] = {
        "bulks": [BulkLine.model_validate(BulkLine.told(row)) for row in rows[:PAGE]],
        "whom": lambda source: _whom(source, known, lang),
        "segments": named,
        "segment": segment,
        "journeys": [each.name for each in house.catalogue.journeys() if not each.plan.about],
        "may_draft": author is not None,
        "problem": problem,
        "zone": house.zone,
        "older": rows[PAGE - 1]["id"] if len(rows) > PAGE else None,
        "first": before is None,
    }
    return console_page("bulks.html", request, lang, status=status, says=WORDS[lang], **context)


async def _one(
    request: Request, house: Needs, lang: Language, author: Actor | None, bulk: str, *, status: int = 200
) -> Response:
    try:
        async with house.database.transaction() as connection:
            now = await house.bulks.get(connection, bulk)
            known = await house.segments.known(connection)
    except NotFound:
        return console_page("missing.html", request, lang, status=404, what="no_bulk")
    shown = BulkView.of(now, house, lang)
    context: dict[str, Any] = {
        "bulk": shown,
        "whom": _whom(shown.source, known, lang),
        "takes": spoken_roughly(shown.volume.seconds, lang),
        "commands": _commands(shown, now.row["actor"], author),
        "may_draft": author is not None,
        "changed": status == 409,
        "zone": house.zone,
    }
    return console_page("bulk.html", request, lang, status=status, says=WORDS[lang], **context)


def _commands(bulk: BulkView, drafted_by: str, author: Actor | None) -> list[str]:
    """What may be done to a bulk now by whoever looks: the buttons."""
    if author is None:
        return []
    possible = [each.value for each in BulkCommand if after(each, bulk.state) not in (None, bulk.state)]
    if bulk.state is BulkState.DRAFTED:  # one that nobody starts is forgotten anyway
        possible = ["start"] if bulk.entering and bulk.approval != "needed" else []
    return ["approve", *possible] if bulk.approval == "needed" and drafted_by != author.id else possible


def _whom(source: str, known: Known, lang: Language) -> str:
    """Where a bulk's customers come from: a list, a file, or a segment by what it is called."""
    kind, _, segment = source.partition(" ")
    label = known[segment].segment.label[lang] if segment in known.now else segment
    return WORDS[lang][kind].format(label=label)
