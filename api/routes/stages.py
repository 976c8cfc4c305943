"""The stages of customers' lives, and the way of one customer through them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlalchemy import RowMapping

from adapters.database import stages
from api.access import CallerHere, allowed
from api.fields import CustomerInPath, Strict, Words
from api.needs import House
from api.problems import answers
from api.reading import CheckedRoute
from domain.stages import Rule, Stage

router = APIRouter(tags=["Customers"], route_class=CheckedRoute)


class StageView(BaseModel):
    """A stage: what customers need and want there, what you want, and what to say (S3)."""

    name: str = Field(examples=["consideration"])
    rank: int
    label: str
    needs: str
    goals: str
    aim: str
    pipeline: str = Field(description="Where deals with such customers stand.")
    says: str
    metrics: list[str]
    tools: list[str]
    enters: list[str] = Field(examples=[["signed_up", "page_viewed (page pricing)"]], description="What leads here.")
    customers: int = Field(description="How many are here now.")

    @classmethod
    def of(cls, stage: Stage, locale: str, customers: int) -> "StageView":
        """A stage in a language."""
        words = {kind: said[locale] for kind, said in stage.words.items()}
        return cls(
            name=stage.name,
            rank=stage.rank,
            metrics=list(stage.metrics),
            tools=list(stage.tools),
            enters=[_told(rule) for rule in stage.rules],
            customers=customers,
            **words,
        )


class Stages(BaseModel):
    """An installation's stages, first to last. `nowhere` counts the customers who are in none yet."""

    set: str = Field(examples=["seven"])
    stages: list[StageView]
    nowhere: int


class VisitView(BaseModel):
    """A time in a stage. `cause` is the event that led there."""

    stage: str
    entered_at: datetime
    exited_at: datetime | None
    cause: str = Field(examples=["order_placed"])


class WayView(BaseModel):
    """A customer's way, the newest first; in the first they are."""

    visits: list[VisitView]

    @classmethod
    def of(cls, rows: Sequence[RowMapping]) -> "WayView":
        """What is on record."""
        return cls(visits=[VisitView.model_validate(dict(row)) for row in rows])


class StageToSet(Strict):
    """Which stage somebody is in."""

    stage: Annotated[Words, Field(max_length=64, examples=["decision"])]


@router.get("/v1/stages", dependencies=[allowed("customers:read")], responses=answers(422), summary="Where are they?")
async def list_stages(
    house: House, locale: Annotated[Literal["en", "ru"], Query(description="The language of the words.")] = "en"
) -> Stages:
    """The stages of this installation in order, with how many customers are in each now."""
    async with house.database.transaction() as connection:
        counted = await stages.counts(connection)
    known = house.catalogue.stages
    here = [StageView.of(stage, locale, counted.pop(stage.name, 0)) for stage in known.stages]
    return Stages(set=known.name, stages=here, nowhere=sum(counted.values()))


@router.get(
    "/v1/customers/{customer_id}/stages",
    dependencies=[allowed("customers:read")],
    responses=answers(404),
    summary="How did they get where they are?",
)
async def read_way(customer_id: CustomerInPath, house: House) -> WayView:
    """Each stage that they were in, with when and what led there. People jump, skip and go back."""
    async with house.database.transaction() as connection:
        return WayView.of(await house.staging.way(connection, customer_id))


@router.put(
    "/v1/customers/{customer_id}/stage",
    dependencies=[allowed("customers:write")],
    responses=answers(400, 404, 409, 422),
    summary="Say which stage they are in",
)
async def set_stage(customer_id: CustomerInPath, body: StageToSet, house: House, who: CallerHere) -> WayView:
    """By hand, when you know better than the events. What happens later moves them on from there."""
    async with house.database.transaction() as connection:
        await house.staging.choose(connection, customer_id, body.stage, by=who)
        way = WayView.of(await house.staging.way(connection, customer_id))
    house.database.wake()
    return way


def _told(rule: Rule) -> str:
    told = str(rule.on) + (f", order {rule.orders} or later" if rule.orders else "")
    return f"{told}, from {' or '.join(sorted(rule.coming_from))}" if rule.coming_from else told
