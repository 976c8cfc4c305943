"""Fills what the API needs from the house."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from alembic.script import ScriptDirectory
from fastapi import FastAPI
from temporalio.client import Client

from adapters.channels.telegram import webhook_secret
from adapters.channels.twilio_signature import TwilioSignature
from adapters.forms import read_forms
from adapters.temporal import connect
from api.app import create_app
from api.needs import Needs
from api.sites import Sites
from domain.messages import Channel
from services.browsers import Browsers
from services.chats import Chats
from services.companies import Companies
from services.confirming import Confirming
from services.customers import Customers
from services.deals import Deals
from services.erasing import Erasing
from services.exporting import Exporting
from services.forms import Forms
from services.in_app import InApp
from services.intake import Intake
from services.keys import Keys, Sessions
from services.merging import Merging
from services.notes import Notes
from services.opting_out import OptingOut
from services.preference_center import PreferenceCenter
from services.preferences import Preferences
from services.replies import Replies
from services.staging import Staging
from services.surveys import Surveys
from services.timeline import Timeline
from services.visits import Visits, heard_of_visitors
from services.watching import Watching
from tropa.importing import importing
from tropa.migrate import configuration
from tropa.wiring import House


class TemporalHealth:
    """Asks Temporal whether it is well, over a connection made when it is first needed."""

    def __init__(self, address: str, namespace: str) -> None:
        self._address, self._namespace = address, namespace
        self._client: Client | None = None

    async def __call__(self) -> bool:
        """Whether it serves. Raises what a Temporal that is down raises."""
        if self._client is None:
            self._client = await connect(self._address, namespace=self._namespace)
        return await self._client.service_client.check_health(timeout=timedelta(seconds=2))


def api_app(house: House, *, temporal: Callable[[], Awaitable[bool]] | None = None) -> FastAPI:
    """The API on a house. `temporal` asks Temporal whether it is well, in place of the settings' own."""
    settings = house.settings
    if temporal is None and settings.temporal_address:
        temporal = TemporalHealth(settings.temporal_address, settings.temporal_namespace)
    head = ScriptDirectory.from_config(configuration("")).get_current_head() or ""
    secrets = [secret.get_secret_value() for secret in settings.secrets]
    customers = Customers(house.clock, house.restrictions)
    preferences = Preferences(house.clock, customers, house.catalogue.topics())
    erasing = Erasing(house.clock, house.restrictions)
    merging, timeline = Merging(house.clock, house.restrictions, erasing), Timeline(settings.timezone)
    forms = read_forms(settings.forms)
    heard = heard_of_visitors(house.catalogue.messages(), settings.site_events) if settings.sites else ()
    twilio, intake = None, Intake(house.ingest)
    if settings.twilio:
        twilio = TwilioSignature(settings.twilio_auth_token.get_secret_value(), settings.public_url)
    token = settings.telegram_token.get_secret_value()
    return create_app(
        Needs(
            database=house.database,
            clock=house.clock,
            catalogue=house.catalogue,
            intake=intake,
            importing=importing(house, intake),
            customers=customers,
            timeline=timeline,
            tasks=house.tasks,
            deals=Deals(house.clock),
            notes=Notes(house.clock),
            companies=Companies(house.clock, timeline),
            enrolling=house.enrolling,
            ad_audiences=house.ad_audiences,
            segment_export=house.segment_export,
            bulks=house.bulks,
            bulk_drafting=house.bulk_drafting,
            letters=house.letters,
            erasing=erasing,
            merging=merging,
            exporting=Exporting(house.database),
            tracking=house.tracking,
            opting_out=OptingOut(house.database, house.clock, house.links, house.ingest),
            surveys=Surveys(house.database, house.clock, house.links, house.ingest, house.catalogue),
            links=house.links,
            reports=house.reports,
            bounces=house.bounces,
            replies=Replies(house.database, house.clock, house.ingest, customers, house.tasks),
            chats=Chats(house.database, house.clock, house.links, customers),
            browsers=Browsers(house.database, house.clock, house.links, customers),
            in_app=InApp(house.database, house.clock, house.links, house.catalogue, house.policies, house.reports),
            confirming=Confirming(
                house.database,
                house.clock,
                house.links,
                customers,
                preferences,
                merging,
                forms,
                locale=settings.locale,
            ),
            outward=house.outward,
            announcing=house.announcing,
            keys=Keys(house.database),
            sessions=Sessions(secrets),
            watching=Watching(house.database, head, temporal),
            policies=house.policies,
            segments=house.segments,
            preferences=preferences,
            staging=Staging(house.clock, customers, house.catalogue, house.projector),
            center=PreferenceCenter(
                house.database,
                house.clock,
                customers,
                preferences,
                house.policies,
                house.surrogates,
                # Notices only where some message is one: they need no address that would tell.
                {*house.gateways} - ({Channel.IN_APP} - house.catalogue.channels()),
                settings.timezone,
            ),
            shop=house.shop,
            products=house.products,
            offers=house.offers,
            visits=Visits(house.database, house.clock, house.links, intake, merging, heard),
            forms=Forms(house.database, house.clock, house.surrogates, customers, forms),
            sites=Sites(origins=frozenset(settings.sites), proxies=settings.proxies),
            company=settings.company,
            locale=settings.locale,
            zone=settings.timezone,
            secure=settings.public_url.startswith("https://"),
            twilio=twilio,
            push_key=settings.push_key,
            telegram_secret=webhook_secret(token) if token else "",
        )
    )
