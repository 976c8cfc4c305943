"""SQL for double opt-in: events tell what was asked for in somebody's name, and what they confirmed."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database.statements import text
from adapters.database.unapplied import PENDING
from domain.customers import Frequency
from domain.events import OPT_IN_REQUESTED
from domain.messages import Channel
from domain.opt_ins import OPT_IN, Wish, strictest
from domain.visits import DOWNLOADED

MOST = 30  # shown on one page, the newest; strangers cannot think of so many kinds

# What happened to a customer, projected or not: an answer counts at once.
_THEIRS = f"""
    SELECT id, name, source, about, occurred_at AS at, properties FROM events
    WHERE customer = :customer AND number IS NOT NULL AND name = ANY(:names) AND occurred_at > :since
    UNION ALL
    SELECT id, name, source, about, occurred_at, properties FROM events
    WHERE {PENDING} AND name = ANY(:names) AND occurred_at > :since
"""  # noqa: S608  our own words

_WAITING = f"""
    WITH theirs AS ({_THEIRS}), asked AS (
        SELECT id, at, coalesce(properties ->> 'source', source) AS source, coalesce(properties ->> 'form', '') AS form,
            coalesce(properties ->> 'wording', '') AS wording, coalesce(properties ->> 'proof', '') AS proof,
            coalesce(properties ->> 'topic', '') AS topic, properties ->> 'frequency' AS frequency,
            properties ->> 'visitor' AS visitor, properties ? 'magnet' AS gives
        FROM theirs WHERE name = :requested AND properties ->> 'channel' = :channel
    ), wishes AS (
        SELECT false AS gift, * FROM asked
        WHERE (form = '' OR wording <> '') AND (cast(:word_at AS timestamptz) IS NULL OR at > :word_at)
        UNION ALL
        SELECT true, id, at, source, form, '', proof, '', NULL, visitor, gives FROM asked
        WHERE gives AND NOT EXISTS (
            SELECT FROM theirs given WHERE given.name = :given AND given.source = :opt_in
                AND given.about = asked.form AND given.at >= asked.at)
    )
    SELECT gift, source, form, wording, topic, min(at) AS at,
        (array_agg(id ORDER BY at, id))[1]::text AS id, (array_agg(proof ORDER BY at, id))[1] AS proof,
        array_agg(DISTINCT frequency) FILTER (WHERE frequency = ANY(:frequencies)) AS frequencies,
        CASE WHEN min(visitor) = max(visitor) AND count(*) = count(visitor) THEN min(visitor) END AS visitor
    FROM wishes GROUP BY gift, source, form, wording, topic ORDER BY max(at) DESC, id LIMIT :most
"""  # noqa: S608  our own words


async def waiting(
    connection: AsyncConnection, customer: str, *, since: datetime, word_at: datetime | None
) -> Sequence[Wish]:
    """What was asked for after an instant and not answered, the oldest first.

    A word about email, given at `word_at`, answers every wish for letters before it, be it yes or no; a gift handed out
    answers the wishes for it.
    """
    rows = await connection.execute(
        text(_WAITING),
        {
            "customer": customer,
            "names": [OPT_IN_REQUESTED, DOWNLOADED],
            "since": since,
            "requested": OPT_IN_REQUESTED,
            "channel": Channel.EMAIL.value,
            "word_at": word_at,
            "given": DOWNLOADED,
            "opt_in": OPT_IN,
            "frequencies": list(Frequency),
            "most": MOST,
        },
    )
    wishes = []
    for row in map(dict, rows.mappings()):
        frequencies = row.pop("frequencies") or ()
        wishes.append(Wish(**row, frequency=strictest(map(Frequency, frequencies))))
    return sorted(wishes, key=lambda wish: (wish.at, wish.id, not wish.gift))


async def given(connection: AsyncConnection, customer: str, *, since: datetime) -> Sequence[str]:
    """The forms whose gifts were handed out after an instant, by name."""
    rows = await connection.execute(
        text(f"SELECT DISTINCT about FROM ({_THEIRS}) AS theirs WHERE source = :opt_in ORDER BY about"),  # noqa: S608
        {"customer": customer, "names": [DOWNLOADED], "since": since, "opt_in": OPT_IN},
    )
    return [row.about for row in rows]


async def was_asked(
    connection: AsyncConnection, customer: str, since: datetime, source: str, wording: str, proof: str
) -> bool:
    """Whether these very words were asked after an instant."""
    rows = await connection.execute(
        text(f"""
            SELECT EXISTS (SELECT FROM ({_THEIRS}) AS theirs WHERE properties ->> 'channel' = :channel
                AND coalesce(properties ->> 'source', source) = :source
                AND coalesce(properties ->> 'wording', '') = :wording AND coalesce(properties ->> 'proof', '') = :proof)
        """),  # noqa: S608  our own words
        {
            "customer": customer,
            "names": [OPT_IN_REQUESTED],
            "since": since,
            "channel": Channel.EMAIL.value,
            "source": source,
            "wording": wording,
            "proof": proof,
        },
    )
    return bool(rows.scalar_one())
