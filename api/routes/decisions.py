"""Why, and why not: each decision about a customer in a sentence, with its rule and its facts."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from adapters.database import decisions
from adapters.zones import zone_of
from api.access import allowed
from api.fields import CustomerInPath, Instant
from api.needs import House
from api.problems import answers
from api.reading import CheckedRoute
from services.saying import decision_sentence

router = APIRouter(prefix="/v1/customers/{customer_id}/decisions", tags=["Customers"], route_class=CheckedRoute)


class DecisionView(BaseModel):
    """One decision. `state` is where it left the send or the enrollment; `facts` are what the rule spoke from."""

    number: int
    at: datetime
    state: str = Field(examples=["deferred"])
    rule: str = Field(examples=["quiet_hours"])
    facts: dict[str, Any]
    text: str = Field(examples=["“greeting” waits. Quiet hours from 21:00 to 09:00 in Europe/Berlin; …"])
    journey: str | None
    about: str | None
    enrollment: str | None
    message: str | None
    channel: str | None


class DecisionsView(BaseModel):
    """Decisions, newest first. `before` asks for older ones; null on the last page."""

    decisions: list[DecisionView]
    timezone: str
    before: int | None


@router.get(
    "",
    dependencies=[allowed("customers:read")],
    responses=answers(404, 422),
    summary="What was decided about them, and why?",
)
async def read_decisions(
    customer_id: CustomerInPath,
    house: House,
    before: Annotated[int | None, Query(ge=1, le=2**63 - 1, description="From the page before.")] = None,
    since: Annotated[Instant | None, Query(description="Nothing older than this.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    locale: Annotated[Literal["en", "ru"], Query(description="The language of the sentences.")] = "en",
) -> DecisionsView:
    """Every refusal, deferral, skip and choice, with the rule that spoke. Instants in sentences are the customer's."""
    async with house.database.transaction() as connection:
        customer = (await house.customers.get(connection, customer_id)).row
        found = await decisions.page(connection, customer["id"], before=before, limit=limit + 1, since=since)
    zone = zone_of(customer, house.zone)
    told = [
        DecisionView.model_validate(
            {
                **row,
                "number": row["id"],
                "text": decision_sentence(
                    row["state"],
                    row["rule"],
                    row["facts"],
                    journey=row["journey"],
                    message=row["message"],
                    locale=locale,
                    zone=zone,
                ),
            }
        )
        for row in found[:limit]
    ]
    return DecisionsView(decisions=told, timezone=zone, before=told[-1].number if len(found) > limit else None)
