"""What each table holds of a customer, and what becomes of it when they are erased, merged, or ask for their data.

This list is what erasing, merging and exporting do: no table and no column that can hold words is missing from it
(a test checks), so whoever adds one decides about it here.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


class Joined(Enum):
    """How the rows of a profile that is merged away come over."""

    MOVED = "they get the other's id"
    ALONG = "they hang on a row that is moved"
    MADE_ANEW = "they go: the next sweep makes them of the joined profile"
    APART = "by a rule of their own, in adapters/database/merging.py"


@dataclass(frozen=True, kw_only=True)
class Held:
    """A table. `of` finds a customer's rows (SQL, `:customer` is our id); None: it holds nothing of customers.

    When they are erased, `cleared` columns get what stands beside them (SQL; `:at` is the instant), `surrogates` are
    replaced by keyed ones, or all rows are `deleted`. `kept` are the other columns that can hold words; none of these
    is personal. Who asks for their data gets all rows unless they are not `exported`.
    """

    of: str | None = "customer = :customer"
    cleared: Mapping[str, str] = field(default_factory=dict)
    surrogates: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    deleted: bool = False
    joined: Joined = Joined.MOVED
    exported: bool = True


_IDS = """ARRAY(SELECT c.customer_id FROM customers c WHERE c.id = :customer
    UNION ALL SELECT a.customer_id FROM customer_aliases a WHERE a.customer = :customer)"""
_OF_THEIR_ENROLLMENTS = "enrollment IN (SELECT e.id FROM enrollments e WHERE e.customer = :customer)"
_OF_THEIR_SENDS = "send IN (SELECT s.id FROM sends s WHERE s.customer = :customer)"
_NAMED = f"customer = :customer OR customer IS NULL AND customer_id = ANY({_IDS})"
_ANSWER = "(body #>> '{}')::jsonb"


def _nobodys(*kept: str) -> Held:
    return Held(of=None, kept=kept, joined=Joined.ALONG, exported=False)


# In the order in which they are cleared: what is found by others' columns comes before those.
HELD: Mapping[str, Held] = {
    "idempotency_keys": Held(
        of=f"""CASE WHEN body #>> '{{}}' IS JSON OBJECT THEN {_ANSWER} ->> 'customer_id' = ANY({_IDS})
            OR {_ANSWER} ->> 'id' IN (SELECT e.id FROM enrollments e WHERE e.customer = :customer)
            OR {_ANSWER} ->> 'id' IN (SELECT b.bulk FROM bulk_customers b WHERE {_NAMED}) END""",  # noqa: S608  our own words
        deleted=True,
        joined=Joined.ALONG,
        exported=False,
    ),
    "webhook_deliveries": Held(
        of="""payload #>> '{data,customer}' IN (
            SELECT :customer UNION ALL SELECT a.id FROM customer_aliases a WHERE a.customer = :customer)""",
        deleted=True,
        joined=Joined.ALONG,
    ),
    "hits": Held(of=_OF_THEIR_SENDS, deleted=True, joined=Joined.ALONG),
    "sandbox_outbox": Held(of=_OF_THEIR_SENDS, deleted=True, joined=Joined.ALONG, exported=False),
    "reports": Held(of=_OF_THEIR_SENDS, kept=("gateway", "provider_id", "status", "code"), joined=Joined.ALONG),
    "dispatches": Held(
        of=_OF_THEIR_ENROLLMENTS,
        kept=("enrollment", "kind", "payload", "result"),  # what Temporal is told: surrogates only
        joined=Joined.ALONG,
        exported=False,
    ),
    "dispatch_leases": Held(of=_OF_THEIR_ENROLLMENTS, kept=("enrollment",), joined=Joined.ALONG, exported=False),
    "tasks": Held(
        cleared={"title": "''", "text": "''", "note": "NULL", "closed_at": "coalesce(closed_at, :at)"},
        # Colleagues' names and addresses stay: whose work it was is no word about the customer.
        kept=("customer", "enrollment", "name", "cause", "owner", "escalate_to", "closed_by", "outcome"),
    ),
    "notices": Held(deleted=True),
    "crm_updates": Held(deleted=True),
    "notes": Held(deleted=True),
    "deals": Held(deleted=True),
    "decisions": Held(cleared={"facts": "'{}'", "words": "rule"}, kept=("customer", "enrollment", "state", "rule")),
    "bulk_customers": Held(
        of=f"({_NAMED})",
        cleared={"customer_id": "'erased:' || :customer", "about": "''", "facts": "'{}'"},
        kept=("bulk", "customer", "state", "rule", "enrollment"),
    ),
    "offer_codes": Held(
        # The code stays what it is, and nobody's: it is in a letter, may be good still, and must not be given again.
        cleared={"customer": "NULL", "send": "NULL", "redeemed_by": "NULL"},
        kept=("offer", "code", "key"),
    ),
    "sends": Held(
        cleared={"recipient": "NULL", "rendered": "NULL", "links": "NULL"},
        kept=(
            "enrollment",
            "customer",
            "message",
            "purpose",
            "kind",
            "state",
            "channel",
            "rule",
            "gateway",
            "provider_id",
            "delivery",
            "delivery_code",
        ),
    ),
    "enrollments": Held(
        cleared={"about": "''"},
        # Options are numbers, durations and words of a list; hearing counts signals by the event's name.
        kept=("id", "customer", "journey", "options", "cause", "outcome", "leaving", "run_id", "hearing"),
        joined=Joined.APART,
    ),
    "rfm": Held(deleted=True, joined=Joined.MADE_ANEW),
    "orders": Held(deleted=True, joined=Joined.APART),
    "assignments": Held(kept=("customer", "experiment", "variant"), joined=Joined.APART),
    "segment_members": Held(deleted=True, joined=Joined.APART),
    "stage_visits": Held(kept=("customer", "model", "stage", "cause"), joined=Joined.APART),
    "events": Held(
        of=f"""(customer = :customer
            OR customer_id = ANY({_IDS}) AND number IS NULL AND quarantined IS NULL)""",
        cleared={
            "customer_id": "'erased:' || :customer",
            "customer": ":customer",
            "source": "'erased'",
            "about": "''",
            "properties": "'{}'",
            "digest": "''",
        },
        surrogates=("event_id",),
        kept=("name", "quarantined"),
        joined=Joined.APART,
    ),
    "addresses": Held(deleted=True, joined=Joined.APART),  # suppressed before: services/erasing.py
    "consents": Held(
        cleared={"source": "''", "wording": "''", "proof": "''"},
        kept=("customer", "channel", "topic", "status"),
        joined=Joined.APART,
    ),
    "customer_aliases": Held(cleared={"customer_id": "'erased:' || id"}, kept=("id", "customer")),
    "customers": Held(
        of="id = :customer",
        cleared={
            "customer_id": "'erased:' || id",
            "email": "NULL",
            "phone": "NULL",
            "locale": "NULL",
            "timezone": "NULL",
            "preferred_channel": "NULL",
            "frequency": "NULL",
            "snoozed_until": "NULL",
            "trouble": "NULL",
            "last_active_at": "NULL",
            "engaged_at": "NULL",
            "engagement": "0",
            "engagement_at": "NULL",
            "first_touch": "NULL",
            "stage": "NULL",
            "stage_since": "NULL",
            "orders": "0",
            "revenue": "0",
            "last_order_at": "NULL",
            "attributes": "'{}'",
            "owner": "NULL",
            "needs": "'{}'",
            "company": "NULL",
            "buying_role": "NULL",
            "erased_at": ":at",
        },
        kept=("id",),
        joined=Joined.APART,
    ),
    "companies": _nobodys("id", "company_id", "name", "owner", "attributes"),
    "suppressions": _nobodys("channel", "reason"),
    "erasures": _nobodys("customer"),
    "audit": _nobodys("actor", "actor_name", "action", "subject_kind", "subject", "before", "after", "request"),
    "contact_policies": _nobodys("actor", "policy"),
    "webhook_endpoints": _nobodys("id", "url", "secret", "events", "disabled_why"),
    "products": _nobodys("id", "name", "category", "currency", "url", "image", "attributes", "related"),
    "offers": _nobodys("name", "kind", "prefix", "currency", "words"),
    "segments": _nobodys("name", "actor", "label", "description", "rule"),
    "segment_watches": _nobodys("segment", "rule"),
    "journey_settings": _nobodys("journey", "options"),
    "bulks": _nobodys(
        *("id", "journey", "source", "options", "state", "reachable", "volume"),
        *("actor", "actor_name", "approver", "approver_name", "ended_by"),
    ),
    "imports": _nobodys("id", "kind", "state", "actor", "actor_name"),
    "import_problems": _nobodys("import", "field", "problem"),  # our own words, never what stood in the file
    "api_keys": _nobodys("id", "name", "digest", "scopes"),
    "clock": _nobodys(),
    "reconciliation": _nobodys(),
    "engagement_scales": _nobodys(),
    "sweeps": _nobodys("silent", "rules", "counts"),
}


async def clear(connection: AsyncConnection, customer: str, at: datetime) -> None:
    """Take everything personal of a customer out of every table, but for `surrogates`. The caller holds the lock."""
    for table, held in HELD.items():
        if held.of is None:
            continue
        if held.deleted:
            statement = f"DELETE FROM {table} WHERE {held.of}"  # noqa: S608  our own words
        elif held.cleared:
            changes = ", ".join(f"{column} = {new}" for column, new in held.cleared.items())
            statement = f"UPDATE {table} SET {changes} WHERE {held.of}"  # noqa: S608  our own words
        else:
            continue
        await connection.execute(text(statement), {"customer": customer} | ({"at": at} if ":at" in statement else {}))


def exported() -> list[str]:
    """The tables whose rows a person gets who asks for their data: the person first, machinery last."""
    return [table for table, held in reversed(list(HELD.items())) if held.exported]


async def rows(connection: AsyncConnection, table: str, customer: str) -> AsyncIterator[bytes]:
    """A customer's rows of a table as JSON objects."""
    found = await connection.stream(
        text(f"SELECT to_jsonb({table})::text AS row FROM {table} WHERE {HELD[table].of} ORDER BY {table}"),  # noqa: S608  our own words
        {"customer": customer},
        execution_options={"yield_per": 500},
    )
    async for row in found:
        yield row.row.encode()
