"""Messages: what journeys can say, and how it looks."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.access import allowed
from api.fields import Attributes, CustomerId, Locale, Strict
from api.needs import House
from api.problems import answers
from api.reading import CheckedRoute
from domain.durations import spoken
from domain.errors import InvalidInput
from domain.journeys import Declaration
from domain.messages import Channel, Message

NO_LINK = "https://example.invalid/u/preview"  # a preview must not hold links that change what somebody gets

router = APIRouter(prefix="/v1/messages", tags=["Messages"], route_class=CheckedRoute)


class MessageView(BaseModel):
    """A message: why it is sent, what the customer gains, by which channels, and how long it is worth sending."""

    journey: str = Field(examples=["WelcomeChain"])
    name: str = Field(examples=["greeting"])
    purpose: str = Field(examples=["service"])
    goal: str
    channels: list[Channel]
    locales: list[str]
    shelf_life: str = Field(examples=["2 days", "until 17:00"])
    limit: str = Field(examples=["2 in 30 days"])
    offer: str | None = Field(description="The offer whose code it gives.", examples=["welcome5"])

    @classmethod
    def of(cls, declaration: Declaration, message: Message) -> "MessageView":
        """A message as its folder declares it."""
        return cls(
            journey=declaration.name,
            name=message.name,
            purpose=message.purpose.value,
            goal=message.goal,
            channels=list(message.channels),
            locales=list(message.locales),
            shelf_life=message.shelf_life_in_words,
            limit=f"{message.limit.times} in {spoken(message.limit.within)}",
            offer=message.offer or None,
        )


class Messages(BaseModel):
    """All messages."""

    messages: list[MessageView]


class Preview(Strict):
    """Whom to write for: a customer, or invented attributes (which win over the customer's own)."""

    channel: Annotated[Channel, Field(strict=False)] = Channel.EMAIL
    locale: Locale | None = None
    customer_id: CustomerId | None = None
    attributes: Attributes = Field(default_factory=dict, examples=[{"first_name": "Anna"}])
    event: Attributes = Field(
        default_factory=dict, description="Properties of what it answers.", examples=[{"products": ["kettle-2"]}]
    )


class ContentView(BaseModel):
    """WhatsApp's approved template, which goes in the place of the text a day after the customer's last message."""

    sid: str = Field(examples=["HX0123456789abcdef0123456789abcdef"])
    variables: dict[str, str]


class PreviewView(BaseModel):
    """The message as it would arrive."""

    locale: str
    subject: str | None
    preview: str | None
    html: str | None
    text: str
    url: str | None
    content: ContentView | None


@router.get("", dependencies=[allowed("messages:read")], responses=answers(), summary="What can journeys say?")
async def list_messages(house: House) -> Messages:
    """Every message of every journey."""
    return Messages(messages=[MessageView.of(journey, message) for journey, message in house.catalogue.messages()])


@router.post(
    "/{journey}/{message}/preview",
    dependencies=[allowed("messages:read")],
    responses=answers(400, 404, 422),
    summary="See a message before anybody gets it",
)
async def preview_message(journey: str, message: str, body: Preview, house: House) -> PreviewView:
    """Renders a message for a customer or an invented one. Nothing is sent, stored or given: a code in it is none."""
    declared = house.catalogue.message(journey, message)
    if body.channel not in declared.channels:
        raise InvalidInput([f"channel: this message has no text for it, only for {', '.join(declared.channels)}"])
    customer = await _customer(house, body)
    folder = house.catalogue.journey(journey).folder
    shop = await house.shop.preview(declared, locale=body.locale or customer["locale"], event=body.event)
    rendered = house.letters.render(
        folder,
        message,
        body.channel,
        customer,
        unsubscribe=NO_LINK,
        preferences=NO_LINK,
        survey=NO_LINK,
        locale=body.locale,
        event=body.event,
        shop=shop,
    )
    return PreviewView.model_validate(rendered, from_attributes=True)


async def _customer(house: House, body: Preview) -> dict[str, Any]:
    if body.customer_id is None:
        return {"attributes": body.attributes, "locale": None}
    async with house.database.transaction() as connection:
        row = (await house.customers.get(connection, body.customer_id)).row
    return {"attributes": {**row["attributes"], **body.attributes}, "locale": row["locale"]}
