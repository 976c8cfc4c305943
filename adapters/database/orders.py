"""SQL for orders."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database.statements import text
from domain.orders import Order

_CADENCE = text("""
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY gap) FROM (
        SELECT day - lag(day) OVER (ORDER BY day) AS gap FROM (
            SELECT DISTINCT date_trunc('day', placed_at) AS day FROM orders
            WHERE customer = :customer AND status = 'placed') AS days
    ) AS gaps HAVING count(gap) > 1
""")


async def of_customers(connection: AsyncConnection, customers: Sequence[str]) -> dict[str, dict[str, Order]]:
    """All orders of customers, by customer and name."""
    rows = await connection.execute(
        text("""
            SELECT customer, "order", placed_at, status, gross, refunded, rate, currency, products, codes FROM orders
            WHERE customer = ANY(:customers)
        """),
        {"customers": list(customers)},
    )
    found: dict[str, dict[str, Order]] = {customer: {} for customer in customers}
    for row in rows:
        found[row.customer][row.order] = Order(
            order=row.order,
            placed_at=row.placed_at,
            gross=row.gross,
            refunded=row.refunded,
            rate=row.rate,
            currency=row.currency,
            products=tuple(row.products),
            codes=tuple(row.codes),
            cancelled=row.status == "cancelled",
            told=row.currency != "",
        )
    return found


async def cadence(connection: AsyncConnection, customer: str) -> timedelta | None:
    """How long it is from one day of purchase to the next: the median. None before the third (S9, S56)."""
    rows = await connection.execute(_CADENCE, {"customer": customer})
    found: timedelta | None = rows.scalar_one_or_none()
    return found


async def store(connection: AsyncConnection, changed: Iterable[tuple[str, Order]]) -> None:
    """Write customers' orders as they are now."""
    await connection.execute(
        text("""
            INSERT INTO orders (customer, "order", placed_at, status, gross, refunded, rate, net, currency, products,
                                codes)
            SELECT o.customer, o."order", o.placed_at, o.status, o.gross, o.refunded, o.rate, o.net, o.currency,
                o.products, o.codes
            FROM jsonb_populate_recordset(NULL::orders, cast(:orders AS jsonb)) AS o
            ON CONFLICT (customer, "order") DO UPDATE SET placed_at = excluded.placed_at, status = excluded.status,
                gross = excluded.gross, refunded = excluded.refunded, rate = excluded.rate, net = excluded.net,
                currency = excluded.currency, products = excluded.products, codes = excluded.codes
        """),
        {"orders": msgspec.json.encode([_row(customer, order) for customer, order in changed]).decode()},
    )


def _row(customer: str, order: Order) -> dict[str, object]:
    return {
        "customer": customer,
        "order": order.order,
        "placed_at": order.placed_at,
        "status": order.status,
        "gross": order.gross,
        "refunded": order.refunded,
        "rate": order.rate,
        "net": order.net,
        "currency": order.currency if order.told else "",
        "products": order.products,
        "codes": order.codes,
    }
