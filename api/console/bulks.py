"""Bulks for marketers: who let how many enter which journey, how far it is, and why how many stay out."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.console.bulk_words import WORDS
from api.console.pages import console_page
from api.console.session import Language, Spoken, staff
from api.needs import House
from api.routes.bulks import BulkLine, BulkView
from domain.errors import NotFound
from services.segment_catalogue import Known

PAGE = 50

router = APIRouter(prefix="/console/bulks", include_in_schema=False)


@router.get("", dependencies=[staff])
async def list_bulks(
    request: Request, house: House, lang: Spoken, before: Annotated[str | None, Query(max_length=100)] = None
) -> Response:
    """Bulks, newest first."""
    async with house.database.transaction() as connection:
        rows = await house.bulks.page(connection, before=before, limit=PAGE + 1)
        known = await house.segments.known(connection)
    return console_page(
        "bulks.html",
        request,
        lang,
        says=WORDS[lang],
        bulks=[BulkLine.model_validate(BulkLine.told(row)) for row in rows[:PAGE]],
        whom=lambda source: _whom(source, known, lang),
        zone=house.zone,
        older=rows[PAGE - 1]["id"] if len(rows) > PAGE else None,
        first=before is None,
    )


@router.get("/{bulk}", dependencies=[staff])
async def show_bulk(request: Request, house: House, lang: Spoken, bulk: str) -> Response:
    """One bulk: how far it is, and why how many stay out."""
    try:
        async with house.database.transaction() as connection:
            now = await house.bulks.get(connection, bulk)
            known = await house.segments.known(connection)
    except NotFound:
        return console_page("missing.html", request, lang, status=404, what="no_bulk")
    shown = BulkView.of(now, house, lang)
    whom = _whom(shown.source, known, lang)
    return console_page("bulk.html", request, lang, says=WORDS[lang], bulk=shown, whom=whom, zone=house.zone)


def _whom(source: str, known: Known, lang: Language) -> str:
    """Where a bulk's customers come from: a list, a file, or a segment by what it is called."""
    kind, _, segment = source.partition(" ")
    label = known[segment].segment.label[lang] if segment in known.now else segment
    return WORDS[lang][kind].format(label=label)
