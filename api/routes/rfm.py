"""RFM: how many customers are in which segment, and what to do about them."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.access import allowed
from api.needs import House
from api.problems import answers
from api.reading import CheckedRoute
from domain.rfm import WORDS, Segment
from services.rfm import Census, Counted, census

router = APIRouter(prefix="/v1/rfm", tags=["Customers"], route_class=CheckedRoute)


class WordsView(BaseModel):
    """A segment in one language."""

    name: str = Field(examples=["Champions"])
    advice: str = Field(description="What to do about them.")


class SegmentView(BaseModel):
    """A segment: how many act as it, of how many the code says so, and what it is called, by language."""

    segment: Segment
    customers: int
    by_code: int = Field(description="Before the guard, and before two days agreed.")
    words: dict[str, WordsView]

    @classmethod
    def of(cls, counted: Counted) -> "SegmentView":
        """A segment that was counted."""
        words = {
            locale: WordsView(name=said.name, advice=said.advice) for locale, said in WORDS[counted.segment].items()
        }
        return cls(segment=counted.segment, customers=counted.customers, by_code=counted.by_code, words=words)


class RfmCensusView(BaseModel):
    """Everybody who has bought, as of the last sweep; `as_of` is null before it found anybody."""

    as_of: datetime | None
    customers: int
    vips: int = Field(description="The top tenth by what they paid.")
    one_offs: int = Field(description="Who bought on one day alone.")
    segments: list[SegmentView] = Field(description="The best first.")

    @classmethod
    def of(cls, found: Census) -> "RfmCensusView":
        """What was counted."""
        return cls(
            as_of=found.as_of,
            customers=found.customers,
            vips=found.vips,
            one_offs=found.one_offs,
            segments=[SegmentView.of(each) for each in found.segments],
        )


@router.get("", dependencies=[allowed("customers:read")], responses=answers(), summary="Who are our best customers?")
async def read_rfm(house: House) -> RfmCensusView:
    """How many customers are in each RFM segment, and what to do about them. Each daily sweep scores everybody anew."""
    async with house.database.transaction() as connection:
        return RfmCensusView.of(await census(connection))
