"""Taking events in."""

from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from api.access import allowed
from api.needs import Needs
from api.problems import answers
from api.reading import BareRoute
from api.reading_events import BatchTaken, EventBatch, Rejected, read_batch

REF = "#/components/schemas/{name}"
_SCHEMAS, SCHEMAS = msgspec.json.schema_components([EventBatch, BatchTaken], ref_template=REF)
"""What OpenAPI calls the bodies, made from the very classes that read them."""

TAKEN = "is taken by another event; an event_id names one event for ever"
EXAMPLE = {
    "events": [
        {
            "event_id": "order-1001-placed",
            "customer_id": "anna@example.com",
            "name": "order_placed",
            "occurred_at": "2026-03-02T10:00:00Z",
            "about": "order-1001",
            "properties": {"total": 49.9},
        }
    ]
}
_BODY: dict[str, Any] = {
    "required": True,
    "content": {"application/json": {"schema": _SCHEMAS[0], "example": EXAMPLE}},
}

router = APIRouter(prefix="/v1", tags=["Events"], route_class=BareRoute)


@router.post(
    "/events",
    status_code=202,
    dependencies=[allowed("events:write")],
    responses={202: {"content": {"application/json": {"schema": _SCHEMAS[1]}}}, **answers(400, 413, 422)},
    openapi_extra={"requestBody": _BODY},
    summary="Tell what customers did",
    response_class=Response,
)
async def take_events(request: Request) -> Response:
    """Up to 1,000 events at once, of any customers, in any order. They start, steer and end journeys.

    Each event counts once, however often it is sent: repeat the whole request when in doubt. One wrong event does not
    sink the others; `rejected` says which, and why. `opted_out` (of
    `properties.channel`, or of everything without it), `complained` and `hard_bounced` (of email, unless
    `properties.channel` says otherwise) are in force when the answer arrives. The latter two close the address that
    `properties.address` names, or the one that the send `properties.send` went to; without both, the customer's own.

    So are the customer's own choices: `frequency_chosen` (`properties.frequency` is `weekly`, `monthly`, or null for as
    it comes) and `snoozed` (until the instant `properties.until`, without it for 90 days; null ends the break).
    """
    house: Needs = request.app.state.needs  # not as a dependency, which would cost each request
    good, places, rejected = read_batch(await request.body(), house.clock.now())
    taken = await house.intake.take_in(good)
    rejected += [Rejected(places[each], f"event_id: {TAKEN}") for each in taken.conflicts]
    rejected += [Rejected(places[each], "event: cannot be stored") for each in taken.refused]
    rejected.sort(key=lambda each: each.index)
    request.app.state.meters.took(taken, len(rejected))
    body = BatchTaken(accepted=taken.accepted, duplicates=taken.duplicates, rejected=rejected)
    return Response(msgspec.json.encode(body), 202, media_type="application/json")
