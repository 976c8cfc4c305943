"""What the script on the company's site tells (api/static/visits.js). It needs no key: strangers speak here."""

from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import Meta, Struct

from api.needs import House, Needs
from api.problems import Refused, answers
from api.reading import decoded, problem_in
from api.sites import Sites
from domain.errors import Conflict, InvalidInput, NotFound
from domain.events import Value
from domain.tracking import is_machine
from domain.visits import VISITOR

REF = "#/components/schemas/{name}"

router = APIRouter(prefix="/v1", tags=["Visitors"])

Id = Annotated[
    str,
    Meta(
        pattern=f"^{VISITOR.pattern}$",
        description="What the browser calls itself: a random UUID that it keeps.",
        examples=["8f2b6a1c-3d4e-4f60-9a7b-0c1d2e3f4a5b"],
    ),
]


class Visit(Struct, forbid_unknown_fields=True):
    """Something that a visitor did just now."""

    visitor: Id
    name: Annotated[str, Meta(description="What happened, in snake_case.", examples=["page_viewed"])]
    properties: Annotated[
        dict[str, Value],
        Meta(
            description="At most 20: short texts that are no addresses, numbers, booleans.",
            examples=[{"page": "pricing", "referrer": "news.example", "utm_source": "newsletter"}],
        ),
    ] = {}


class Recognized(Struct, forbid_unknown_fields=True):
    """Who a visitor is."""

    visitor: Id
    token: Annotated[
        str, Meta(max_length=500, description="The customer's, from `GET /v1/customers/{customer_id}/links`.")
    ]


_SCHEMAS, SCHEMAS = msgspec.json.schema_components([Visit, Recognized], ref_template=REF)
_visits, _recognized = msgspec.json.Decoder(Visit), msgspec.json.Decoder(Recognized)
Body = TypeVar("Body")


def _documented(schema: dict[str, Any]) -> dict[str, Any]:
    content = {"schema": schema}
    return {"requestBody": {"required": True, "content": {"application/json": content, "text/plain": content}}}


@router.post(
    "/visits",
    status_code=202,
    responses={
        204: {"description": "Not kept: they asked not to be tracked, or it is a machine."},
        **answers(400, 413, 422, 429),
    },
    openapi_extra=_documented(_SCHEMAS[0]),
    summary="A visitor of your site did something",
    response_class=Response,
)
async def take_visit(request: Request, house: House) -> Response:
    """For the script on your pages; it needs no key. Your own systems use `/v1/events`.

    The visitor becomes a profile without a name, and a customer's history once they are recognized. Only pages of your
    own sites are heard, only of events that strangers may tell, and so often from one place. A browser that says
    `Sec-GPC: 1` or `DNT: 1` is not recorded.
    """
    headers = _admitted(request, house)
    visit = _read(_visits, await request.body(), headers)
    if request.headers.get("sec-gpc") == "1" or request.headers.get("dnt") == "1" or is_machine(request.headers):
        return Response(None, 204, headers)
    try:
        taken = await house.visits.take(visit.visitor, visit.name, visit.properties)
    except InvalidInput as error:
        raise Refused(422, "Some of what was sent breaks a rule.", error.problems, headers) from None
    request.app.state.meters.took(taken, 0)
    return Response(None, 202, headers)


@router.post(
    "/visits:identify",
    status_code=204,
    responses=answers(400, 404, 409, 413, 422, 429),
    openapi_extra=_documented(_SCHEMAS[1]),
    summary="A visitor is the customer who is signed in",
    response_class=Response,
)
async def recognize(request: Request, house: House) -> Response:
    """For the script, on a page that knows who is signed in: the token proves that your system says so.

    What the visitor did becomes the customer's, and so does what comes later. 409: this browser was somebody else's
    until now; the script then begins anew.
    """
    headers = _admitted(request, house)
    body = _read(_recognized, await request.body(), headers)
    try:
        await house.visits.identify(body.visitor, body.token)
    except NotFound:
        raise Refused(404, "This token is not ours, or no longer good.", headers=headers) from None
    except Conflict as error:
        raise Refused(409, str(error), headers=headers) from None
    return Response(None, 204, headers)


@router.options("/visits", include_in_schema=False)
@router.options("/visits:identify", include_in_schema=False)
async def ask_first(request: Request, house: House) -> Response:
    """What a page asks that sends JSON as such. Our own script sends text, and need not ask."""
    allowed = {"Access-Control-Allow-Methods": "POST", "Access-Control-Allow-Headers": "Content-Type"}
    return Response(None, 204, {**house.sites.headers(request), **allowed, "Access-Control-Max-Age": "7200"})


def _admitted(request: Request, house: Needs) -> dict[str, str]:
    sites: Sites = house.sites
    headers = sites.headers(request)
    sites.slow_down(sites.visits, request, headers)
    return headers


def _read(decoder: msgspec.json.Decoder[Body], raw: bytes, headers: dict[str, str]) -> Body:
    try:
        body = decoded(decoder, raw, "visit")
    except Refused as error:
        raise Refused(error.status_code, error.detail, error.problems, headers) from None
    if isinstance(body, Visit) and (wrong := problem_in(raw, body.properties)):
        raise Refused(422, "Some of what was sent breaks a rule.", [f"properties: {wrong}"], headers)
    return body
