"""Companies, the people who decide in them, and their story."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from api.access import CallerHere, allowed
from api.fields import Attributes, CompanyInPath, Email, Strict, Words
from api.needs import House
from api.problems import answers
from api.reading import CheckedRoute
from api.routes.customers import TimelineView
from domain.companies import BuyingRole
from services.cursors import cursor_of, place_of

router = APIRouter(prefix="/v1/companies/{company_id}", tags=["Companies"], route_class=CheckedRoute)


class CompanyToSet(Strict):
    """A company that buys."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "name": "Acme GmbH",
                "owner": "mira@acme.example",
                "attributes": {"industry": "logistics", "size": 120},
            }
        }
    )

    name: Annotated[Words, Field(min_length=1, max_length=200)]
    owner: Email | None = Field(default=None, description="The colleague who looks after it.")
    attributes: Attributes = Field(default_factory=dict, description="Your own facts, at most 32 KiB altogether.")


class PersonView(BaseModel):
    """Somebody who decides."""

    id: str = Field(examples=["cus_019cae2f4c7f7d5f8f2b6a1c3d4e5f60"])
    customer_id: str
    buying_role: BuyingRole | None
    owner: str | None
    last_active_at: datetime | None


class CompanyView(BaseModel):
    """A company. `id` is ours, `company_id` yours. `cursor` asks for more of its people; null when all were told."""

    id: str = Field(examples=["com_019cae2f4c7f7d5f8f2b6a1c3d4e5f60"])
    company_id: str
    name: str
    owner: str | None
    attributes: Attributes
    created_at: datetime
    people: int = Field(description="How many there are.")
    members: list[PersonView]
    cursor: str | None

    @classmethod
    async def read(
        cls, house: House, connection: AsyncConnection, company_id: str, cursor: str | None = None, limit: int = 50
    ) -> "CompanyView":
        """A company with some of its people."""
        after = place_of(cursor, tuple[str])[0] if cursor else None
        row = await house.companies.get(connection, company_id)
        people = await house.companies.people(connection, row["id"], after=after, limit=limit + 1)
        more = cursor_of(people[limit - 1]["id"]) if len(people) > limit else None
        return cls.model_validate({**row, "members": [dict(each) for each in people[:limit]], "cursor": more})


@router.put(
    "",
    dependencies=[allowed("companies:write")],
    responses={201: {"model": CompanyView, "description": "A new company"}, **answers(400, 413, 422)},
    summary="Set a company",
)
async def put_company(
    company_id: CompanyInPath, body: CompanyToSet, house: House, who: CallerHere, response: Response
) -> CompanyView:
    """Replaces the company: what you leave out is cleared. Its people stay.

    Who belongs to it, and with what part in its decisions, is in their profiles: `company_id` and `buying_role`.
    """
    async with house.database.transaction() as connection:
        created = await house.companies.put(
            connection, company_id, name=body.name, owner=body.owner, attributes=body.attributes, actor=who
        )
        view = await CompanyView.read(house, connection, company_id)
    response.status_code = 201 if created else 200
    return view


@router.get(
    "", dependencies=[allowed("companies:read")], responses=answers(404, 422), summary="A company and its people"
)
async def read_company(
    company_id: CompanyInPath,
    house: House,
    cursor: Annotated[str | None, Query(max_length=300, description="For more of its people.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> CompanyView:
    """Who decides there, and what part each has in it."""
    async with house.database.transaction() as connection:
        return await CompanyView.read(house, connection, company_id, cursor, limit)


@router.get(
    "/timeline",
    dependencies=[allowed("companies:read")],
    responses=answers(404, 422),
    summary="What happened to all of its people?",
)
async def read_timeline(
    company_id: CompanyInPath,
    house: House,
    cursor: Annotated[str | None, Query(max_length=300, description="From the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    locale: Annotated[Literal["en", "ru"], Query(description="The language of the sentences.")] = "en",
) -> TimelineView:
    """One story of everybody who decides there (the first 500), newest first; `customer_id` says whose line it is.

    Instants inside the sentences are in the installation's time zone.
    """
    async with house.database.transaction() as connection:
        page = await house.companies.timeline(connection, company_id, locale=locale, cursor=cursor, limit=limit)
    return TimelineView.of(page)
