"""The one place that builds concrete things and hands them to each other."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parseaddr

from temporalio.client import Client

from activities.sending import SendingActivities
from activities.walking import WalkingActivities
from adapters.channels.email import EmailGateway
from adapters.channels.sandbox import SandboxGateway
from adapters.clock import PacedClock, installed_pace
from adapters.database.connection import Database
from adapters.link_tracking import LinkTracking
from adapters.links import Links
from adapters.settings import Settings
from adapters.surrogates import Surrogates
from adapters.tasks import TaskLibrary
from adapters.templates import MessageLibrary
from adapters.temporal import TASK_QUEUE, Walks
from domain.clock import Clock, Pace
from domain.messages import Channel
from domain.policy import ContactPolicy
from services.catalogue import Catalogue
from services.delivery_reports import DeliveryReports, Reporting
from services.dispatch import Dispatcher
from services.enrolling import Enrolling
from services.gateways import Gateway
from services.ingest import Ingest
from services.letters import Company, Letters
from services.project import Projector
from services.reconcile import Reconciler
from services.restrict import Restrictions
from services.send_facts import FactReader
from services.sending import Sending
from services.tracking import Tracking
from services.walking import Walking
from workflows.registry import declarations


@dataclass(frozen=True, kw_only=True)
class House:
    """Everything of one process, built once."""

    settings: Settings
    database: Database
    clock: Clock
    pace: Pace
    catalogue: Catalogue
    links: Links
    letters: Letters
    gateways: Mapping[Channel, Gateway]
    surrogates: Surrogates
    restrictions: Restrictions
    ingest: Ingest
    projector: Projector
    sending: Sending
    reports: DeliveryReports
    walking: Walking
    enrolling: Enrolling
    tracking: Tracking

    async def close(self) -> None:
        """Give everything back: idle connections to providers, then the database's."""
        for gateway in self.gateways.values():
            if isinstance(gateway, EmailGateway):
                await gateway.close()
        await self.database.close()

    def activities(self) -> list[object]:
        """What a worker serves."""
        sending, walking = SendingActivities(self.sending), WalkingActivities(self.walking)
        return [sending.send, walking.customer, walking.catch_up, walking.create_task, walking.end]

    def dispatcher(self, client: Client, *, task_queue: str = TASK_QUEUE, searchable: bool = True) -> Dispatcher:
        """The way to Temporal."""
        walks = Walks(client, task_queue=task_queue, searchable=searchable)
        return Dispatcher(self.database, walks, self.catalogue, self.surrogates, self.pace)

    def reconciler(self, client: Client) -> Reconciler:
        """The way back from Temporal."""
        return Reconciler(self.database, self.clock, client, self.sending, self.reports)


async def build(
    settings: Settings,
    *,
    clock: Clock | None = None,
    pace: Pace | None = None,
    gateways: Mapping[Channel, Gateway] | None = None,
    library: MessageLibrary | None = None,
) -> House:
    """Build the house on a migrated database. `clock`, `pace`, `gateways` and `library` replace its own, for tests.

    Raises Misconfigured for settings that do not fit, InvalidDeclaration for a journey or message written wrongly.
    """
    settings = settings.checked()
    database = Database(settings.database_url or "")
    if pace is None:
        async with database.transaction() as connection:
            pace = await installed_pace(connection, settings.pace)
    clock = clock or PacedClock(pace)
    secrets = [secret.get_secret_value() for secret in settings.secrets]
    surrogates = Surrogates(secrets[-1])
    library = library or MessageLibrary()
    catalogue = Catalogue(declarations(), library, surrogates)
    catalogue.messages()  # a folder without a journey is found at start, not at the first send
    links = Links(secrets, settings.public_url or f"http://{settings.host}:{settings.port}")
    gateways = gateways if gateways is not None else _gateways(settings, database, clock, links)
    reporting = [gateway for gateway in gateways.values() if isinstance(gateway, Reporting)]
    company = Company(
        name=settings.company,
        url=settings.company_url,
        address=settings.company_address,
        sender=settings.mail_from,
        mailbox=parseaddr(settings.mail_from)[1],
        locale=settings.locale,
    )
    projector = Projector(database, clock, pace, catalogue)
    link_tracking = LinkTracking(links, mode=settings.tracking, utm=settings.utm, site=settings.company_url)
    letters = Letters(database, catalogue, library, links, company, link_tracking)
    restrictions = Restrictions(clock, surrogates)
    facts = FactReader(surrogates, gateways, settings.timezone)
    return House(
        settings=settings,
        database=database,
        clock=clock,
        pace=pace,
        catalogue=catalogue,
        links=links,
        letters=letters,
        gateways=gateways,
        surrogates=surrogates,
        restrictions=restrictions,
        ingest=Ingest(database, clock, restrictions),
        projector=projector,
        sending=Sending(database, clock, pace, catalogue, projector, facts, letters, gateways, ContactPolicy()),
        reports=DeliveryReports(database, clock, surrogates, reporting),
        walking=Walking(database, clock, pace, catalogue, projector, TaskLibrary(settings.locale)),
        enrolling=Enrolling(clock, catalogue, projector),
        tracking=Tracking(database, clock, links, settings.tracking),
    )


def _gateways(settings: Settings, database: Database, clock: Clock, links: Links) -> dict[Channel, Gateway]:
    gateways: dict[Channel, Gateway] = {Channel.SMS: SandboxGateway(Channel.SMS, database, clock)}
    if settings.twilio:
        gateways[Channel.SMS] = _twilio(settings, links)
    if settings.smtp_url:
        gateways[Channel.EMAIL] = EmailGateway(
            settings.smtp_url.get_secret_value(),
            settings.mail_from,
            # With the 20 seconds for a place and a connection: within the activity's 60, whatever the server does.
            timeout=timedelta(seconds=5),
            final_timeout=timedelta(seconds=20),
        )
    else:
        gateways[Channel.EMAIL] = SandboxGateway(Channel.EMAIL, database, clock)
    return gateways


def _twilio(settings: Settings, links: Links) -> Gateway:
    from adapters.channels.twilio import TwilioAccount, TwilioGateway  # slow to import, and seldom needed

    account = TwilioAccount(
        sid=settings.twilio_account_sid,
        token=settings.twilio_auth_token.get_secret_value(),
        sender=settings.twilio_from,
        messaging_service=settings.twilio_messaging_service,
        base_url=settings.twilio_base_url,
    )
    return TwilioGateway(account, links.status_report)
