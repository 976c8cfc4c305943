"""What is known of a customer follows from what they did: orders, activity, engagement, first touch."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from tests.services.bench import Bench

DAY = timedelta(days=1)


async def known(bench: Bench, customer_id: str = "anna") -> dict[str, Any]:
    return (await bench.rows("SELECT * FROM customers WHERE customer_id = :id", id=customer_id))[0]


async def test_orders_are_kept_and_counted(bench: Bench) -> None:
    now = bench.clock.now()
    await bench.does("order_placed", about="O-1", at=now - DAY, total=49.9, products=["cup"])
    await bench.does("order_placed", about="O-2", total="100.10", codes=["A", "B"])
    await bench.does("order_cancelled", about="O-1")
    await bench.does("order_refunded", about="O-2", amount=20)

    kept = await bench.rows('SELECT "order", status, net, products, codes FROM orders ORDER BY "order"')
    assert [tuple(row.values()) for row in kept] == [
        ("O-1", "cancelled", Decimal("0.00"), ["cup"], []),
        ("O-2", "placed", Decimal("80.10"), [], ["A", "B"]),
    ]
    anna = await known(bench)
    assert (anna["orders"], anna["revenue"], anna["last_order_at"]) == (1, Decimal("80.10"), now)


async def test_a_cancellation_that_comes_alone_waits_for_its_order(bench: Bench) -> None:
    await bench.does("order_cancelled", about="O-1")
    await bench.does("order_placed", about="O-1", total=5)

    anna = await known(bench)
    assert (anna["orders"], anna["revenue"], anna["last_order_at"]) == (0, Decimal(0), None)


async def test_the_first_touch_is_the_earliest_whenever_it_is_heard_of(bench: Bench) -> None:
    now = bench.clock.now()
    await bench.does("order_placed", at=now)
    await bench.does(
        "page_viewed", at=now - 3 * DAY, utm_source="newsletter", utm_medium="email", utm_campaign="spring"
    )
    await bench.does("page_viewed", at=now - DAY, utm_source="ads")

    touch = (await known(bench))["first_touch"]
    assert (touch["event"], touch["source"], touch["medium"], touch["campaign"]) == (
        "page_viewed", "newsletter", "email", "spring",
    )  # fmt: skip


async def test_the_clocks_of_silence_hear_what_the_customer_did_and_nothing_else(bench: Bench) -> None:
    now = bench.clock.now()
    await bench.does("order_placed", at=now - 2 * DAY)
    await bench.does("page_viewed", at=now - DAY)
    await bench.does("stage_entered", at=now, source="tropa")
    await bench.does("message_clicked", at=now, source="tropa", grade="machine")

    anna = await known(bench)
    assert (anna["last_active_at"], anna["engaged_at"]) == (now - DAY, now - DAY)

    await bench.does("message_clicked", at=now, source="tropa", grade="human")
    anna = await known(bench)
    assert (anna["last_active_at"], anna["engaged_at"]) == (now, now)


async def test_two_who_are_one_have_one_history_of_orders(bench: Bench) -> None:
    now = bench.clock.now()
    await bench.a_customer("visitor")
    await bench.does("page_viewed", "visitor", at=now - 5 * DAY)
    for who, order in (("anna", "O-1"), ("anna", "O-2"), ("visitor", "O-2"), ("visitor", "O-3")):
        await bench.does("order_placed", who, about=order, at=now - DAY, total=10)
    await bench.merge("anna", "visitor")

    anna = await known(bench)
    assert (anna["orders"], anna["revenue"], anna["last_order_at"]) == (3, Decimal("30.00"), now - DAY)
    assert anna["first_touch"]["event"] == "page_viewed"
    assert anna["engagement"] > 30


async def test_deals_that_are_won_are_purchases_and_lead_on_in_life(bench: Bench) -> None:
    bench = bench.with_stages()
    await bench.does("deal_won", about="D-1", deal="D-1", amount=900)
    first = await known(bench)
    await bench.does("deal_won", about="D-2", deal="D-2", amount=100)

    anna = await known(bench)
    assert (first["stage"], anna["stage"]) == ("purchase", "loyalty")
    assert (anna["orders"], anna["revenue"], anna["last_order_at"]) == (2, Decimal("1000.00"), bench.clock.now())


async def test_calls_meetings_tickets_and_what_is_bought_at_the_till_are_events_like_any_other(bench: Bench) -> None:
    bench = bench.with_stages()
    for name, source in (("call_held", "telephony"), ("meeting_held", "calendar"), ("ticket_closed", "desk")):
        await bench.does(name, source=source)
    await bench.does("feature_used", source="product")
    await bench.does("order_placed", about="T-1", source="till", total=12)

    anna = await known(bench)
    assert (anna["first_touch"]["event"], anna["first_touch"]["source"]) == ("call_held", "telephony")
    assert (anna["stage"], anna["orders"], anna["revenue"]) == ("purchase", 1, Decimal("12.00"))
    assert anna["engagement"] == 6 + 6 + 1 + 10  # a call, a meeting, a use, an order
    told = await bench.rows("SELECT name FROM events WHERE source <> 'tropa' ORDER BY number")
    assert [row["name"] for row in told][:2] == ["call_held", "meeting_held"]
