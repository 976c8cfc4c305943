"""SQL for offers and their codes. A code is given once, to one step of one customer, and used once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database.statements import text
from domain.offers import Discount, Offer, OfferKind, key_of


async def get(connection: AsyncConnection, name: str) -> Offer | None:
    """One offer as it is set up."""
    rows = await connection.execute(text("SELECT * FROM offers WHERE name = :name"), {"name": name})
    row = rows.mappings().one_or_none()
    return _offer(row) if row else None


async def every(connection: AsyncConnection) -> list[Offer]:
    """All offers, by name."""
    rows = await connection.execute(text("SELECT * FROM offers ORDER BY name"))
    return [_offer(row) for row in rows.mappings()]


async def put(connection: AsyncConnection, offer: Offer, at: datetime) -> None:
    """Set an offer up, or anew. Codes that were given stay as they are."""
    await connection.execute(
        text("""
            INSERT INTO offers (name, kind, prefix, percent, amount, currency, words, valid_for, updated_at)
            VALUES (:name, :kind, :prefix, :percent, :amount, :currency, cast(:words AS jsonb), :valid_for, :at)
            ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, prefix = excluded.prefix,
                percent = excluded.percent, amount = excluded.amount, currency = excluded.currency,
                words = excluded.words, valid_for = excluded.valid_for, updated_at = excluded.updated_at
        """),
        {
            "name": offer.name,
            "kind": offer.kind.value,
            "prefix": offer.prefix,
            "percent": offer.discount.percent,
            "amount": offer.discount.amount,
            "currency": offer.discount.currency,
            "words": msgspec.json.encode(offer.discount.words).decode(),
            "valid_for": offer.valid_for,
            "at": at,
        },
    )


def _offer(row: RowMapping) -> Offer:
    return Offer(
        name=row["name"],
        kind=OfferKind(row["kind"]),
        prefix=row["prefix"],
        discount=Discount(
            percent=row["percent"], amount=row["amount"], currency=row["currency"], words=row["words"] or {}
        ),
        valid_for=row["valid_for"],
    )


async def add(connection: AsyncConnection, offer: str, codes: Sequence[str]) -> set[str]:
    """Put codes into a pool, in their order. Answers the keys of those that were new, to this and all other offers."""
    rows = await connection.execute(
        text("""
            INSERT INTO offer_codes (offer, code, key)
            SELECT :offer, code, key FROM unnest(cast(:codes AS text[]), cast(:keys AS text[])) WITH ORDINALITY
                AS given (code, key, place) ORDER BY place
            ON CONFLICT (key) DO NOTHING RETURNING key
        """),
        {"offer": offer, "codes": list(codes), "keys": [key_of(code) for code in codes]},
    )
    return {row.key for row in rows}


@dataclass(frozen=True, kw_only=True)
class Giving:
    """To whom a code is given, at which step (its first leg's send), when, and until when it is good."""

    offer: str
    customer: str
    send: UUID
    at: datetime
    until: datetime


async def given(connection: AsyncConnection, giving: Giving) -> RowMapping | None:
    """The code that this step was given before, if any; where it is asked for anew, it is good as long as a new one."""
    rows = await connection.execute(
        text("""
            UPDATE offer_codes SET valid_until = greatest(valid_until, :until)
            WHERE send = :send AND offer = :offer RETURNING code, valid_until
        """),
        {"send": giving.send, "offer": giving.offer, "until": giving.until},
    )
    return rows.mappings().one_or_none()


async def take(connection: AsyncConnection, giving: Giving) -> RowMapping | None:
    """Take the next free code of a pool; None when none is left. No two take the same, and none waits for another."""
    rows = await connection.execute(
        text("""
            UPDATE offer_codes SET customer = :customer, send = :send, given_at = :at, valid_until = :until
            WHERE id = (
                SELECT id FROM offer_codes WHERE offer = :offer AND given_at IS NULL AND redeemed_at IS NULL
                ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
            RETURNING code, valid_until
        """),
        _values(giving),
    )
    return rows.mappings().one_or_none()


async def write(connection: AsyncConnection, giving: Giving, code: str) -> RowMapping | None:
    """Give a code that was made; None when it is somebody else's already."""
    rows = await connection.execute(
        text("""
            INSERT INTO offer_codes (offer, code, key, customer, send, given_at, valid_until)
            VALUES (:offer, :code, :key, :customer, :send, :at, :until)
            ON CONFLICT (key) DO NOTHING RETURNING code, valid_until
        """),
        {**_values(giving), "code": code, "key": key_of(code)},
    )
    return rows.mappings().one_or_none()


def _values(giving: Giving) -> dict[str, object]:
    return {
        "offer": giving.offer,
        "customer": giving.customer,
        "send": giving.send,
        "at": giving.at,
        "until": giving.until,
    }


async def redeem(connection: AsyncConnection, customer: str, *, order: str, codes: Sequence[str], at: datetime) -> int:
    """An order used codes: each counts once, the first time. Answers how many of ours that were.

    The order is kept where the customer used a code of their own; whoever used another's is nobody else's business. A
    code of a pool that was used before it was given is given to nobody.
    """
    keys = [key for code in codes if (key := key_of(code))]
    if not keys:
        return 0
    rows = await connection.execute(
        text("""
            UPDATE offer_codes SET redeemed_at = :at,
                redeemed_by = CASE WHEN customer = :customer THEN cast(:order AS text) END
            WHERE key = ANY(:keys) AND redeemed_at IS NULL RETURNING 1
        """),
        {"customer": customer, "order": order, "keys": keys, "at": at},
    )
    return len(rows.all())


async def of_customer(connection: AsyncConnection, customer: str, limit: int) -> Sequence[RowMapping]:
    """The codes that a customer was given, newest first."""
    rows = await connection.execute(
        text("""
            SELECT offer, code, given_at, valid_until, redeemed_at FROM offer_codes
            WHERE customer = :customer AND given_at IS NOT NULL ORDER BY given_at DESC LIMIT :limit
        """),
        {"customer": customer, "limit": limit},
    )
    return rows.mappings().all()


async def find(connection: AsyncConnection, code: str) -> RowMapping | None:
    """A code, however it is typed: when it was given, until when it is good, and whether it was used. Not whose."""
    rows = await connection.execute(
        text("SELECT offer, code, given_at, valid_until, redeemed_at FROM offer_codes WHERE key = :key"),
        {"key": key_of(code)},
    )
    return rows.mappings().one_or_none()


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How the codes of an offer stand. `expired` were given, not used, and are over; `left` wait in the pool."""

    given: int = 0
    redeemed: int = 0
    expired: int = 0
    left: int = 0


async def counts(connection: AsyncConnection, offer: str | None, now: datetime) -> dict[str, Counts]:
    """By offer; of one, or of all that have codes."""
    rows = await connection.execute(
        text("""
            SELECT offer, count(given_at) AS given, count(redeemed_at) AS redeemed,
                   count(*) FILTER (WHERE redeemed_at IS NULL AND valid_until <= :now) AS expired,
                   count(*) FILTER (WHERE given_at IS NULL AND redeemed_at IS NULL) AS "left"
            FROM offer_codes WHERE cast(:offer AS text) IS NULL OR offer = :offer GROUP BY offer
        """),
        {"offer": offer, "now": now},
    )
    return {row.pop("offer"): Counts(**row) for row in (dict(each) for each in rows.mappings())}


async def release(connection: AsyncConnection, messages: Sequence[tuple[str, str, str]], rules: Sequence[str]) -> int:
    """Tell walks to ask again whose messages (journey, message, offer) are held by these rules and have a code by now:
    of a pool as many as it has codes, the longest waiting first. None is told twice. Answers how many."""
    rows = await connection.execute(
        text("""
            WITH waiting AS (
                SELECT s.enrollment, given.offer,
                       row_number() OVER (PARTITION BY given.offer ORDER BY s.wished_at, s.id) AS place,
                       EXISTS (SELECT FROM dispatches d WHERE d.enrollment = s.enrollment
                               AND d.kind = 'released' AND d.done_at IS NULL) AS told
                FROM sends s JOIN enrollments e ON e.id = s.enrollment
                JOIN unnest(cast(:journeys AS text[]), cast(:messages AS text[]), cast(:offers AS text[]))
                    AS given (journey, message, offer) ON given.journey = e.journey AND given.message = s.message
                WHERE s.state = 'held' AND s.rule = ANY(:rules) AND e.ended_at IS NULL
            )
            INSERT INTO dispatches (enrollment, kind)
            SELECT DISTINCT w.enrollment, 'released' FROM waiting w JOIN offers o ON o.name = w.offer
            WHERE NOT w.told AND (o.kind = 'generated' OR w.place <= (
                SELECT count(*) FROM offer_codes c
                WHERE c.offer = o.name AND c.given_at IS NULL AND c.redeemed_at IS NULL))
            RETURNING 1
        """),
        {
            "journeys": [journey for journey, _, _ in messages],
            "messages": [message for _, message, _ in messages],
            "offers": [offer for _, _, offer in messages],
            "rules": list(rules),
        },
    )
    return len(rows.all())
