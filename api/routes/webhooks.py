"""Webhooks: other systems that are told what happens."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.access import CallerHere, allowed
from api.fields import Strict
from api.needs import House
from api.problems import answers
from api.reading import CheckedRoute
from domain.announcements import ANNOUNCED

router = APIRouter(prefix="/v1/webhooks", tags=["Webhooks"], route_class=CheckedRoute)

_LISTED = "; ".join(f"`{name}`: {meaning}" for name, meaning in ANNOUNCED.items())


class NewWebhook(Strict):
    """Where to tell what."""

    url: str = Field(max_length=2000, description="https, on port 443 or 8443.", examples=["https://crm.example/hook"])
    events: Annotated[list[str], Field(max_length=20, description=_LISTED, examples=[["message.sent"]])]


class WebhookView(BaseModel):
    """An endpoint as it stands. `failing_since` is set while nothing is taken; after five days it is disabled."""

    id: str = Field(examples=["whe_019cae2f4c7f7d5f8f2b6a1c3d4e5f60"])
    url: str
    events: list[str]
    created_at: datetime
    failing_since: datetime | None
    disabled_at: datetime | None
    disabled_why: str | None


class CreatedWebhook(WebhookView):
    """A new endpoint. Keep `secret`: it proves that a webhook is ours (Standard Webhooks), and is shown this once."""

    secret: str = Field(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])


class ListedWebhook(WebhookView):
    """An endpoint, how much it is still to be told, and what the last attempt came to."""

    waiting: int
    last_result: str | None = Field(examples=["200"])


class Webhooks(BaseModel):
    """All endpoints."""

    webhooks: list[ListedWebhook]


@router.post(
    "",
    status_code=201,
    dependencies=[allowed("webhooks:write")],
    responses=answers(400, 422),
    summary="Tell another system what happens",
)
async def create_webhook(body: NewWebhook, house: House, who: CallerHere) -> CreatedWebhook:
    """Each event is a POST of `{"type", "timestamp", "data"}`, signed by Standard Webhooks 1.0: check it with one of
    its libraries and the secret.

    It comes at least once, in no certain order; `webhook-id` is the same over repeats. Answer 2xx within 15 seconds.
    Otherwise it comes again after 5 seconds, 5 and 30 minutes, 2, 5, 10 and 10 hours. 410 ends it for good. `data`
    holds ids and words of ours: no name, no address, no text, unless your own `customer_id` or `about` is one.
    """
    row, secret = await house.announcing.add(body.url, body.events, by=who)
    return CreatedWebhook.model_validate({**row, "secret": secret})


@router.get("", dependencies=[allowed("webhooks:read")], responses=answers(), summary="Who is told what?")
async def list_webhooks(house: House) -> Webhooks:
    """Every endpoint, without its secret."""
    return Webhooks(webhooks=[ListedWebhook.model_validate(dict(row)) for row in await house.announcing.listed()])


@router.delete(
    "/{webhook}",
    status_code=204,
    dependencies=[allowed("webhooks:write")],
    responses=answers(404),
    summary="Tell it nothing more",
)
async def delete_webhook(webhook: str, house: House, who: CallerHere) -> None:
    """Also drops what it was still to be told."""
    await house.announcing.remove(webhook, by=who)


@router.post(
    "/{webhook}/test",
    status_code=202,
    dependencies=[allowed("webhooks:write")],
    responses=answers(404),
    summary="See whether it works",
)
async def test_webhook(webhook: str, house: House) -> None:
    """Sends `webhook.test` with empty data; `last_result` of the list tells what came of it."""
    await house.announcing.test(webhook)
