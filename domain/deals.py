"""Deals: what may become of one, and what a change of it is told as (S5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class DealStatus(StrEnum):
    """Where a deal stands."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


@dataclass(frozen=True, kw_only=True)
class Deal:
    """One deal, by the company's own id. `amount` is in `currency` (ISO 4217); `owner` is a colleague's address."""

    deal_id: str
    pipeline: str
    stage: str
    amount: Decimal | None = None
    currency: str | None = None
    owner: str | None = None
    closes_at: datetime | None = None
    status: DealStatus = DealStatus.OPEN
    lost_reason: str | None = None


Told = tuple[str, Mapping[str, object]]


def told_as(before: Deal | None, after: Deal) -> list[Told]:
    """The events of a change, in order, each a name and its properties. Nothing, when nothing changed."""
    if before == after:
        return []
    money = {"amount": float(after.amount), "currency": after.currency} if after.amount is not None else {}
    of: dict[str, object] = {"deal": after.deal_id, "pipeline": after.pipeline}
    told: list[Told] = []
    if before is None:
        told.append(("deal_opened", {**of, "stage": after.stage, **money}))
    elif (before.pipeline, before.stage) != (after.pipeline, after.stage):
        told.append(("deal_stage_changed", {**of, "from": before.stage, "to": after.stage}))
    was = before.status if before else DealStatus.OPEN
    if was != after.status:
        match after.status:
            case DealStatus.OPEN:
                told.append(("deal_opened", {**of, "stage": after.stage, **money, "again": True}))
            case DealStatus.WON:
                told.append(("deal_won", {**of, **money}))
            case DealStatus.LOST:
                told.append(("deal_lost", {**of, **({"reason": after.lost_reason} if after.lost_reason else {})}))
    return told or [("deal_changed", of)]
