"""Products as the shop hands them over, by JSON or CSV: one definition, from which the documentation is made, too."""

import re
from math import isfinite
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from adapters.csv_rows import Columns, Row
from adapters.field_errors import told

LARGEST_ATTRIBUTES = 16 * 1024
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ADDRESS = r"^https?://[^\s/]+\S*$"
_SEPARATOR = "|"

Name = Annotated[str, Meta(min_length=1, max_length=300)]
Id = Annotated[str, Meta(min_length=1, max_length=200)]
Address = Annotated[str, Meta(pattern=_ADDRESS, max_length=2000)]


class ProductBody(Struct, forbid_unknown_fields=True, kw_only=True):
    """Everything about a product: what is left out is not known any more."""

    name: Annotated[
        Name | dict[Annotated[str, Meta(pattern="^[a-z]{2}$")], Name],
        Meta(
            description="One name, or one for each language.", examples=["Kettle K2", {"en": "Kettle", "ru": "Чайник"}]
        ),
    ]
    category: Annotated[str, Meta(max_length=200, examples=["kettles"])] = ""
    price: Annotated[float, Meta(ge=0, lt=1e12, description="At most two digits behind the point.")] | None = None
    currency: (
        Annotated[str, Meta(pattern="^[A-Z]{3}$", description="ISO 4217; a price needs it.", examples=["EUR"])] | None
    ) = None
    url: Address | None = None
    image: Address | None = None
    rating: Annotated[float, Meta(ge=0, le=100, description="On whatever scale the shop has.")] | None = None
    stock: Annotated[int, Meta(ge=0, le=2**31 - 1)] | None = None
    available: (
        Annotated[bool, Meta(description="Whether it can be bought. Left out: unless its stock is 0.")] | None
    ) = None
    attributes: Annotated[dict[str, Any], Meta(description="More about it, at most 16 KiB.")] = {}
    related: Annotated[
        list[Id], Meta(max_length=50, description="Ids of its accessories, the best first.", examples=[["filter-2"]])
    ] = []

    def __post_init__(self) -> None:
        """Raises ValueError as `field: sentence`, which msgspec tells on."""
        if self.price is not None and (not isfinite(self.price) or round(self.price, 2) != self.price):
            raise ValueError("price: may have at most two digits behind the point")
        if self.rating is not None and not isfinite(self.rating):
            raise ValueError("rating: is no number")
        if (self.price is None) != (self.currency is None):
            raise ValueError("currency: belongs to a price, and a price needs it")
        if not self.name:
            raise ValueError("name: is missing")
        names = list(self.name.values()) if isinstance(self.name, dict) else [self.name]
        for field, said in (("name", names), ("category", [self.category]), ("related", self.related)):
            if any(_CONTROL.search(each) for each in said):
                raise ValueError(f"{field}: holds a control character")
        if len(msgspec.json.encode(self.attributes)) > LARGEST_ATTRIBUTES:
            raise ValueError(f"attributes: at most {LARGEST_ATTRIBUTES // 1024} KiB altogether")

    def row(self, product: str) -> dict[str, Any]:
        """As the table has it, under its id."""
        known = self.stock != 0 if self.available is None else self.available
        return {**msgspec.to_builtins(self), "id": product, "available": known}


class ProductToKeep(ProductBody, forbid_unknown_fields=True, kw_only=True):
    """A product of a batch, with its id."""

    id: Annotated[Id, Meta(description="Your own id of it, as events name it.", examples=["kettle-2"])]

    def __post_init__(self) -> None:
        """Raises ValueError, as for the rest of it."""
        super().__post_init__()
        if _CONTROL.search(self.id):
            raise ValueError("id: holds a control character")


COLUMNS = Columns(
    known=frozenset(ProductToKeep.__struct_fields__) - {"attributes"},
    families=("name.", "attributes."),
    must=frozenset({"id"}),
    words=frozenset({"id", "name", "category", "related", "name.", "attributes."}),
)
"""Of a CSV file: `name` or `name.en`, `name.ru`; `attributes.color`; `related` holds ids with | between."""

_YES_AND_NO = {"yes": "true", "no": "false"}


def read_row(row: Row) -> ProductToKeep:
    """The product in a row of a CSV file. Raises ValueError with what is wrong, as `column: sentence`."""
    if row.problem:
        raise ValueError(row.problem)
    values: dict[str, Any] = {}
    for column, cell in row.cells.items():
        family, dot, member = column.partition(".")
        if dot:
            members = values.setdefault(family, {})
            if not isinstance(members, dict):
                raise ValueError(f"{family}: one for all languages, or {column} and others, not both")
            members[member] = cell
        else:
            values[column] = _plain(column, cell)
    try:
        return msgspec.convert(values, ProductToKeep, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(told(error, "row")) from None


def _plain(column: str, cell: str) -> object:
    match column:
        case "price" | "rating":  # 1 299,90 as well as 1299.90
            bare = re.sub(r"[ \u00a0\u202f]", "", cell)
            return bare if "." in bare else bare.replace(",", ".")
        case "available":
            return _YES_AND_NO.get(cell.lower(), cell.lower())
        case "related":
            return [each.strip() for each in cell.split(_SEPARATOR) if each.strip()]
    return cell
