"""Addresses that the profile does not hold, and the links by which customers add them."""

import re
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, Field

from api.access import CallerHere, allowed
from api.fields import CustomerInPath, Strict
from api.needs import House
from api.problems import answers
from api.reading import CheckedRoute
from domain.messages import Channel

router = APIRouter(prefix="/v1/customers/{customer_id}", tags=["Customers"], route_class=CheckedRoute)


class AddressView(BaseModel):
    """Where a customer is on a channel, and when they last wrote to us from there."""

    channel: Channel
    address: str
    added_at: datetime
    last_inbound_at: datetime | None


class Addresses(BaseModel):
    """A customer's addresses, by channel, the newest first."""

    addresses: list[AddressView]


class LinksView(BaseModel):
    """Links for this customer alone: whoever opens one adds an address to the profile. null where it is not set up.

    `notices` is for a browser on your own site: it reads there what waits for this customer, and says what they saw.
    `visitor_token` is no link but a word for `tropa.identify` on a page of yours where they are signed in (a day).
    """

    telegram: str | None = Field(examples=["https://t.me/example_bot?start=AZyuL0x_fV-PK2ocPU5fYA"])
    web_push: str | None = Field(examples=["https://shop.example/p/WyJjdXNfMDE5Y2FlMmY0YzdmIl0.kX2"])
    notices: str = Field(examples=["https://shop.example/n/WyJjdXNfMDE5Y2FlMmY0YzdmIl0.kX2"])
    visitor_token: str = Field(examples=["WyJjdXNfMDE5Y2FlMmY0YzdmIl0.kX2"])


def _chat(value: str) -> str:
    if not re.fullmatch(r"[1-9][0-9]{0,18}", value):
        raise ValueError("is no private chat's id: a whole number")
    return value


class TelegramChat(Strict):
    """A chat that your own bot knows already."""

    chat_id: Annotated[str, Field(examples=["123456789"]), AfterValidator(_chat)]


@router.get(
    "/addresses",
    dependencies=[allowed("customers:read")],
    responses=answers(404),
    summary="Where does a customer get messenger and browser messages?",
)
async def list_addresses(customer_id: CustomerInPath, house: House) -> Addresses:
    """Chats and browsers; email and phone are in the profile."""
    async with house.database.transaction() as connection:
        rows = await house.customers.kept_addresses(connection, customer_id)
    return Addresses(addresses=[AddressView.model_validate(dict(row)) for row in rows])


@router.put(
    "/addresses/telegram",
    dependencies=[allowed("customers:write")],
    responses=answers(400, 404, 409, 422),
    summary="Set a customer's Telegram chat",
)
async def put_telegram(customer_id: CustomerInPath, body: TelegramChat, house: House, who: CallerHere) -> Addresses:
    """For chats that your bot knows from before. It is no consent: name that in the profile's `consents`."""
    async with house.database.transaction() as connection:
        await house.customers.set_chat(connection, customer_id, Channel.TELEGRAM, body.chat_id, by=who)
        rows = await house.customers.kept_addresses(connection, customer_id)
    return Addresses(addresses=[AddressView.model_validate(dict(row)) for row in rows])


@router.get(
    "/links",
    dependencies=[allowed("customers:write")],
    responses=answers(404),
    summary="Links by which a customer adds Telegram, a browser or notices, and the word that recognizes them",
)
async def read_links(customer_id: CustomerInPath, house: House) -> LinksView:
    """For this customer alone: show them on your site after a sign-in, or in a letter. They are good for 30 days,
    `notices` for one."""
    async with house.database.transaction() as connection:
        ours = (await house.customers.get(connection, customer_id)).row["id"]
    return LinksView(
        telegram=house.chats.link(ours),
        web_push=house.browsers.link(ours),
        notices=house.in_app.link(ours),
        visitor_token=house.links.visitor(ours, house.clock.now()),
    )
