"""SQL for merging two profiles of one customer. The caller holds both locks."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database.personal import HELD, Joined
from adapters.database.tasks import LONGEST
from domain.engagement import HALF_LIFE


async def doubled_walks(connection: AsyncConnection, customer: str, other: str) -> Sequence[str]:
    """Of open enrollments that both have in one journey about one thing, the younger ones."""
    rows = await connection.execute(
        text("""
            SELECT CASE WHEN (a.started_at, a.id) > (b.started_at, b.id) THEN a.id ELSE b.id END AS younger
            FROM enrollments a JOIN enrollments b ON b.journey = a.journey AND b.about = a.about
            WHERE a.customer = :customer AND b.customer = :other AND a.ended_at IS NULL AND b.ended_at IS NULL
            ORDER BY younger
        """),
        {"customer": customer, "other": other},
    )
    return [row.younger for row in rows]


async def ask_again(connection: AsyncConnection, customers: Sequence[str]) -> None:
    """Take slots back that were reserved and not used: they were given without knowing of the other's touches."""
    await connection.execute(
        text("""
            UPDATE sends SET state = 'deferred', rule = 'merged'
            WHERE customer = ANY(:customers) AND state = 'reserved'
        """),
        {"customers": list(customers)},
    )


async def move(connection: AsyncConnection, merged: RowMapping, into: RowMapping, at: datetime) -> None:
    """Move all that a profile has to another one, except consents; the profile itself becomes an alias."""
    both = {"merged": merged["id"], "into": into["id"]}
    # The moved events come after all that the other one has, so numbers still grow for whoever counts by them. Its own
    # open walks count from there: what the merged profile did before is no news to them.
    shift = into["events"]
    if merged["events"]:
        await connection.execute(
            text("UPDATE enrollments SET after_event = :last WHERE customer = :into AND ended_at IS NULL"),
            {"into": into["id"], "last": into["events"] + merged["events"]},
        )
    await connection.execute(
        text("""
            UPDATE enrollments SET customer = :into, after_event = after_event + :shift WHERE customer = :merged
        """),
        {**both, "shift": shift},
    )
    await connection.execute(
        text("UPDATE events SET customer = :into, number = number + :shift WHERE customer = :merged"),
        {**both, "shift": shift},
    )
    for table, held in HELD.items():
        if held.joined is Joined.MOVED:
            await connection.execute(
                text(f"UPDATE {table} SET customer = :into WHERE customer = :merged"),  # noqa: S608  our own words
                both,
            )
        if held.joined is Joined.MADE_ANEW:
            statement = f"DELETE FROM {table} WHERE customer = :merged"  # noqa: S608  our own words
            await connection.execute(text(statement), {"merged": merged["id"]})
    await connection.execute(
        text("""
            UPDATE customers c SET
                email = coalesce(c.email, m.email), phone = coalesce(c.phone, m.phone),
                locale = coalesce(c.locale, m.locale), timezone = coalesce(c.timezone, m.timezone),
                preferred_channel = coalesce(c.preferred_channel, m.preferred_channel),
                trouble = coalesce(c.trouble, m.trouble),
                frequency = CASE WHEN 'monthly' IN (c.frequency, m.frequency) THEN 'monthly'
                    ELSE coalesce(c.frequency, m.frequency) END,
                snoozed_until = greatest(c.snoozed_until, m.snoozed_until),
                last_active_at = greatest(c.last_active_at, m.last_active_at),
                attributes = m.attributes || c.attributes, needs = m.needs || c.needs,
                owner = coalesce(c.owner, m.owner), company = coalesce(c.company, m.company),
                buying_role = CASE WHEN c.company IS NULL OR c.company = m.company
                    THEN coalesce(c.buying_role, m.buying_role) ELSE c.buying_role END,
                first_seen_at = least(c.first_seen_at, m.first_seen_at), events = c.events + m.events,
                engaged_at = greatest(c.engaged_at, m.engaged_at),
                engagement_at = greatest(c.engagement_at, m.engagement_at),
                engagement = c.engagement * power(2, coalesce(extract(
                        epoch FROM c.engagement_at - greatest(c.engagement_at, m.engagement_at)), 0) / :half_life)
                    + m.engagement * power(2, coalesce(extract(
                        epoch FROM m.engagement_at - greatest(c.engagement_at, m.engagement_at)), 0) / :half_life),
                first_touch = CASE WHEN cast(m.first_touch ->> 'at' AS timestamptz)
                        < cast(c.first_touch ->> 'at' AS timestamptz) THEN m.first_touch
                    ELSE coalesce(c.first_touch, m.first_touch) END,
                feature_used_at = greatest(c.feature_used_at, m.feature_used_at),
                activated_at = least(c.activated_at, m.activated_at),
                forgotten_until = greatest(c.forgotten_until, m.forgotten_until)
            FROM customers m WHERE c.id = :into AND m.id = :merged
        """),
        {**both, "half_life": HALF_LIFE.total_seconds()},
    )
    await _join_stages(connection, both, at)
    await _join_orders(connection, both)
    await _join_assignments(connection, both)
    await _join_segments(connection, both)
    await _join_addresses(connection, both)
    await _join_answers(connection, into["id"], at)
    await connection.execute(text("DELETE FROM consents WHERE customer = :merged"), {"merged": merged["id"]})
    await connection.execute(text("DELETE FROM customers WHERE id = :merged"), {"merged": merged["id"]})
    await connection.execute(
        text("""
            INSERT INTO customer_aliases (id, customer, customer_id, merged_at)
            VALUES (:merged, :into, :customer_id, :at)
        """),
        {**both, "customer_id": merged["customer_id"], "at": at},
    )


async def _join_orders(connection: AsyncConnection, both: dict[str, str]) -> None:
    """Each once, by its name; what both knew of, as the other one knew it."""
    await connection.execute(
        text("""
            DELETE FROM orders o WHERE customer = :merged AND EXISTS (
                SELECT 1 FROM orders known WHERE known.customer = :into AND known."order" = o."order")
        """),
        both,
    )
    await connection.execute(text("UPDATE orders SET customer = :into WHERE customer = :merged"), both)
    await connection.execute(
        text("""
            UPDATE customers c SET orders = o.stand, revenue = o.worth, last_order_at = o.last FROM (
                SELECT count(*) AS stand, coalesce(sum(net), 0) AS worth, max(placed_at) AS last FROM orders
                WHERE customer = :into AND status = 'placed' AND currency <> '') AS o
            WHERE c.id = :into
        """),
        {"into": both["into"]},
    )


async def _join_assignments(connection: AsyncConnection, both: dict[str, str]) -> None:
    """What either saw, they saw; where they saw two variants of one thing, the other one's counts."""
    await connection.execute(
        text("""
            INSERT INTO assignments (customer, experiment, variant, exposed_at)
            SELECT :into, experiment, variant, exposed_at FROM assignments WHERE customer = :merged
            ON CONFLICT DO NOTHING
        """),
        both,
    )
    await connection.execute(text("DELETE FROM assignments WHERE customer = :merged"), {"merged": both["merged"]})


async def _join_stages(connection: AsyncConnection, both: dict[str, str], at: datetime) -> None:
    """Where either came furthest, they are. Both their ways there stay on record."""
    await connection.execute(
        text("""
            UPDATE stage_visits v SET exited_at = :at WHERE exited_at IS NULL AND customer IN (:into, :merged)
              AND EXISTS (SELECT 1 FROM stage_visits w WHERE w.exited_at IS NULL AND w.model = v.model
                          AND w.customer IN (:into, :merged)
                          AND (w.rank, w.customer = :into) > (v.rank, v.customer = :into))
        """),
        {**both, "at": at},
    )
    await connection.execute(
        text("""
            UPDATE customers c SET stage = m.stage, stage_since = m.stage_since FROM customers m
            WHERE c.id = :into AND m.id = :merged AND m.stage IS NOT NULL AND EXISTS (
                SELECT 1 FROM stage_visits v WHERE v.customer = :merged AND v.exited_at IS NULL
                  AND v.stage = m.stage AND v.entered_at = m.stage_since)
        """),
        both,
    )
    await connection.execute(text("UPDATE stage_visits SET customer = :into WHERE customer = :merged"), both)


async def _join_segments(connection: AsyncConnection, both: dict[str, str]) -> None:
    """In all where either was, until they are found anew: nobody enters where they were already."""
    await connection.execute(
        text("""
            INSERT INTO segment_members AS mine (segment, customer, since)
            SELECT segment, :into, since FROM segment_members WHERE customer = :merged
            ON CONFLICT (segment, customer) DO UPDATE SET since = least(mine.since, excluded.since)
        """),
        both,
    )
    await connection.execute(text("DELETE FROM segment_members WHERE customer = :merged"), {"merged": both["merged"]})


async def _join_addresses(connection: AsyncConnection, both: dict[str, str]) -> None:
    """All that either has; but a chat is a customer's only one, and their own stays."""
    await connection.execute(
        text("""
            INSERT INTO addresses AS mine (customer, channel, address, keys, added_at, last_inbound_at)
            SELECT :into, channel, address, keys, added_at, last_inbound_at FROM addresses theirs
            WHERE customer = :merged AND NOT (channel = 'telegram' AND EXISTS (
                SELECT 1 FROM addresses a
                WHERE a.customer = :into AND a.channel = 'telegram' AND a.address <> theirs.address))
            ON CONFLICT (customer, channel, address) DO UPDATE SET
                keys = CASE WHEN excluded.added_at > mine.added_at THEN excluded.keys ELSE mine.keys END,
                added_at = greatest(mine.added_at, excluded.added_at),
                last_inbound_at = greatest(mine.last_inbound_at, excluded.last_inbound_at)
        """),
        both,
    )
    await connection.execute(text("DELETE FROM addresses WHERE customer = :merged"), {"merged": both["merged"]})


async def _join_answers(connection: AsyncConnection, customer: str, at: datetime) -> None:
    """Both may have had a task to answer them: the older one goes on with the words of both (S63)."""
    await connection.execute(
        text("""
            WITH given AS (
                SELECT id, text, times, row_number() OVER (ORDER BY created_at, id) AS place FROM tasks
                WHERE customer = :customer AND cause = 'reply' AND closed_at IS NULL
            ), dropped AS (
                UPDATE tasks t SET closed_at = :at, outcome = 'dropped' FROM given WHERE t.id = given.id AND place = 2
            )
            UPDATE tasks t SET text = left(t.text || E'\\n\\n' || other.text, :longest), times = t.times + other.times
            FROM given mine, given other WHERE t.id = mine.id AND mine.place = 1 AND other.place = 2
        """),
        {"customer": customer, "at": at, "longest": LONGEST},
    )
