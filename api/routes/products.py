"""The product feed: what the shop says of its products."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response
from msgspec import Meta, Raw, Struct
from pydantic import AfterValidator, BaseModel, Field

from adapters.field_errors import told
from api.access import allowed
from api.fields import Words
from api.limits import SLASH
from api.needs import House
from api.problems import Refused, answers
from api.reading import TOO_DEEP, decoded, problem_in
from services.product_reading import ProductBody, ProductToKeep
from services.products import Imported

MOST = 1000


class ProductBatch(Struct, forbid_unknown_fields=True):
    """Products, each in the place of what was known of it."""

    products: Annotated[list[ProductToKeep], Meta(min_length=1, max_length=MOST)]


class _Envelope(Struct, forbid_unknown_fields=True):
    products: Annotated[list[Raw], Meta(min_length=1, max_length=MOST)]


REF = "#/components/schemas/{name}"
_SCHEMAS, SCHEMAS = msgspec.json.schema_components([ProductBatch, ProductBody], ref_template=REF)
"""What OpenAPI calls the bodies, made from the very classes that read them."""

_EXAMPLE = {
    "name": {"en": "Kettle K2", "ru": "Чайник K2"},
    "category": "kettles",
    "price": 49.9,
    "currency": "EUR",
    "url": "https://shop.example/kettle-2",
    "rating": 4.7,
    "stock": 12,
    "related": ["filter-2"],
}
ProductInPath = Annotated[
    str,
    Path(description="Your own id of the product, URL-encoded.", min_length=1, max_length=200),
    AfterValidator(lambda value: value.replace(SLASH, "/")),
]

router = APIRouter(prefix="/v1", tags=["Shop"])


class ProductView(BaseModel):
    """A product as the feed has it. One that is withdrawn is listed in no message any more."""

    id: str = Field(examples=["kettle-2"])
    name: str | dict[str, str]
    category: str
    price: float | None
    currency: str | None
    url: str | None
    image: str | None
    rating: float | None
    stock: int | None
    available: bool
    attributes: dict[str, Any]
    related: list[str]
    updated_at: datetime
    withdrawn_at: datetime | None


class ProductsView(BaseModel):
    """A page of products, by their ids. `cursor` asks for the next page; null on the last one."""

    products: list[ProductView]
    cursor: str | None


class RejectedProduct(BaseModel):
    """A product that was not stored: its place in the batch, and what is wrong with it."""

    index: int
    problem: str = Field(examples=["price: may have at most two digits behind the point"])


class ProductsKept(BaseModel):
    """What became of a batch. `unchanged` ones were known as they are."""

    stored: int
    unchanged: int
    rejected: list[RejectedProduct]


class RejectedLine(BaseModel):
    """A row that was not stored: the line that it begins on, the header being 1, and what is wrong with it."""

    line: int
    problem: str


class ProductsImported(BaseModel):
    """What became of a file. `problems` are the first thousand."""

    stored: int
    unchanged: int
    rejected: int
    problems: list[RejectedLine]

    @classmethod
    def of(cls, taken: Imported) -> "ProductsImported":
        """What became of it."""
        problems = [RejectedLine(line=line, problem=problem) for line, problem in taken.problems]
        return cls(stored=taken.stored, unchanged=taken.unchanged, rejected=taken.rejected, problems=problems)


_envelopes = msgspec.json.Decoder(_Envelope)
_products = msgspec.json.Decoder(ProductToKeep)
_bodies = msgspec.json.Decoder(ProductBody)


def _body(schema: dict[str, Any], example: dict[str, Any]) -> dict[str, Any]:
    content = {"application/json": {"schema": schema, "example": example}}
    return {"requestBody": {"required": True, "content": content}}


@router.post(
    "/products",
    dependencies=[allowed("products:write")],
    responses=answers(400, 413, 422),
    openapi_extra=_body(_SCHEMAS[0], {"products": [{"id": "kettle-2", **_EXAMPLE}]}),
    summary="Keep products",
)
async def keep_products(request: Request, house: House) -> ProductsKept:
    """Up to 1,000 at once; each takes the place of what was known of it, and what is withdrawn is back.

    One wrong product does not sink the others; `rejected` says which, and why. Of two with one id the later counts.
    """
    good, rejected = [], []
    for index, raw in enumerate(decoded(_envelopes, await request.body(), "body").products):
        try:
            good.append(_product(bytes(raw)))
        except ValueError as error:  # msgspec's errors among them
            rejected.append(RejectedProduct(index=index, problem=told(error, "product")))
        except RecursionError:
            rejected.append(RejectedProduct(index=index, problem=f"product: {TOO_DEEP}"))
    kept = await house.products.keep(good)
    return ProductsKept(stored=kept.stored, unchanged=kept.unchanged, rejected=rejected)


@router.put(
    "/products/{product}",
    dependencies=[allowed("products:write")],
    responses=answers(400, 413, 422),
    openapi_extra=_body(_SCHEMAS[1], _EXAMPLE),
    summary="Keep one product",
)
async def keep_product(product: ProductInPath, request: Request, house: House) -> ProductView:
    """Takes the place of what was known of it; what is left out is not known any more."""
    body = await request.body()
    read = decoded(_bodies, body, "body")
    if wrong := problem_in(body, msgspec.to_builtins(read)):
        raise Refused(422, "Some of what was sent breaks a rule.", [f"body: {wrong}"])
    return ProductView.model_validate(dict(await house.products.put(product, read)))


@router.get(
    "/products/{product}",
    dependencies=[allowed("products:read")],
    responses=answers(404),
    summary="What is known of a product?",
)
async def get_product(product: ProductInPath, house: House) -> ProductView:
    """One product, also where it is withdrawn."""
    return ProductView.model_validate(dict(await house.products.get(product)))


@router.get("/products", dependencies=[allowed("products:read")], responses=answers(422), summary="Which products?")
async def list_products(
    house: House,
    category: Annotated[Words | None, Query()] = None,
    withdrawn: Annotated[bool, Query(description="Those that are withdrawn as well.")] = False,
    cursor: Annotated[Words, Query(description="From the page before.")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> ProductsView:
    """A page of the feed by product id, of one category where given."""
    rows = await house.products.page(category=category, after=cursor, withdrawn=withdrawn, limit=limit + 1)
    shown = [ProductView.model_validate(dict(row)) for row in rows[:limit]]
    return ProductsView(products=shown, cursor=shown[-1].id if len(rows) > limit else None)


@router.delete(
    "/products/{product}",
    status_code=204,
    dependencies=[allowed("products:write")],
    responses=answers(404),
    summary="Withdraw a product",
)
async def withdraw_product(product: ProductInPath, house: House) -> Response:
    """No message lists it from now on. Its name stays known; keeping it again brings it back."""
    await house.products.withdraw(product)
    return Response(status_code=204)


@router.post(
    "/products:import",
    dependencies=[allowed("products:write")],
    responses=answers(413, 422),
    openapi_extra={"requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}},
    summary="Keep the products of a CSV file",
)
async def import_products(request: Request, house: House) -> ProductsImported:
    """UTF-8, up to 256 MiB; commas, semicolons or tabs. The first line names the columns, in any order: `id`, `name`
    (or `name.en`, `name.ru`), `category`, `price`, `currency`, `url`, `image`, `rating`, `stock`, `available`,
    `related` (ids with | between), `attributes.…`.

    Good rows are kept, a thousand in each commit, however the others fare; `problems` tells of those by line. The same
    file may be sent again: what is known as it is counts as unchanged.
    """
    return ProductsImported.of(await house.products.take_csv(request.stream()))


def _product(raw: bytes) -> ProductToKeep:
    product = _products.decode(raw)
    if wrong := problem_in(raw, msgspec.to_builtins(product)):
        raise ValueError(f"product: {wrong}")
    return product
