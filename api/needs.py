"""What the API needs of the house. `tropa.serve` fills it."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from adapters.channels.twilio_signature import TwilioSignature
from adapters.database.connection import Database
from adapters.links import Links
from domain.clock import Clock
from domain.policy import ContactPolicy
from services.catalogue import Catalogue
from services.customers import Customers
from services.delivery_reports import DeliveryReports
from services.enrolling import Enrolling
from services.erasing import Erasing
from services.exporting import Exporting
from services.ingest import Ingest
from services.keys import Keys, Sessions
from services.letters import Letters
from services.merging import Merging
from services.opting_out import OptingOut
from services.replies import Replies
from services.timeline import Timeline
from services.watching import Watching


@dataclass(frozen=True, kw_only=True)
class Needs:
    """The pieces of the house that requests use. `zone` and `locale` are for customers whose own are unknown."""

    database: Database
    clock: Clock
    catalogue: Catalogue
    ingest: Ingest
    customers: Customers
    timeline: Timeline
    enrolling: Enrolling
    letters: Letters
    erasing: Erasing
    merging: Merging
    exporting: Exporting
    opting_out: OptingOut
    links: Links
    reports: DeliveryReports
    replies: Replies
    keys: Keys
    sessions: Sessions
    watching: Watching
    policy: ContactPolicy
    company: str
    locale: str
    zone: str
    secure: bool
    twilio: TwilioSignature | None = None


def _needs(request: Request) -> Needs:
    needs: Needs = request.app.state.needs
    return needs


House = Annotated[Needs, Depends(_needs)]
"""The house, as a handler asks for it."""
