"""What a customer chose for themselves, as a person at the company sets it for them."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.access import CallerHere, allowed
from api.fields import CustomerInPath, Instant, Strict, Words
from api.needs import House
from api.problems import answers
from api.reading import CheckedRoute
from domain.customers import Frequency
from domain.errors import InvalidInput
from domain.messages import Channel
from services.preferences import Choice, Chosen

router = APIRouter(prefix="/v1/customers/{customer_id}/preferences", tags=["Customers"], route_class=CheckedRoute)


class ChoiceToMake(Strict):
    """What to change; what is left out stays. A `frequency` or `snoozed_until` of null takes the choice back."""

    frequency: Annotated[Frequency, Field(strict=False)] | None = None
    snoozed_until: Instant | None = None
    channels: dict[Annotated[Channel, Field(strict=False)], bool] = Field(default_factory=dict)
    topics: dict[str, bool] = Field(default_factory=dict, examples=[{"promotions": False}])
    wording: Annotated[Words, Field(max_length=2000)] = Field(default="", description="What the customer was asked.")
    proof: Annotated[Words, Field(max_length=500)] = Field(default="", description="Where that can be seen again.")


class PreferencesView(BaseModel):
    """What holds now. A channel without any word is null."""

    frequency: Frequency | None
    snoozed_until: datetime | None
    channels: dict[Channel, bool | None]
    topics: dict[str, bool]

    @classmethod
    def of(cls, chosen: Chosen) -> "PreferencesView":
        """What was chosen."""
        return cls(
            frequency=chosen.frequency,
            snoozed_until=chosen.snoozed_until,
            channels=dict(chosen.channels),
            topics=dict(chosen.topics),
        )


@router.get("", dependencies=[allowed("customers:read")], responses=answers(404), summary="What did they choose?")
async def read_preferences(customer_id: CustomerInPath, house: House) -> PreferencesView:
    """How often, until when in peace, by which channels, about what."""
    async with house.database.transaction() as connection:
        customer = (await house.customers.get(connection, customer_id)).row["id"]
        return PreferencesView.of(await house.preferences.of(connection, customer))


@router.patch(
    "",
    dependencies=[allowed("customers:write")],
    responses=answers(400, 404, 409, 422),
    summary="Set what they chose",
)
async def set_preferences(
    customer_id: CustomerInPath, body: ChoiceToMake, house: House, who: CallerHere
) -> PreferencesView:
    """In force when the answer arrives. A customer does the same on their own page, by the link in every message."""
    if unknown := sorted(body.topics.keys() - set(house.preferences.topics)):
        there = ", ".join(house.preferences.topics)
        raise InvalidInput([f"topics.{topic}: there is no such topic; there are: {there}" for topic in unknown])
    named = body.model_fields_set & {"frequency", "snoozed_until"}
    choice = Choice(settings={name: getattr(body, name) for name in named}, channels=body.channels, topics=body.topics)
    async with house.database.transaction() as connection:
        customer = (await house.customers.get(connection, customer_id)).row["id"]
        chosen = await house.preferences.choose(
            connection, customer, choice, source=who.name, wording=body.wording, proof=body.proof, by=who
        )
    house.database.wake()
    return PreferencesView.of(chosen)
