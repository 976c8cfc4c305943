"""Orders, as events tell of them: what was bought for how much, and what became of it.

A deal that is won is an order (S5): whoever sells by deals has buyers, too. In whatever order they come, the same
events make the same order: a cancellation that is heard of first is kept for the order that it is about.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from domain.events import Event

PLACED = "order_placed"
CANCELLED = "order_cancelled"
REFUNDED = "order_refunded"
WON, LOST, OPENED = "deal_won", "deal_lost", "deal_opened"  # a deal that is opened again is not won any more
DEAL_EVENTS = frozenset({WON, LOST, OPENED})
ORDER_EVENTS = frozenset({PLACED, CANCELLED, REFUNDED}) | DEAL_EVENTS

NOTHING = Decimal("0.00")
MOST = Decimal(10) ** 12


class OrderStatus(StrEnum):
    """What became of an order. Only a placed one stands."""

    PLACED = "placed"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"


@dataclass(frozen=True, kw_only=True)
class Order:
    """An order. Money is in its own currency, as the shop says it: after discounts, without tax and shipping.

    `rate` is how much of the installation's currency one unit of its own is worth. `told` says that we heard of its
    placing, and not only of what came after.
    """

    order: str
    placed_at: datetime
    gross: Decimal = NOTHING
    refunded: Decimal = NOTHING
    rate: Decimal = Decimal(1)
    currency: str = ""
    products: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    cancelled: bool = False
    told: bool = True

    @property
    def status(self) -> OrderStatus:
        """What became of it."""
        if self.cancelled:
            return OrderStatus.CANCELLED
        return OrderStatus.REFUNDED if self.refunded and self.refunded >= self.gross else OrderStatus.PLACED

    @property
    def stands(self) -> bool:
        """Whether it counts."""
        return self.told and self.status is OrderStatus.PLACED

    @property
    def net(self) -> Decimal:
        """What is left of it, in the installation's currency."""
        left = max(self.gross - self.refunded, NOTHING) if self.told and not self.cancelled else NOTHING
        return (left * self.rate).quantize(NOTHING)


def order_named(event: Event) -> str:
    """Which order an event is about: that of the deal that it names, else its property `order`, else what it is about,
    else the event is its own order. A deal that was won and the order that it led to are one, if that says `deal`.
    """
    deal = event.properties.get("deal")
    if _is_name(deal) or event.name in DEAL_EVENTS:
        return f"deal:{deal if _is_name(deal) else event.about or event.event_id}"
    named = event.properties.get("order")
    return str(named) if _is_name(named) else event.about or event.event_id


def order_after(event: Event, known: Order | None, *, currency: str) -> Order | None:
    """The order as it is after an event; None when the event is about no order.

    An order in another currency than the installation's (`currency`) needs a `rate` to have a value; without one it
    counts as an order that is worth nothing.
    """
    if event.name not in ORDER_EVENTS:
        return None
    order = known or Order(order=order_named(event), placed_at=event.occurred_at, told=False)
    match event.name:
        case "deal_lost" | "deal_opened":
            return replace(known, cancelled=True) if known else None
        case "deal_won" if order.stands:
            return order  # the order itself knows better
        case "deal_won":
            order = replace(order, cancelled=False)
        case "order_cancelled":
            return replace(order, cancelled=True)
        case "order_refunded":
            return replace(order, refunded=order.refunded + _money(event.properties.get("amount")))
    theirs = event.properties.get("currency")
    own = theirs.upper()[:3] if isinstance(theirs, str) and theirs else currency
    said = event.properties.get("amount" if event.name == WON else "net", event.properties.get("total"))
    return replace(
        order,
        placed_at=event.occurred_at,
        gross=_money(said),
        rate=Decimal(1) if own == currency else _money(event.properties.get("rate"), places="0.00000001"),
        currency=own,
        products=products_in(event.properties),
        codes=_names(event.properties.get("codes")),
        told=True,
    )


def products_in(properties: Mapping[str, object]) -> tuple[str, ...]:
    """The products that an event names, each once: `product`, `products`, or `items` with a `product` each."""
    items = properties.get("items")
    of_items = [each.get("product") for each in items if isinstance(each, dict)] if isinstance(items, list) else []
    several = properties.get("products")
    return _names([*(several if isinstance(several, list) else [properties.get("product")]), *of_items])


def totals(orders: Iterable[Order]) -> tuple[int, Decimal, datetime | None]:
    """How many orders stand, their worth, and when the last was placed."""
    standing = [order for order in orders if order.stands]
    worth = sum((order.net for order in standing), NOTHING)
    return len(standing), worth, max((order.placed_at for order in standing), default=None)


def _names(values: object) -> tuple[str, ...]:
    named = values if isinstance(values, list) else [values]
    return tuple(dict.fromkeys(str(each) for each in named if _is_name(each)))


def _is_name(value: object) -> bool:
    return isinstance(value, (str, int)) and not isinstance(value, bool) and value != ""


def _money(value: object, places: str = "0.01") -> Decimal:
    """An amount that is none, negative or past all measure is nothing: the order itself still counts."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return NOTHING
    try:
        amount = Decimal(str(value))
        return amount.quantize(Decimal(places)) if 0 <= amount < MOST else NOTHING
    except InvalidOperation:
        return NOTHING
