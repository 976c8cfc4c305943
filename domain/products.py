"""Products of the shop: which of them a message lists (S30, S35), and what a text may say of each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Of(StrEnum):
    """Where the products of a list come from."""

    EVENT = "event"
    CATEGORY = "category"
    ACCESSORIES = "accessories"


class By(StrEnum):
    """What comes first in a category."""

    RATING = "rating"
    PRICE = "price"
    VALUE = "value"


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A list of at most `most` products, as `message.toml` declares it.

    *event*: those that the event names, in its order, and of an offer only those that can be bought. *category*: the
    best of `category`, or else of the one that the event names, or of those of its products, `by` rating (the highest
    first, then the cheapest), price (the cheapest first), or value: the sum of two places among those of the category
    that can be bought, by rating and by price (S30); of several categories in turn. *accessories*: what goes with those
    that the event names, as the feed relates them (S35).

    The last two never hold what is withdrawn, not available or just bought (S39). A message whose list comes out with
    fewer than `at_least` is not sent.
    """

    of: Of
    most: int
    by: By = By.RATING
    category: str = ""
    at_least: int = 0


@dataclass(frozen=True, kw_only=True)
class Product:
    """What a text may say of a product, in its own language. `price` is money in words, `amount` the number.

    A product that an event names and the feed does not know has its id for a name and nothing else.
    """

    id: str
    name: str
    category: str = ""
    price: str | None = None
    amount: float | None = None
    currency: str | None = None
    url: str | None = None
    image: str | None = None
    rating: float | None = None
    stock: int | None = None
    available: bool = True
    attributes: Mapping[str, object] = field(default_factory=dict)


def in_language(name: str | Mapping[str, str], lang: str) -> str:
    """A name that is one for all languages, or has one for some: the asked one, else English, else any."""
    if isinstance(name, str):
        return name
    return name.get(lang) or name.get("en") or next(iter(name.values()), "")
