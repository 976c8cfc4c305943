"""What the API needs of the house. `tropa.serve` fills it."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from adapters.channels.twilio_signature import TwilioSignature
from adapters.database.connection import Database
from adapters.links import Links
from adapters.outward import Outward
from api.sites import Sites
from domain.clock import Clock
from services.ad_audiences import AdAudiences
from services.announcing import Announcing
from services.bounces import Bounces
from services.browsers import Browsers
from services.bulk_drafting import BulkDrafting
from services.bulks import Bulks
from services.catalogue import Catalogue
from services.chats import Chats
from services.companies import Companies
from services.confirming import Confirming
from services.customers import Customers
from services.deals import Deals
from services.delivery_reports import DeliveryReports
from services.enrolling import Enrolling
from services.erasing import Erasing
from services.exporting import Exporting
from services.forms import Forms
from services.importing import Importing
from services.in_app import InApp
from services.intake import Intake
from services.keys import Keys, Sessions
from services.letters import Letters
from services.merging import Merging
from services.notes import Notes
from services.offers import Offers
from services.opting_out import OptingOut
from services.policies import Policies
from services.preference_center import PreferenceCenter
from services.preferences import Preferences
from services.products import Products
from services.replies import Replies
from services.segment_export import SegmentExport
from services.segments import Segments
from services.shop import Shop
from services.staging import Staging
from services.surveys import Surveys
from services.tasks import Tasks
from services.timeline import Timeline
from services.tracking import Tracking
from services.visits import Visits
from services.watching import Watching


@dataclass(frozen=True, kw_only=True)
class Needs:
    """The pieces of the house that requests use. `zone` and `locale` are for customers whose own are unknown."""

    database: Database
    clock: Clock
    catalogue: Catalogue
    intake: Intake
    importing: Importing
    customers: Customers
    staging: Staging
    timeline: Timeline
    tasks: Tasks
    deals: Deals
    notes: Notes
    companies: Companies
    enrolling: Enrolling
    ad_audiences: AdAudiences
    segment_export: SegmentExport
    bulks: Bulks
    bulk_drafting: BulkDrafting
    letters: Letters
    erasing: Erasing
    merging: Merging
    exporting: Exporting
    tracking: Tracking
    opting_out: OptingOut
    surveys: Surveys
    links: Links
    reports: DeliveryReports
    bounces: Bounces
    replies: Replies
    chats: Chats
    browsers: Browsers
    in_app: InApp
    confirming: Confirming
    outward: Outward
    announcing: Announcing
    keys: Keys
    sessions: Sessions
    watching: Watching
    policies: Policies
    segments: Segments
    preferences: Preferences
    center: PreferenceCenter
    shop: Shop
    products: Products
    offers: Offers
    visits: Visits
    forms: Forms
    sites: Sites
    company: str
    locale: str
    zone: str
    secure: bool
    twilio: TwilioSignature | None = None
    telegram_secret: str = ""
    push_key: str = ""


async def _needs(request: Request) -> Needs:  # a plain function would be called in a thread of its own
    needs: Needs = request.app.state.needs
    return needs


House = Annotated[Needs, Depends(_needs)]
"""The house, as a handler asks for it."""
