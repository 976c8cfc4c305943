"""Segments that leave the house: as a list for people, and hashed as an audience for ads."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import StreamingResponse

from api.access import CallerHere, allowed
from api.needs import House
from api.problems import answers
from domain.ads import Platform

CSV = "text/csv"

router = APIRouter(prefix="/v1/segments/{segment}", tags=["Exports"])


def _download(pieces: object, name: str) -> StreamingResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return StreamingResponse(pieces, headers=headers, media_type=CSV)  # type: ignore[arg-type]  # an async iterator


@router.get(
    "/customers.csv",
    dependencies=[allowed("customers:export")],
    responses={200: {"content": {CSV: {}}}, **answers(404)},
    response_class=StreamingResponse,
    summary="A segment's customers as CSV",
)
async def export_segment(segment: str, house: House, who: CallerHere) -> StreamingResponse:
    """Who is in it now, safe to open in a spreadsheet. The audit log keeps who took it."""
    async with house.database.transaction() as connection:
        await house.segment_export.begin(connection, segment, actor=who)
    return _download(house.segment_export.pieces(segment), segment)


@router.get(
    "/audience.csv",
    dependencies=[allowed("customers:export")],
    responses={200: {"content": {CSV: {}}}, **answers(404, 422)},
    response_class=StreamingResponse,
    summary="A segment as an audience for ads",
)
async def export_audience(
    segment: str,
    house: House,
    who: CallerHere,
    platform: Annotated[Platform, Query(alias="for", description="Whose way to write headers and phones.")],
) -> StreamingResponse:
    """SHA-256 of e-mail addresses and phone numbers of those who agreed to ads, and nothing else of them. Who said no
    since, is suppressed or was erased is not in it. The audit log keeps who took it.
    """
    async with house.database.transaction() as connection:
        await house.ad_audiences.begin(connection, segment, platform, actor=who)
    return _download(house.ad_audiences.pieces(segment, platform), f"{segment}.{platform.value}")
