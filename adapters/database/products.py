"""SQL for the product feed: kept by the batch, listed for people, and looked up for the lists of one letter at once."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database.statements import text
from domain.products import Listing


async def keep(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]], at: datetime) -> int:
    """Write products as they are now, each in the place of what was known of it. Answers how many are new or changed.

    Ids differ. One that was withdrawn is back. Always in the order of the ids, so that two feeds cannot deadlock.
    """
    changed = await connection.execute(
        text("""
            INSERT INTO products AS known (id, name, category, price, currency, url, image, rating, stock, available,
                                           attributes, related, updated_at)
            SELECT p.id, p.name, p.category, p.price, p.currency, p.url, p.image, p.rating, p.stock, p.available,
                   p.attributes, ARRAY(SELECT jsonb_array_elements_text(p.related)), :at
            FROM jsonb_to_recordset(cast(:rows AS jsonb)) AS p (
                id text, name jsonb, category text, price numeric, currency text, url text, image text, rating numeric,
                stock int, available boolean, attributes jsonb, related jsonb)
            ORDER BY p.id
            ON CONFLICT (id) DO UPDATE SET name = excluded.name, category = excluded.category, price = excluded.price,
                currency = excluded.currency, url = excluded.url, image = excluded.image, rating = excluded.rating,
                stock = excluded.stock, available = excluded.available, attributes = excluded.attributes,
                related = excluded.related, updated_at = excluded.updated_at, withdrawn_at = NULL
            WHERE (known.name, known.category, known.price, known.currency, known.url, known.image, known.rating,
                   known.stock, known.available, known.attributes, known.related, known.withdrawn_at)
                IS DISTINCT FROM
                  (excluded.name, excluded.category, excluded.price, excluded.currency, excluded.url, excluded.image,
                   excluded.rating, excluded.stock, excluded.available, excluded.attributes,
                   excluded.related, cast(NULL AS timestamptz))
            RETURNING 1
        """),
        {"rows": msgspec.json.encode(rows).decode(), "at": at},
    )
    return len(changed.all())


async def get(connection: AsyncConnection, product: str) -> RowMapping | None:
    """One product, withdrawn or not."""
    rows = await connection.execute(text("SELECT * FROM products WHERE id = :id"), {"id": product})
    return rows.mappings().one_or_none()


async def page(
    connection: AsyncConnection, *, category: str | None, after: str, withdrawn: bool, limit: int
) -> Sequence[RowMapping]:
    """Products by their ids, after one of them; of one category where given, and the withdrawn ones where wanted."""
    rows = await connection.execute(
        text(f"""
            SELECT * FROM products WHERE id > :after
              {"" if withdrawn else "AND withdrawn_at IS NULL"} {"" if category is None else "AND category = :category"}
            ORDER BY id LIMIT :limit
        """),  # noqa: S608  our own words
        {"after": after, "limit": limit} | ({} if category is None else {"category": category}),
    )
    return rows.mappings().all()


async def withdraw(connection: AsyncConnection, product: str, at: datetime) -> bool:
    """Show it no more; its name stays known. False where there is none."""
    rows = await connection.execute(
        text("UPDATE products SET withdrawn_at = coalesce(withdrawn_at, :at) WHERE id = :id RETURNING 1"),
        {"id": product, "at": at},
    )
    return rows.first() is not None


# In each branch `place` orders a list; `of` says which branch a list takes.
_LISTED = text("""
    WITH named AS (
        SELECT p.*, n.place FROM unnest(cast(:named AS text[])) WITH ORDINALITY AS n (named, place)
        JOIN products p ON p.id = n.named
    ), wanted AS (
        SELECT * FROM unnest(cast(:lists AS text[]), cast(:sources AS text[]), cast(:orders AS text[]),
                             cast(:categories AS jsonb[]), cast(:mosts AS int[]))
            AS w (list, source, by, category, most)
    ), bought AS (
        SELECT unnest(o.products) AS id FROM orders o
        WHERE o.customer = :customer AND o.placed_at > :since AND o.status = 'placed'
    ), related AS (
        SELECT r.id, min(ARRAY[r.place, n.place]) AS place
        FROM named n CROSS JOIN LATERAL unnest(n.related) WITH ORDINALITY AS r (id, place) GROUP BY r.id
    )
    SELECT w.list, found.* FROM wanted w CROSS JOIN LATERAL (
        (SELECT n.id, n.name, n.category, n.price, n.currency, n.url, n.image, n.rating, n.stock, n.attributes,
                n.available AND n.withdrawn_at IS NULL AS available, n.place
         FROM named n WHERE w.source = 'event')
        UNION ALL
        (SELECT id, name, category, price, currency, url, image, rating, stock, attributes, true,
                row_number() OVER (ORDER BY
                    CASE w.by WHEN 'value' THEN by_rating + by_price WHEN 'price' THEN by_price ELSE by_rating END,
                    by_price, by_rating, id)
         FROM (SELECT p.*, rank() OVER (PARTITION BY category ORDER BY rating DESC NULLS LAST) AS by_rating,
                      rank() OVER (PARTITION BY category ORDER BY price NULLS LAST) AS by_price
               FROM products p
               WHERE w.source = 'category' AND p.withdrawn_at IS NULL AND p.available AND p.category <> ''
                 AND p.category = ANY(CASE WHEN w.category = '[]' THEN ARRAY(SELECT category FROM named)
                                      ELSE ARRAY(SELECT jsonb_array_elements_text(w.category)) END)) AS ranked
         WHERE id NOT IN (SELECT id FROM bought)
         ORDER BY 12 LIMIT w.most)
        UNION ALL
        (SELECT p.id, p.name, p.category, p.price, p.currency, p.url, p.image, p.rating, p.stock, p.attributes, true,
                row_number() OVER (ORDER BY r.place, p.id)
         FROM related r JOIN products p ON p.id = r.id
         WHERE w.source = 'accessories' AND p.withdrawn_at IS NULL AND p.available
           AND p.id NOT IN (SELECT id FROM bought) AND p.id <> ALL(cast(:named AS text[]))
         ORDER BY 12 LIMIT w.most)
    ) AS found ORDER BY w.list, found.place
""")


async def of_lists(
    connection: AsyncConnection,
    lists: Mapping[str, Listing],
    *,
    named: Sequence[str],
    categories: Sequence[str],
    customer: str,
    since: datetime,
) -> dict[str, list[RowMapping]]:
    """The rows of each list, in its order: one query for a letter.

    `named` are the products that the event names, `categories` its own; what `customer` bought since an instant is not
    offered. A list of *event* is not shortened here: who asks knows of products that are not in the feed.
    """
    asked = list(lists.items())
    rows = await connection.execute(
        _LISTED,
        {
            "named": list(named),
            "customer": customer,
            "since": since,
            "lists": [name for name, _ in asked],
            "sources": [listing.of.value for _, listing in asked],
            "orders": [listing.by.value for _, listing in asked],
            "categories": [_json([listing.category] if listing.category else categories) for _, listing in asked],
            "mosts": [listing.most for _, listing in asked],
        },
    )
    found: dict[str, list[RowMapping]] = {name: [] for name in lists}
    for row in rows.mappings():
        found[row["list"]].append(row)
    return found


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
