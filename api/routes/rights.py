"""What a person may ask of the company, and joining what turned out to be one person."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import StreamingResponse

from api.access import CallerHere, allowed
from api.customer_view import CustomerView
from api.fields import CustomerId, CustomerInPath, Strict
from api.needs import House
from api.once import CommandHere
from api.problems import answers
from api.reading import CheckedRoute

router = APIRouter(prefix="/v1/customers/{customer_id}", tags=["Customers"], route_class=CheckedRoute)


class Erased(BaseModel):
    """Who was erased, by our id, and when."""

    id: str = Field(examples=["cus_019cae2f4c7f7d5f8f2b6a1c3d4e5f60"])
    erased_at: datetime


class Other(Strict):
    """The profile that goes into this one."""

    from_: Annotated[CustomerId, Field(alias="from", description="Your id of the other profile.")]


class Visitor(Strict):
    """Who visited without a name."""

    visitor_id: Annotated[
        CustomerId, Field(description="The customer_id of their events so far.", examples=["visitor-8f2b6a1c"])
    ]


_COMMAND: dict[str, Any] = {
    "response_class": Response,
    "responses": {200: {"model": CustomerView}, **answers(400, 404, 409, 422)},
}


@router.delete(
    "", dependencies=[allowed("customers:erase")], responses=answers(404), summary="Erase everything about a customer"
)
async def erase(customer_id: CustomerInPath, house: House, who: CallerHere) -> Erased:
    """Journeys stop at once, nothing more is sent, and every personal word goes from every table. Cannot be undone.

    What stays: counts and times without a name, and keyed surrogates of id and addresses, so that late events, imports
    and another profile with the same address do not bring the customer back. Asked again, it answers alike.
    """
    async with house.database.transaction() as connection:
        erasure = await house.erasing.erase(connection, customer_id, actor=who)
    house.database.wake()
    return Erased(id=erasure.customer, erased_at=erasure.at)


@router.get(
    "/export",
    dependencies=[allowed("customers:export")],
    responses=answers(404),
    response_class=StreamingResponse,
    summary="Everything stored about a customer",
)
async def export(customer_id: CustomerInPath, house: House, who: CallerHere) -> StreamingResponse:
    """One JSON document with the person's rows of each table: profile, consents, events, messages with their texts,
    decisions, tasks, enrollments. The audit log keeps who took it.
    """
    async with house.database.transaction() as connection:
        ours = await house.exporting.begin(connection, customer_id, actor=who)
    headers = {"Content-Disposition": f'attachment; filename="{ours}.json"'}
    return StreamingResponse(house.exporting.pieces(ours), headers=headers, media_type="application/json")


@router.post("/merge", dependencies=[allowed("customers:merge")], summary="Two profiles are one person", **_COMMAND)
async def merge(
    customer_id: CustomerInPath, body: Other, house: House, who: CallerHere, command: CommandHere
) -> Response:
    """Takes the other profile into this one; from now on its id means this one. Cannot be undone.

    This profile's fields win, gaps are filled. Limits count the touches of both. The stricter word about a channel
    counts. A journey that both walk about the same thing goes on for the one who began first.
    """

    async def join(connection: AsyncConnection) -> CustomerView:
        await house.merging.merge(connection, customer_id, body.from_, actor=who)
        return CustomerView.of(await house.customers.get(connection, customer_id), house.clock.now())

    return await command.do(join)


@router.post("/identify", dependencies=[allowed("customers:write")], summary="A visitor is this customer", **_COMMAND)
async def identify(
    customer_id: CustomerInPath, body: Visitor, house: House, who: CallerHere, command: CommandHere
) -> Response:
    """What a visitor did before they said who they are becomes the customer's, and so does what comes later.

    Either may be new to us. A visitor who has an address, or who is somebody else already, is no visitor: 409.
    """

    async def join(connection: AsyncConnection) -> CustomerView:
        await house.merging.identify(connection, customer_id, body.visitor_id, actor=who)
        return CustomerView.of(await house.customers.get(connection, customer_id), house.clock.now())

    return await command.do(join)
