"""Notices on your own site: what it may show a customer, and what they have seen."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.access import allowed
from api.fields import CustomerInPath, Strict
from api.needs import House
from api.problems import answers
from api.reading import CheckedRoute
from services.in_app import Notice, Waiting

router = APIRouter(prefix="/v1/customers/{customer_id}/notices", tags=["Customers"], route_class=CheckedRoute)


class NoticesView(BaseModel):
    """What waits, the newest first. `preferences_url` is the customer's own page, to be shown beside them."""

    notices: list[Notice]
    preferences_url: str

    @classmethod
    def of(cls, waiting: Waiting) -> "NoticesView":
        """As JSON says it."""
        return cls(notices=list(waiting.notices), preferences_url=waiting.preferences_url)


class Seen(Strict):
    """Which notices a customer had before their eyes."""

    notices: Annotated[list[Annotated[UUID, Field(strict=False)]], Field(min_length=1, max_length=50)]


@router.get(
    "",
    dependencies=[allowed("customers:read")],
    responses=answers(404),
    summary="What your site may show a customer now",
)
async def list_notices(customer_id: CustomerInPath, house: House) -> NoticesView:
    """Unread, within their shelf life, at most 20. Looking changes nothing: say which you showed.

    What they said no to since it was sent, and what became pointless since, is left out.
    """
    async with house.database.transaction() as connection:
        ours = (await house.customers.get(connection, customer_id)).row["id"]
    return NoticesView.of(await house.in_app.waiting(ours))


@router.post(
    "/seen",
    dependencies=[allowed("customers:write")],
    status_code=204,
    responses=answers(400, 404, 422),
    summary="A customer saw notices",
)
async def see_notices(customer_id: CustomerInPath, body: Seen, house: House) -> None:
    """They are not given again, and no other channel repeats what they said. Once or twice is the same."""
    async with house.database.transaction() as connection:
        ours = (await house.customers.get(connection, customer_id)).row["id"]
    await house.in_app.saw(ours, body.notices)
