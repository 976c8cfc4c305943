"""SQL for what a send looks at, in two statements under the customer's lock: what is known, and what stands against it.

What comes as a list or a mapping comes as the text of its JSON, for `msgspec` to read into the domain's own words.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.sending import SendRequest
from adapters.database.addresses import ALL_OF_CUSTOMER
from adapters.database.customers import CONSENTS, SUPPRESSED
from adapters.database.events import CONCERNS
from adapters.database.pending import PENDING
from adapters.database.statements import text
from domain.contact_policy import ContactPolicy
from domain.journeys import Plan
from domain.messages import Message, Purpose
from domain.sends import TOUCHING

_AROUND = f"""
    SELECT e.journey, e.about, e.started_at, e.run_id, e.paused_at, e.ended_at, e.outcome, e.leaving,
        s.state, s.rule, s.purpose, s.channel, s.wished_at, s.slot_at, s.expires_at,
        c.id AS customer, c.email, c.phone, c.locale, c.timezone, c.attributes, c.preferred_channel, c.erased_at,
        c.orders, c.last_active_at, c.frequency, c.snoozed_until, c.trouble,
        EXISTS (SELECT FROM rfm WHERE rfm.customer = c.id AND rfm.vip) AS vip,
        (SELECT coalesce((options ->> 'holdout')::float8, 0) FROM journey_settings j WHERE j.journey = e.journey)
            AS holdout,
        (SELECT policy::text FROM contact_policies ORDER BY version DESC LIMIT 1) AS policy,
        (SELECT json_agg(json_build_array(channel, json_build_object(
                'address', address, 'keys', keys, 'heard_at', last_inbound_at)))::text
            FROM ({ALL_OF_CUSTOMER}) AS kept) AS addresses,
        ({CONSENTS.format(customer=":customer")}) AS consents,
        EXISTS (SELECT FROM events WHERE {PENDING}) AS pending
    FROM enrollments e JOIN customers c ON c.id = :customer LEFT JOIN sends s ON s.id = :send
    WHERE e.id = :enrollment
"""  # noqa: S608  our own words


async def around(connection: AsyncConnection, send: UUID, request: SendRequest) -> RowMapping | None:
    """A send's walk, its customer and its row of the ledger as one row; None when there is no such walk.

    `state` is None for a send that the ledger does not have yet. `addresses` are pairs of channel and address, the
    newest first, `consents` words by their scope. `pending`: something that happened to them is not projected yet.
    """
    values = {"send": send, "enrollment": request.enrollment, "customer": request.customer}
    return (await connection.execute(text(_AROUND), values)).mappings().one_or_none()


# A cascade is one touch, at the first leg that may have reached the customer.
_FIRST_LEG = """NOT EXISTS (
    SELECT 1 FROM sends b WHERE b.enrollment = s.enrollment AND b.message = s.message AND b.visit = s.visit
      AND b.leg < s.leg AND b.state = ANY(:touching))"""
_OF_ANOTHER_STEP = "NOT (s.enrollment = :enrollment AND s.message = :message AND s.visit = :visit)"

_AGAINST = f"""
    SELECT (SELECT json_object_agg(channel, reason)::text FROM ({SUPPRESSED}) AS dead) AS suppressed,
        (SELECT json_agg(json_build_object('at', slot_at, 'kind', kind, 'channel', channel) ORDER BY slot_at)::text
            FROM sends s WHERE customer = :customer AND {_OF_ANOTHER_STEP} AND {_FIRST_LEG}
                AND (state = ANY(:touching) OR (state = 'deferred' AND priority < :priority))
                AND purpose <> :exempt AND slot_at > :since AND slot_at < :until) AS touches,
        ARRAY(SELECT slot_at FROM sends s JOIN enrollments e ON e.id = s.enrollment
            WHERE s.customer = :customer AND s.message = :message AND e.journey = :journey AND {_OF_ANOTHER_STEP}
                AND s.state = ANY(:touching) AND {_FIRST_LEG} AND slot_at > :same_since) AS same_message,
        (SELECT json_agg(json_build_object('state', state, 'channel', channel, 'seen_at', seen_at,
                'expires_at', expires_at) ORDER BY leg)::text
            FROM sends WHERE enrollment = :enrollment AND message = :message AND visit = :visit AND leg < :leg) AS legs,
        (SELECT jsonb_build_object('about', about) || properties FROM events
            WHERE customer = :customer AND name = ANY(:starts)
                AND (cast(:about AS text) IS NULL OR {CONCERNS}) AND number > 0 ORDER BY number DESC LIMIT 1) AS start
"""  # noqa: S608  our own words

# Behind the others for offers alone: with these, the server would plan the statement anew each time, which takes longer
# than to run it.
_OFFERS_TOO = f""",
        ARRAY(SELECT DISTINCT unnest(products) FROM orders
            WHERE customer = :customer AND placed_at > :bought_since AND status = 'placed') AS bought,
        (SELECT count(*) FROM sends s
            WHERE customer = :customer AND purpose = 'value' AND state = ANY(:touching) AND {_FIRST_LEG}
                AND slot_at > coalesce((
                    SELECT max(slot_at) FROM sends s WHERE customer = :customer AND purpose = 'offer'
                        AND state = ANY(:touching) AND {_OF_ANOTHER_STEP}), '-infinity')) AS values_since_offer
"""  # noqa: S608  our own words


async def against(
    connection: AsyncConnection,
    request: SendRequest,
    *,
    journey: str,
    plan: Plan,
    about: str,
    message: Message,
    policy: ContactPolicy,
    keys: Mapping[str, UUID],
    at: datetime,
) -> RowMapping:
    """What may stand against a send at an instant, as one row.

    `suppressed`: which of the addresses with these `keys`, by channel, and why. `touches`: when this customer was or
    may be touched by other steps, also by what waits for a slot with a higher priority (a lower number); transactional
    messages are none (S90). `same_message`: when it was this very message. `legs`: those before in a cascade. `start`:
    the properties of the newest event that may start the journey, about the same thing, the cart as it is now, not as
    it was two hours ago; None after a start by staff. Of offers alone, `bought`: the products of orders that
    stand, and `values_since_offer`: how many messages of value they were sent since the last offer (S84).
    """
    within, offers = policy.horizon, message.purpose is Purpose.OFFER
    values = {
        "customer": request.customer,
        "enrollment": request.enrollment,
        "message": request.message,
        "visit": request.visit,
        "leg": request.leg,
        "channels": list(keys),
        "keys": list(keys.values()),
        "touching": [state.value for state in TOUCHING],
        "exempt": Purpose.TRANSACTIONAL.value,
        "priority": plan.priority,
        "since": at - within,
        "until": at + within,
        "journey": journey,
        "same_since": at - message.limit.within,
        "starts": list(plan.beginnings),
        "kind": plan.about,
        "about": about if plan.about else None,
    }
    if offers:
        values["bought_since"] = at - policy.just_bought_within
    return (await connection.execute(text(_AGAINST + _OFFERS_TOO if offers else _AGAINST), values)).mappings().one()
