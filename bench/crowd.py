"""Invented customers by the million with all that they did, made inside the database."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import asyncpg

Say = Callable[[str], None]

CUSTOMERS = """
    INSERT INTO customers (id, customer_id, email, phone, locale, timezone, preferred_channel, attributes,
        first_seen_at, last_active_at, engagement, engagement_at, stage, stage_since)
    SELECT id, 'customer-' || n || '@example.com', 'customer-' || n || '@example.com', '+4930' || n,
        CASE WHEN u < 0.7 THEN 'en' ELSE 'ru' END, 'Europe/Berlin',
        CASE WHEN u < 0.1 THEN 'whatsapp' WHEN u < 0.3 THEN 'email' END,
        jsonb_build_object('first_name', 'Anna', 'plan', (ARRAY['free', 'team', 'pro'])[1 + n % 3], 'seats', n % 40),
        $2::timestamptz - make_interval(secs => 86400 * 800 * v * v),
        $2 - make_interval(secs => 86400 * 500 * w * w), 30 * v,
        $2 - make_interval(secs => 86400 * 60 * w), (ARRAY['lead', 'customer', 'active', 'sleeping'])[1 + n % 4],
        $2 - make_interval(secs => 86400 * 90 * w)
    FROM (SELECT n, 'cus_' || lpad(to_hex(n), 32, '0') AS id, random() AS u, random() AS v, random() AS w
          FROM generate_series(1, $1::int) AS n)
"""
EVENTS = """
    INSERT INTO events (event_id, customer_id, name, occurred_at, received_at, source, about, properties, digest,
        customer, number)
    SELECT 'event-' || n, 'customer-' || c || '@example.com', name, at, at, 'shop', 'product-' || n % 1000,
        CASE name
            WHEN 'message_opened' THEN jsonb_build_object('grade', CASE WHEN n % 3 = 0 THEN 'human' ELSE 'machine' END,
                'message', 'note', 'channel', 'email')
            WHEN 'order_placed' THEN jsonb_build_object('order', n, 'total', n % 300, 'currency', 'EUR')
            ELSE jsonb_build_object('price', n % 500, 'currency', 'EUR', 'category', 'c' || n % 20, 'list', 'spring')
        END, '', 'cus_' || lpad(to_hex(c), 32, '0'), n
    FROM (
        SELECT n, 1 + floor($1::int * power(random(), 2))::int AS c,
            $2::timestamptz - make_interval(secs => 86400 * 500 * power(random(), 2)) AS at,
            (ARRAY['page_viewed', 'page_viewed', 'page_viewed', 'page_viewed', 'page_viewed', 'page_viewed',
                'page_viewed', 'page_viewed', 'product_viewed', 'product_viewed', 'product_viewed', 'product_viewed',
                'message_opened', 'message_opened', 'message_opened', 'message_clicked', 'cart_updated', 'cart_updated',
                'order_placed', 'complaint_opened'])[1 + floor(20 * random())::int] AS name
        FROM generate_series($3::int, $4::int) AS n
    )
"""
ORDERS = """
    INSERT INTO orders (customer, "order", placed_at, status, gross, refunded, rate, net, currency, products, codes)
    SELECT customer, properties ->> 'order', occurred_at, CASE WHEN number % 20 = 0 THEN 'refunded' ELSE 'placed' END,
        (properties ->> 'total')::numeric, 0, 1, (properties ->> 'total')::numeric, 'EUR', ARRAY[about],
        CASE WHEN number % 4 = 0 THEN ARRAY['SPRING'] ELSE '{}' END
    FROM events WHERE name = 'order_placed'
"""
TOTALS = """
    UPDATE customers c SET orders = o.count, revenue = o.worth, last_order_at = o.last FROM (
        SELECT customer, count(*) AS count, sum(net) AS worth, max(placed_at) AS last
        FROM orders WHERE status = 'placed' GROUP BY customer) AS o
    WHERE c.id = o.customer
"""
CONSENTS = """
    INSERT INTO consents (customer, channel, status, at, source)
    SELECT id, channel, CASE WHEN random() < 0.8 THEN 'granted' ELSE 'denied' END, first_seen_at, 'form'
    FROM customers CROSS JOIN unnest(ARRAY['email', 'whatsapp']) AS channel
"""
ENROLLMENTS = """
    INSERT INTO enrollments (id, customer, journey, about, cause, started_at, ended_at)
    SELECT 'enr_' || id, id, 'Trial', '', 'crowd', first_seen_at, first_seen_at FROM customers
"""
SENDS = """
    INSERT INTO sends (id, enrollment, customer, message, visit, leg, purpose, kind, priority, state, channel,
        wished_at, expires_at, slot_at, rule, called_at, recipient, seen_at)
    SELECT uuidv7(), 'enr_' || id, id, 'note', visit, 0, 'value', 'scheduled', 3, 'accepted',
        CASE WHEN visit = 2 THEN 'whatsapp' ELSE 'email' END, at, at, at, 'sent', at, email,
        CASE WHEN random() < 0.3 THEN at END
    FROM (SELECT id, email, visit, $1::timestamptz - make_interval(secs => 86400 * 200 * random()) AS at
          FROM customers, generate_series(1, 3) AS visit)
"""
RFM = """
    INSERT INTO rfm (customer, as_of, recency_days, frequency, monetary, r, f, m, segment, effective_segment, since,
        vip, one_off)
    SELECT id, $1::timestamptz, extract(day FROM $1::timestamptz - last_order_at), orders, revenue,
        1 + (hashtext(id) & 3), 1 + least(orders, 4), 1 + least(revenue / 200, 4), segment, segment, $1::timestamptz,
        percent_rank() OVER (ORDER BY revenue) >= 0.9, orders = 1
    FROM (SELECT *, (ARRAY['champions', 'loyal', 'potential', 'at_risk', 'hibernating', 'lost'])[1 + (hashtext(id) & 3)
            + orders % 3] AS segment FROM customers WHERE orders > 0)
"""
CHUNK = 1_000_000


async def invent(connection: "asyncpg.Connection[Any]", customers: int, events: int, now: datetime, say: Say) -> None:
    """That many customers and events, and orders, consents, RFM and messages to match. Indexes of events come last."""
    await connection.execute("SET session_replication_role = replica")  # past the checks of foreign keys
    await connection.execute("SET synchronous_commit = off")
    await connection.execute("SET work_mem = '256MB'")
    await connection.execute("SET maintenance_work_mem = '512MB'")
    indexes = await connection.fetch(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'events' AND indexname LIKE 'events_%_idx'"
    )
    for index in indexes:
        await connection.execute(f"DROP INDEX {index['indexname']}")
    await connection.execute(CUSTOMERS, customers, now)
    for first in range(1, events + 1, CHUNK):
        last = min(first + CHUNK - 1, events)
        await connection.execute(EVENTS, customers, now, first, last)
        say(f"{last:,} events ...")
    for index in indexes:
        await connection.execute(index["indexdef"])
    await connection.execute(ORDERS)
    await connection.execute(TOTALS)
    await connection.execute(CONSENTS)
    await connection.execute(ENROLLMENTS)
    await connection.execute(SENDS, now)
    await connection.execute(RFM, now)
    await connection.execute("VACUUM ANALYZE")
