"""Deals: where they stand in which pipeline, and what became of them."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from api.access import CallerHere, allowed
from api.fields import Currency, CustomerId, CustomerInPath, DealInPath, Email, Instant, Strict, Words
from api.needs import House
from api.problems import answers
from api.reading import CheckedRoute
from domain.deals import Deal, DealStatus
from domain.errors import InvalidInput
from services.cursors import cursor_of, place_of

router = APIRouter(prefix="/v1", tags=["Deals"], route_class=CheckedRoute)


class DealToSet(Strict):
    """A deal as it stands. Pipelines and stages are your own words; keep them short and the same."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "customer_id": "anna@example.com",
                "pipeline": "sales",
                "stage": "negotiation",
                "amount": 4800,
                "currency": "EUR",
                "owner": "mira@acme.example",
                "closes_at": "2026-04-30T00:00:00Z",
            }
        }
    )

    customer_id: CustomerId
    pipeline: Annotated[Words, Field(min_length=1, max_length=100)]
    stage: Annotated[Words, Field(min_length=1, max_length=100)]
    amount: Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=2, strict=False)] | None = None
    currency: Currency | None = None
    owner: Email | None = Field(default=None, description="The colleague whose deal it is.")
    closes_at: Instant | None = Field(default=None, description="When it should be decided.")
    status: Annotated[DealStatus, Field(strict=False)] = DealStatus.OPEN
    lost_reason: Annotated[Words, Field(max_length=500)] | None = None

    def deal(self, deal_id: str) -> Deal:
        """What this says. Raises InvalidInput for what does not go together."""
        problems = []
        if self.amount is not None and self.currency is None:
            problems.append("currency: say in which currency the amount is")
        if self.lost_reason and self.status is not DealStatus.LOST:
            problems.append("lost_reason: this deal is not lost")
        if problems:
            raise InvalidInput(problems)
        return Deal(deal_id=deal_id, **self.model_dump(exclude={"customer_id"}))


class DealView(BaseModel):
    """A deal. `id` is ours, `deal_id` yours; `ended_at` is when it was won or lost."""

    id: str = Field(examples=["dea_019cae2f4c7f7d5f8f2b6a1c3d4e5f60"])
    deal_id: str
    customer_id: str
    pipeline: str
    stage: str
    amount: float | None
    currency: str | None
    owner: str | None
    closes_at: datetime | None
    status: DealStatus
    lost_reason: str | None
    opened_at: datetime
    ended_at: datetime | None


class DealsView(BaseModel):
    """A page of deals, newest first. `cursor` asks for the page before; null on the last one."""

    deals: list[DealView]
    cursor: str | None


@router.put(
    "/deals/{deal_id}",
    dependencies=[allowed("deals:write")],
    responses={201: {"model": DealView, "description": "A new deal"}, **answers(400, 404, 409, 422)},
    summary="Set a deal",
)
async def put_deal(deal_id: DealInPath, body: DealToSet, house: House, who: CallerHere, response: Response) -> DealView:
    """Replaces the deal: what you leave out is cleared. Set again alike, it changes nothing.

    A change appends what happened as events of the customer, about this deal: `deal_opened`, `deal_stage_changed`,
    `deal_won`, `deal_lost`, or `deal_changed` for anything else. Journeys start, adapt and end by them.
    """
    deal = body.deal(deal_id)
    async with house.database.transaction() as connection:
        row, created = await house.deals.put(connection, body.customer_id, deal, actor=who)
    house.database.wake()
    response.status_code = 201 if created else 200
    return DealView.model_validate(dict(row))


@router.get("/deals/{deal_id}", dependencies=[allowed("deals:read")], responses=answers(404), summary="One deal")
async def read_deal(deal_id: DealInPath, house: House) -> DealView:
    """A deal, by your own id of it."""
    async with house.database.transaction() as connection:
        return DealView.model_validate(dict(await house.deals.get(connection, deal_id)))


@router.get(
    "/customers/{customer_id}/deals",
    dependencies=[allowed("deals:read")],
    responses=answers(404, 422),
    summary="A customer's deals",
)
async def list_deals(
    customer_id: CustomerInPath,
    house: House,
    cursor: Annotated[str | None, Query(max_length=300, description="From the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> DealsView:
    """Open, won and lost, the newest first."""
    before = place_of(cursor, tuple[str])[0] if cursor else None
    async with house.database.transaction() as connection:
        rows = await house.deals.page(connection, customer_id, before=before, limit=limit + 1)
    shown = [DealView.model_validate(dict(row)) for row in rows[:limit]]
    return DealsView(deals=shown, cursor=cursor_of(shown[-1].id) if len(rows) > limit else None)
