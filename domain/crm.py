"""What a CRM is told about a customer, and what it may answer. One update has one id for ever, so telling it again is
telling the same."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class CrmTask:
    """A task of ours that the CRM should show. `outcome` is None while it is open."""

    id: UUID
    title: str
    text: str
    due_at: datetime
    owner: str | None = None
    outcome: str | None = None


@dataclass(frozen=True, kw_only=True)
class CrmUpdate:
    """What a journey said of a customer, with what is known of them now. `owner` is a colleague's address."""

    id: UUID
    customer_id: str
    journey: str
    email: str | None = None
    owner: str | None = None
    stage: str | None = None
    outcome: str | None = None
    task: CrmTask | None = None


@dataclass(frozen=True, kw_only=True)
class CrmAnswer:
    """What became of an update. Nothing personal: none of the CRM's own words.

    *done*: the CRM has it. *refused*: it will not take it, and asking again is useless. *later*: it did not take it,
    or did not answer; `busy_for` is how long it wants to be left in peace altogether.
    """

    outcome: Literal["done", "refused", "later"]
    detail: str
    busy_for: timedelta | None = None
