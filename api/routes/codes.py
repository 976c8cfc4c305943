"""Codes of offers: handed over for a pool, and looked at by the shop's checkout."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import AfterValidator, BaseModel, Field

from api.access import CallerHere, allowed
from api.fields import Strict, Words
from api.needs import House
from api.problems import answers
from api.reading import CheckedRoute
from api.routes.offers import DiscountBody, OfferName
from domain.offers import key_of
from services.offers import CodeNow, CodeState

MOST_CODES = 10_000

router = APIRouter(prefix="/v1", tags=["Shop"], route_class=CheckedRoute)


def _a_code(code: str) -> str:
    if not key_of(code):
        raise ValueError("has no letter and no digit")
    return code.strip()


Code = Annotated[Words, Field(min_length=1, max_length=64), AfterValidator(_a_code)]


class CodesToAdd(Strict):
    """Codes for a pool, to be given in this order."""

    codes: Annotated[list[Code], Field(min_length=1, max_length=MOST_CODES, examples=[["SPRING-7K3C", "SPRING-9QXW"]])]


class CodesAdded(BaseModel):
    """What became of them. `duplicates` are the places of those that were known, in any offer, or stand twice."""

    added: int
    duplicates: list[int]


class CodeView(BaseModel):
    """A code as it stands. Nothing says whose it is."""

    code: str = Field(examples=["WELCOME5-CDFGH-JKMNP"])
    offer: str
    valid: bool
    state: CodeState
    discount: DiscountBody
    valid_until: datetime | None
    redeemed_at: datetime | None

    @classmethod
    def of(cls, now: CodeNow) -> "CodeView":
        """As it stands."""
        return cls(
            code=now.code,
            offer=now.offer,
            valid=now.state is CodeState.VALID,
            state=now.state,
            discount=DiscountBody.of(now.discount),
            valid_until=now.valid_until,
            redeemed_at=now.redeemed_at,
        )


@router.post(
    "/offers/{offer}/codes",
    dependencies=[allowed("offers:write")],
    responses=answers(400, 404, 409, 413, 422),
    summary="Fill a pool",
)
async def add_codes(offer: OfferName, body: CodesToAdd, house: House, who: CallerHere) -> CodesAdded:
    """Up to 10,000 codes at once; sent again they are duplicates. As many held messages as there are codes may go."""
    async with house.database.transaction() as connection:
        added = await house.offers.add(connection, offer, body.codes, actor=who)
    house.database.wake()
    return CodesAdded(added=added.added, duplicates=added.duplicates)


@router.get(
    "/codes/{code}",
    dependencies=[allowed("codes:read")],
    responses=answers(404, 422),
    summary="Is this code good?",
)
async def check_code(code: Annotated[str, Path(max_length=64)], house: House) -> CodeView:
    """For the shop's checkout, however the customer typed it. Looking changes nothing: a code is used when an
    `order_placed` names it in `codes`.
    """
    async with house.database.transaction() as connection:
        return CodeView.of(await house.offers.check(connection, code))
