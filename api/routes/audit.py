"""The audit log: who changed what."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from adapters.database import audit
from api.access import allowed
from api.needs import House
from api.problems import answers
from api.reading import CheckedRoute

router = APIRouter(prefix="/v1/audit", tags=["Audit"], route_class=CheckedRoute)


class AuditEntryView(BaseModel):
    """One change. `before` and `after` hold settings' values; of a customer only names, never what they say."""

    id: int
    at: datetime = Field(description="Real time.")
    actor: str = Field(description="The id of an API key, or a part of Tropa.", examples=["9f3c1a2b4d5e"])
    actor_name: str = Field(examples=["the shop's backend"])
    action: str = Field(examples=["journey.set", "customer.erased"])
    subject_kind: str = Field(examples=["journey", "customer"])
    subject: str = Field(description="Our id of it.", examples=["WelcomeChain", "cus_019cae2f4c7f7d5f8f2b6a1c3d4e5f60"])
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    request: str | None = Field(description="The X-Request-Id that the caller gave.")


class AuditView(BaseModel):
    """A page of the log, newest first. `cursor` asks for the page before; null on the last one."""

    entries: list[AuditEntryView]
    cursor: int | None


Named = Annotated[str | None, Query(max_length=200)]


@router.get("", dependencies=[allowed("audit:read")], responses=answers(422), summary="Who changed what?")
async def read_audit(
    house: House,
    actor: Named = None,
    subject_kind: Named = None,
    subject: Named = None,
    cursor: Annotated[int | None, Query(ge=1, le=2**63 - 1, description="From the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> AuditView:
    """What people and keys did: settings, keys, profiles and consents, enrollments, erasures. Nobody can change it."""
    async with house.database.transaction() as connection:
        rows = await audit.page(
            connection, actor=actor, kind=subject_kind, subject=subject, before=cursor, limit=limit + 1
        )
    entries = [AuditEntryView.model_validate(dict(row)) for row in rows[:limit]]
    return AuditView(entries=entries, cursor=entries[-1].id if len(rows) > limit else None)
