"""SQL for orders."""

from collections.abc import Iterable
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


async def of_customer(connection: AsyncConnection, customer: str) -> dict[str, Order]:
    """All orders of a customer, by name."""
    rows = await connection.execute(
        text("""
            SELECT "order", placed_at, status, gross, refunded, rate, currency, products, codes FROM orders
            WHERE customer = :customer
        """),
        {"customer": customer},
    )
    return {
        row.order: Order(
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
        for row in rows
    }


async def cadence(connection: AsyncConnection, customer: str) -> timedelta | None:
    """How long it is from one day of purchase to the next: the median. None before the third (S9, S56)."""
    rows = await connection.execute(_CADENCE, {"customer": customer})
    found: timedelta | None = rows.scalar_one_or_none()
    return found


async def store(connection: AsyncConnection, customer: str, orders: Iterable[Order]) -> None:
    """Write orders as they are now."""
    await connection.execute(
        text("""
            INSERT INTO orders (customer, "order", placed_at, status, gross, refunded, rate, net, currency, products,
                                codes)
            SELECT :customer, o."order", o.placed_at, o.status, o.gross, o.refunded, o.rate, o.net, o.currency,
                ARRAY(SELECT jsonb_array_elements_text(o.products)), ARRAY(SELECT jsonb_array_elements_text(o.codes))
            FROM jsonb_to_recordset(cast(:orders AS jsonb)) AS o ("order" text, placed_at timestamptz, status text,
                gross numeric, refunded numeric, rate numeric, net numeric, currency text, products jsonb, codes jsonb)
            ON CONFLICT (customer, "order") DO UPDATE SET placed_at = excluded.placed_at, status = excluded.status,
                gross = excluded.gross, refunded = excluded.refunded, rate = excluded.rate, net = excluded.net,
                currency = excluded.currency, products = excluded.products, codes = excluded.codes
        """),
        {"customer": customer, "orders": msgspec.json.encode([_row(order) for order in orders]).decode()},
    )


def _row(order: Order) -> dict[str, object]:
    return {
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
