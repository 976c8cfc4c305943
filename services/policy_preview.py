"""What another contact policy would change: the last seven days, played again under both."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import policies
from domain.contact_policy import ContactPolicy, Kind, Touch
from domain.messages import Channel
from domain.policy import earliest
from services.send_facts import facts_of

WEEK = timedelta(days=7)
MOST = 20_000  # sends looked at


@dataclass(kw_only=True)
class Week:
    """What becomes of a week's messages under one policy. `days` counts those that go, by day from its start."""

    at_once: int = 0
    later: int = 0
    too_late: int = 0
    rules: Counter[str] = field(default_factory=Counter)
    days: list[int] = field(default_factory=lambda: [0] * 14)


@dataclass(frozen=True, kw_only=True)
class Preview:
    """The same week under the policy in force and under another. `whole` is False when it was too much to look at."""

    messages: int
    whole: bool
    now: Week
    then: Week


async def preview(
    connection: AsyncConnection, current: ContactPolicy, other: ContactPolicy, *, at: datetime, zone: str
) -> Preview:
    """Play the wishes of the last seven days again: the coming seven will be much like them.

    Rules about time are played; consent, pauses and what holds offers are not: a policy does not change them.
    """
    rows = await policies.wishes(connection, since=at - WEEK, limit=MOST)
    by_customer: dict[str, list[RowMapping]] = {}
    for row in rows:
        by_customer.setdefault(row["customer"], []).append(row)
    weeks = []
    for policy in (current, other):
        week = Week()
        for wishes in by_customer.values():
            _play(wishes, policy, week, since=at - WEEK, zone=zone)
        weeks.append(week)
    return Preview(messages=len(rows), whole=len(rows) < MOST, now=weeks[0], then=weeks[1])


def _play(wishes: Sequence[RowMapping], policy: ContactPolicy, week: Week, *, since: datetime, zone: str) -> None:
    touches: list[Touch] = []
    for row in wishes:
        kind = Kind(row["kind"])
        channel = Channel(row["channel"]) if row["channel"] else None
        facts = replace(facts_of(row, at=row["wished_at"], default_zone=zone), kind=kind, touches=tuple(touches))
        slot, why = earliest(facts, policy, at=row["wished_at"], send=row["id"], channel=channel)
        if why:
            week.rules[why.rule] += 1
        if why and slot >= row["expires_at"]:
            week.too_late += 1
            continue
        if why:
            week.later += 1
        else:
            week.at_once += 1
        week.days[min(int((slot - since) / timedelta(days=1)), len(week.days) - 1)] += 1
        touches.append(Touch(at=slot, kind=kind, channel=channel))
