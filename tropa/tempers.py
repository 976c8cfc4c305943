"""The kinds of people in the demo's crowd, and what each kind does on which day."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Deed:
    """Something a customer does, this many days after arriving."""

    day: float
    name: str
    properties: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True)
class Temper:
    """How a kind of customer behaves. `share` is their weight in the crowd; a day may vary by a fifth."""

    share: int
    deeds: tuple[Deed, ...]
    consents: bool = True
    company: bool = False


ORDERS = (Deed(0, "order_placed"), Deed(1, "order_shipped"), Deed(2, "order_delivered"))


def answers(day: float, score: int) -> Deed:
    """They answer what we asked them last, if we did."""
    return Deed(day, "survey_answered", {"score": score})


TEMPERS = {
    "comes back for the cart": Temper(
        8, (Deed(0, "cart_updated"), Deed(0.5, "order_placed"), Deed(1.5, "order_shipped"), Deed(3, "order_delivered"))
    ),
    "empties the cart": Temper(4, (Deed(0, "cart_updated"), Deed(0.3, "cart_emptied"))),
    "forgets the cart": Temper(14, (Deed(0, "cart_updated"),)),
    "looks around": Temper(12, (Deed(0, "category_viewed"), Deed(0.1, "category_viewed"))),
    "looks around and buys": Temper(
        4, (Deed(0, "category_viewed"), Deed(2, "order_placed"), Deed(3, "order_shipped"), Deed(4.5, "order_delivered"))
    ),
    "signs up and waits for an offer": Temper(14, (Deed(0, "signed_up"),)),
    "signs up and buys": Temper(
        4, (Deed(0, "signed_up"), Deed(1, "category_viewed"), Deed(3, "order_placed"), Deed(4, "order_shipped"))
    ),
    "wants the newsletter": Temper(14, (Deed(0, "newsletter_signed_up"),)),
    "wants the newsletter, then buys": Temper(4, (Deed(0, "newsletter_signed_up"), Deed(5, "order_placed"))),
    "takes to it at once": Temper(
        6, (*ORDERS, Deed(2.2, "feature_used"), Deed(2.5, "activated"), answers(8, 5), answers(17, 10))
    ),
    "uses it, slowly": Temper(5, (*ORDERS, Deed(3, "feature_used"), Deed(6, "activated"), answers(12, 4))),
    "outgrows it": Temper(
        5, (*ORDERS, Deed(2.5, "activated"), Deed(4, "limit_reached", {"limit": "10 users"}), Deed(7, "plan_upgraded"))
    ),
    "uses one thing above all": Temper(
        4, (*ORDERS, Deed(3, "feature_used_heavily", {"feature": "Reports", "related": "Dashboards"}))
    ),
    "gets stuck, then gets there": Temper(
        5, (*ORDERS, Deed(0.8, "setup_stuck"), Deed(3, "activated"), answers(8.5, 2))
    ),
    "gets stuck and goes quiet": Temper(4, (*ORDERS, Deed(1.5, "setup_stuck"))),
    "asks support": Temper(
        6, (*ORDERS, Deed(3, "support_contacted"), Deed(3.5, "ticket_closed"), answers(4.5, 4), answers(16, 9))
    ),
    "asks support in vain": Temper(
        3, (*ORDERS, Deed(3, "support_contacted"), Deed(3.5, "ticket_closed"), answers(4.5, 1))
    ),
    "stays silent": Temper(4, ORDERS),
    "asks for a demo": Temper(
        12, (Deed(0, "page_viewed", {"page": "pricing"}), Deed(0.4, "demo_requested")), company=True
    ),
    "looks at the prices": Temper(8, (Deed(0, "page_viewed", {"page": "pricing"}),), company=True),
    "reads first": Temper(
        14,
        (Deed(0, "downloaded", {"kind": "guide", "title": "Tea at work", "topic": "tea"}), Deed(9, "demo_requested")),
        company=True,
    ),
    "counts first": Temper(6, (Deed(0, "calculator_used"), Deed(6, "offer_requested")), company=True),
    "wants no letters after the second": Temper(5, (*ORDERS, Deed(3, "opted_out"))),
    "wants no email": Temper(2, (*ORDERS, Deed(1.5, "opted_out", {"channel": "email"}))),
    "never said yes to letters": Temper(2, ORDERS, consents=False),
}

OF_CART = ("cart", "products", "link")
OF_ORDER = ("order", "tracking", "link")
TELLS: Mapping[str, tuple[str, ...]] = {
    "cart_updated": OF_CART,
    "cart_emptied": ("cart",),
    "order_placed": ("order", "cart", "products", "total", "currency", "tracking", "link", "receipt"),
    "order_shipped": OF_ORDER,
    "order_delivered": OF_ORDER,
    "category_viewed": ("category", "link"),
    "downloaded": ("link",),
    "limit_reached": ("link",),
    "feature_used_heavily": ("link",),
}
"""What a shop's systems tell of each deed, beside what the deed says itself."""
