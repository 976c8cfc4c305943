"""A customer as the API tells of them."""

from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, Field
from sqlalchemy import RowMapping

from api.fields import (
    Attributes,
)
from domain.companies import BuyingRole
from domain.customers import ConsentStatus
from domain.engagement import Engagement, score
from domain.messages import Channel
from domain.rfm import Segment
from services.customers import CustomerNow


class ConsentNow(BaseModel):
    """The word on record about a channel."""

    status: ConsentStatus
    at: datetime
    source: str
    wording: str
    proof: str


class FirstTouchView(BaseModel):
    """When and through what they first met you."""

    at: datetime
    event: str = Field(examples=["page_viewed"])
    source: str = Field(examples=["newsletter"])
    medium: str
    campaign: str


class RfmView(BaseModel):
    """How lately, how often and for how much they bought, compared with the others, as of the last sweep."""

    code: str = Field(pattern="^[1-5]{3}$", examples=["545"], description="Recency, frequency, money; 5 is the best.")
    segment: Segment = Field(description="What the code says.")
    effective_segment: Segment = Field(
        description="What they act as: at risk after 90 days without an order; others once two days agree."
    )
    vip: bool = Field(description="Nine in ten paid less.")
    one_off: bool = Field(description="All orders on one day.")
    as_of: datetime

    @classmethod
    def of(cls, row: RowMapping) -> "RfmView":
        """A row."""
        return cls.model_validate({**row, "code": f"{row['r']}{row['f']}{row['m']}"})


class CustomerView(BaseModel):
    """A customer. `id` is ours, `customer_id` yours."""

    id: str = Field(examples=["cus_019cae2f4c7f7d5f8f2b6a1c3d4e5f60"])
    customer_id: str
    email: str | None
    phone: str | None
    locale: str | None
    timezone: str | None
    preferred_channel: Channel | None
    attributes: Attributes
    owner: str | None
    company_id: str | None
    buying_role: BuyingRole | None
    needs: dict[str, Any] = Field(examples=[{"need": "Fewer lost leads", "budget": 5000, "currency": "EUR"}])
    consents: dict[str, ConsentNow]
    first_seen_at: datetime
    first_touch: FirstTouchView | None
    stage: str | None = Field(examples=["onboarding"], description="Of the set at GET /v1/stages.")
    stage_since: datetime | None
    engagement: int = Field(description="How active they are now, from 0 to 100; an act fades by half in two weeks.")
    orders: int = Field(description="That stand: neither cancelled nor given back.")
    revenue: Decimal = Field(description="Of these, in the installation's currency.", examples=["149.90"])
    last_order_at: datetime | None
    last_active_at: datetime | None
    rfm: RfmView | None = Field(description="null for who has bought nothing that counts.")

    @classmethod
    def of(cls, now: CustomerNow, at: datetime) -> "CustomerView":
        """A customer as it stands."""
        said = {scope: asdict(consent) for scope, consent in now.consents.items()}
        was = Engagement(value=now.row["engagement"], at=now.row["engagement_at"])
        counted = score(was.on(at), now.scale)
        rfm = now.rfm and RfmView.of(now.rfm)
        more = {"consents": said, "engagement": counted, "rfm": rfm, "company_id": now.company_id}
        return cls.model_validate({**now.row, **more})
