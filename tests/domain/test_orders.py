"""Orders as events tell of them: in whatever order the news comes, the order is the same."""

from decimal import Decimal
from itertools import permutations

import pytest

from domain.events import Event
from domain.orders import Order, OrderStatus, order_after, order_named, totals
from tests.domain.builders import NOON
from tests.domain.test_projection import HOUR, an_event


def told(*events: Event, currency: str = "EUR") -> dict[str, Order]:
    known: dict[str, Order] = {}
    for event in events:
        name = order_named(event)
        if order := order_after(event, known.get(name), currency=currency):
            known[name] = order
    return known


PLACED = an_event("order_placed", "O-1", at=NOON, total=100, products=["kettle", "cup"], codes=["WELCOME5"])


def test_an_order_is_what_the_shop_said() -> None:
    order = told(PLACED)["O-1"]

    assert (order.net, order.status, order.placed_at) == (Decimal("100.00"), OrderStatus.PLACED, NOON)
    assert (order.products, order.codes, order.currency) == (("kettle", "cup"), ("WELCOME5",), "EUR")


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_news_in_any_order_makes_the_same_order(order: tuple[int, ...]) -> None:
    news = [
        PLACED,
        an_event("order_refunded", "O-1", at=NOON + HOUR, amount="30.50"),
        an_event("order_refunded", "O-1", at=NOON + 2 * HOUR, amount=9.5),
    ]

    assert told(*(news[place] for place in order))["O-1"].net == Decimal("60.00")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_cancelled_order_counts_for_nothing(order: tuple[int, ...]) -> None:
    news = [PLACED, an_event("order_cancelled", "O-1", at=NOON + HOUR)]
    orders = told(*(news[place] for place in order))

    assert orders["O-1"].status is OrderStatus.CANCELLED
    assert totals(orders.values()) == (0, Decimal(0), None)


def test_what_is_refunded_altogether_does_not_stand() -> None:
    assert told(PLACED, an_event("order_refunded", "O-1", amount=100))["O-1"].status is OrderStatus.REFUNDED


def test_a_refund_of_an_order_that_nobody_told_us_of_is_worth_nothing() -> None:
    orders = told(an_event("order_refunded", "O-1", amount=10))

    assert totals(orders.values()) == (0, Decimal(0), None)


def test_the_order_told_again_is_one_order() -> None:
    orders = told(PLACED, an_event("order_placed", "O-1", at=NOON, total=120))

    assert totals(orders.values())[:2] == (1, Decimal("120.00"))


def test_an_order_without_a_name_is_its_own() -> None:
    orders = told(an_event("order_placed", total=1), an_event("order_placed", total=2))

    assert totals(orders.values())[:2] == (2, Decimal("3.00"))


def test_another_currency_counts_at_its_rate_and_without_one_for_nothing() -> None:
    with_rate = told(an_event("order_placed", "K-1", total=30000, currency="kzt", rate=0.0019))["K-1"]
    without = told(an_event("order_placed", "K-2", total=30000, currency="KZT"))["K-2"]

    assert (with_rate.net, with_rate.gross, with_rate.currency) == (Decimal("57.00"), Decimal("30000.00"), "KZT")
    assert (without.net, without.stands) == (Decimal("0.00"), True)


@pytest.mark.parametrize("total", [-5, True, "much", None, float("nan"), float("inf"), 1e300, [3]])
def test_an_amount_that_is_none_is_nothing_and_the_order_still_counts(total: object) -> None:
    assert totals(told(an_event("order_placed", "O-1", total=total)).values())[:2] == (1, Decimal(0))


def test_items_name_products_too() -> None:
    items = [{"product": "kettle", "quantity": 2}, {"product": 7}, {"product": ""}, "no item"]

    assert told(an_event("order_placed", "O-1", items=items))["O-1"].products == ("kettle", "7")


# Deals ---------------------------------------------------------------------------------------------------------------

WON = an_event("deal_won", "D-1", at=NOON, deal="D-1", amount=900, currency="EUR")


def test_a_deal_that_is_won_is_an_order_worth_its_amount() -> None:
    order = told(an_event("deal_opened", "D-1", deal="D-1"), WON)["deal:D-1"]

    assert (order.stands, order.net, order.placed_at) == (True, Decimal("900.00"), NOON)
    assert told(an_event("deal_won", "D-2")).keys() == {"deal:D-2"}, "whoever tells of it without our properties"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_deal_and_the_order_that_it_led_to_are_one_purchase(order: tuple[int, ...]) -> None:
    news = [WON, an_event("order_placed", "O-7", at=NOON + HOUR, deal="D-1", total=880, products=["plan"])]
    orders = told(*(news[place] for place in order))

    assert totals(orders.values()) == (1, Decimal("880.00"), NOON + HOUR)
    assert orders["deal:D-1"].products == ("plan",)


def test_a_deal_that_is_lost_after_all_does_not_count_until_it_is_won_again() -> None:
    lost = an_event("deal_lost", "D-1", at=NOON + HOUR, deal="D-1")
    again = an_event("deal_opened", "D-1", at=NOON + HOUR, deal="D-1", again=True)
    won = an_event("deal_won", "D-1", at=NOON + 2 * HOUR, deal="D-1", amount=500)

    assert totals(told(WON, lost).values())[0] == totals(told(WON, again).values())[0] == 0
    assert totals(told(WON, again, won).values()) == (1, Decimal("500.00"), NOON + 2 * HOUR)
