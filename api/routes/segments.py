"""Segments: which customers belong together, for marketers to count, write down and look into."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Response
from pydantic import BaseModel, Field

from adapters.database.segments import Counted
from api.access import CallerHere, allowed
from api.fields import Strict, Words
from api.needs import House
from api.problems import answers
from api.reading import CheckedRoute
from domain.segments import ENOUGH, Segment
from services.segment_catalogue import Known, SegmentNow

router = APIRouter(prefix="/v1/segments", tags=["Segments"], route_class=CheckedRoute)

_NOTES = {
    "en": "You keep {own} segments of your own. Five to seven are enough to start with: each wants its own messages.",
    "ru": "Своих сегментов у вас {own}. Для начала хватит пяти–семи: каждому нужны свои сообщения.",
}
Locale = Annotated[Literal["en", "ru"], Query(description="The language of the note.")]
Rule = Annotated[
    dict[str, Any],
    Field(
        description="A tree of `all`, `any` and `not` over conditions; see docs/segments.md.",
        examples=[{"all": [{"segment": "vip"}, {"customer": {"last_active_at": {"older_than": "90 days"}}}]}],
    ),
]


class InLanguages(Strict):
    """What people read, by language."""

    en: Annotated[Words, Field(min_length=1, examples=["Quiet VIPs"])]
    ru: Annotated[Words, Field(min_length=1, examples=["Притихшие VIP"])]


class SegmentBody(Strict):
    """A segment to put in force."""

    label: InLanguages
    description: InLanguages = Field(description="One sentence: who is in it.")
    rule: Rule


class RuleToCount(Strict):
    """A rule that need not be saved."""

    rule: Rule


class SegmentInForce(BaseModel):
    """A segment in force, and who set it when. Version 0 comes with Tropa; setting it writes one over it."""

    name: str = Field(examples=["quiet_vips"])
    label: dict[str, str]
    description: dict[str, str]
    rule: Any
    version: int
    shipped: bool = Field(description="Tropa brings one of this name, which holds again when yours is deleted.")
    watched_by: str | None = Field(description="The journey that hears who comes and goes.")
    set_at: datetime | None
    set_by: str


class CountView(BaseModel):
    """How many meet a rule now. `share` is of everybody, null while there is nobody; `sample` are our ids of some."""

    count: int
    everybody: int
    share: float | None = Field(examples=[0.042])
    sample: list[str] = Field(examples=[["cus_019cae2f4c7f7d5f8f2b6a1c3d4e5f60"]])

    @classmethod
    def of(cls, counted: Counted) -> "CountView":
        """What was counted."""
        share = counted.count / counted.everybody if counted.everybody else None
        return cls(count=counted.count, everybody=counted.everybody, share=share, sample=list(counted.sample))


class SetSegment(SegmentInForce):
    """A segment that was set, with how many are in it."""

    counted: CountView
    note: str | None = Field(description="Said when there are more segments of your own than anybody keeps up with.")


class Segments(BaseModel):
    """All segments."""

    segments: list[SegmentInForce]
    note: str | None


class MemberView(BaseModel):
    """A customer in a segment. `id` is ours, `customer_id` yours."""

    id: str
    customer_id: str


class Members(BaseModel):
    """A page of a segment's customers. `cursor` asks for the next; null on the last one."""

    customers: list[MemberView]
    cursor: str | None


def _view(house: House, now: SegmentNow) -> dict[str, Any]:
    segment = now.segment
    return {
        "name": segment.name,
        "label": segment.label,
        "description": segment.description,
        "rule": segment.rule,
        "version": now.version,
        "shipped": now.shipped,
        "watched_by": house.segments.watched.get(segment.name),
        "set_at": now.at,
        "set_by": now.actor,
    }


def note(known: Known, locale: str) -> str | None:
    """What is said to whoever keeps too many of their own (S76)."""
    own = sum(1 for each in known.now.values() if each.own)
    return _NOTES[locale].format(own=own) if own > ENOUGH else None


@router.get("", dependencies=[allowed("segments:read")], responses=answers(422), summary="Which segments are there?")
async def list_segments(house: House, locale: Locale = "en") -> Segments:
    """Those that come with Tropa and those that you set. `note` is for whoever keeps too many of their own."""
    async with house.database.transaction() as connection:
        known = await house.segments.known(connection)
    views = [SegmentInForce(**_view(house, known.now[name])) for name in sorted(known.now)]
    return Segments(segments=views, note=note(known, locale))


@router.post(
    ":count", dependencies=[allowed("segments:read")], responses=answers(400, 422), summary="How many are that?"
)
async def count_segment(body: RuleToCount, house: House) -> CountView:
    """Counts who meets a rule now, before you save it. What is wrong with the rule is named by its path.

    503 when counting would take longer than half a minute.
    """
    async with house.database.transaction() as connection:
        return CountView.of(await house.segments.count(connection, body.rule))


@router.get("/{name}", dependencies=[allowed("segments:read")], responses=answers(404), summary="One segment")
async def read_segment(name: str, house: House) -> SegmentInForce:
    """Its rule, and who set it when."""
    async with house.database.transaction() as connection:
        known = await house.segments.known(connection)
    return SegmentInForce(**_view(house, known[name]))


@router.put(
    "/{name}",
    dependencies=[allowed("segments:write")],
    responses={201: {"model": SetSegment, "description": "A new segment"}, **answers(400, 409, 413, 422)},
    summary="Set a segment",
)
async def set_segment(
    name: str,
    body: SegmentBody,
    house: House,
    who: CallerHere,
    response: Response,
    locale: Locale = "en",
    over: Annotated[
        int | None,
        Header(alias="If-Match", description="The version you read: refused when somebody set another meanwhile."),
    ] = None,
) -> SetSegment:
    """Counts it, and makes a new version of it; the ones before stay on record. Under the name of one that comes with
    Tropa, yours takes its place. Journeys that watch it start for nobody whom the change itself brings in.
    """
    segment = Segment(
        name=name, label=body.label.model_dump(), description=body.description.model_dump(), rule=body.rule
    )
    async with house.database.transaction() as connection:
        before = await house.segments.known(connection)
        known, counted = await house.segments.set(connection, segment, actor=who, over=over)
    response.status_code = 200 if name in before.now else 201
    view = _view(house, known[name])
    return SetSegment(**view, counted=CountView.of(counted), note=note(known, locale))


@router.delete(
    "/{name}",
    status_code=204,
    dependencies=[allowed("segments:write")],
    responses=answers(404, 409),
    summary="Take a segment out of force",
)
async def delete_segment(name: str, house: House, who: CallerHere) -> None:
    """Under the name of one that comes with Tropa, that one holds again. 409 while others or a journey need it."""
    async with house.database.transaction() as connection:
        await house.segments.delete(connection, name, actor=who)


@router.get(
    "/{name}/customers",
    dependencies=[allowed("customers:read")],
    responses=answers(404, 422),
    summary="Who is in it?",
)
async def list_members(
    name: str,
    house: House,
    cursor: Annotated[str, Query(max_length=100, description="From the page before.")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Members:
    """Its customers as of now, a page at a time, in the order of our ids, which is that of their first sight."""
    async with house.database.transaction() as connection:
        rows = await house.segments.members(connection, name, after=cursor, limit=limit + 1)
    found = [MemberView.model_validate(dict(row)) for row in rows[:limit]]
    return Members(customers=found, cursor=found[-1].id if len(rows) > limit else None)
