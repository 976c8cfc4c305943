"""The one place that builds concrete things and hands them to each other."""

from collections.abc import Mapping
from dataclasses import dataclass

from temporalio.client import Client

from activities.audiences import AudienceActivities
from activities.bulk import BulkActivities
from activities.people import PeopleActivities
from activities.sending import SendingActivities
from activities.sweeping import SweepingActivities
from activities.walking import WalkingActivities
from adapters.channels.email import EmailGateway
from adapters.channels.mime import message_id, sender_mailbox
from adapters.channels.telegram import TelegramGateway
from adapters.clock import PacedClock, installed_pace
from adapters.database.connection import Database
from adapters.link_tracking import LinkTracking
from adapters.links import Links
from adapters.offer_codes import CodeMaker
from adapters.outward import Outward
from adapters.return_paths import ReturnPaths
from adapters.segments import shipped_segments
from adapters.settings import Settings
from adapters.staff_words import StaffWords
from adapters.stage_sets import read_stage_set
from adapters.surrogates import Surrogates
from adapters.templates import MessageLibrary
from adapters.temporal import TASK_QUEUE, BulkRuns, Walks
from domain.clock import Clock, Pace
from domain.contact_policy import ContactPolicy
from domain.journeys import Declaration, Reached
from domain.messages import Channel
from domain.segment_uses import watched_by
from domain.tasks import Desk
from services.ad_audiences import AdAudiences
from services.announcing import Announcing
from services.bounces import Bounces
from services.bulk_drafting import BulkDrafting
from services.bulk_entering import BulkEntering
from services.bulk_telling import BulkTelling
from services.bulks import Bulks
from services.catalogue import Catalogue
from services.crm import Crm, TellingCrm
from services.delivery_reports import DeliveryReports, Reporting
from services.dispatch import Dispatcher
from services.enrolling import Enrolling
from services.entering import Reach
from services.gateways import Gateway
from services.ingest import Ingest
from services.letters import Company, Letters
from services.offers import Offers
from services.people import People
from services.policies import Policies
from services.products import Products
from services.project import Projector
from services.reconcile import Reconciler
from services.restrict import Restrictions
from services.segment_catalogue import SegmentCatalogue
from services.segment_export import SegmentExport
from services.segments import Segments
from services.send_facts import FactReader
from services.sending import Sending
from services.shop import Shop
from services.sweep import Sweeping
from services.tasks import Tasks
from services.telling import Telling
from services.tracking import Tracking
from services.walking import Walking
from tropa.gateways import build_crm, build_gateways
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
    outward: Outward
    announcing: Announcing
    surrogates: Surrogates
    restrictions: Restrictions
    ingest: Ingest
    projector: Projector
    sending: Sending
    reports: DeliveryReports
    bounces: Bounces
    walking: Walking
    people: People
    tasks: Tasks
    telling: Telling
    crm: TellingCrm
    enrolling: Enrolling
    bulks: Bulks
    bulk_drafting: BulkDrafting
    bulk_entering: BulkEntering
    ad_audiences: AdAudiences
    segment_export: SegmentExport
    policies: Policies
    segments: Segments
    tracking: Tracking
    shop: Shop
    products: Products
    offers: Offers
    sweeping: Sweeping

    async def close(self) -> None:
        """Give everything back: idle connections to providers, then the database's."""
        for gateway in self.gateways.values():
            if isinstance(gateway, EmailGateway | TelegramGateway):
                await gateway.close()
        await self.crm.close()
        await self.outward.close()
        await self.database.close()

    def activities(self) -> list[object]:
        """What a worker serves."""
        sending, walking = SendingActivities(self.sending), WalkingActivities(self.walking)
        sweeping, people = SweepingActivities(self.sweeping), PeopleActivities(self.people)
        entering = BulkActivities(self.bulk_entering)
        return [
            *(sending.send, walking.customer, walking.catch_up, walking.variant, walking.end),
            *(walking.local_time, walking.reaction),
            *(people.create_task, people.tell, people.update_crm),
            sweeping.sweep,
            AudienceActivities(self.ad_audiences).write_audiences,
            entering.enter_some,
        ]

    def dispatcher(self, client: Client, *, task_queue: str = TASK_QUEUE, searchable: bool = True) -> Dispatcher:
        """The way to Temporal."""
        walks = Walks(client, task_queue=task_queue, searchable=searchable)
        return Dispatcher(self.database, walks, self.catalogue, self.surrogates, self.pace)

    def bulk_telling(self, client: Client, *, task_queue: str = TASK_QUEUE) -> BulkTelling:
        """The way of bulks to Temporal."""
        return BulkTelling(self.database, BulkRuns(client, task_queue=task_queue))

    def reconciler(self, client: Client) -> Reconciler:
        """The way back from Temporal."""
        return Reconciler(self.database, self.clock, client, self.sending, self.reports, self.offers)


async def build(
    settings: Settings,
    *,
    clock: Clock | None = None,
    pace: Pace | None = None,
    gateways: Mapping[Channel, Gateway] | None = None,
    outward: Outward | None = None,
    library: MessageLibrary | None = None,
    policy: ContactPolicy | None = None,
    declared: tuple[Declaration, ...] | None = None,
    staff_words: tuple[StaffWords, StaffWords] | None = None,
    crm: Crm | None = None,
) -> House:
    """Build the house on a migrated database. What comes after `settings` replaces its own, for tests.

    Raises Misconfigured for settings that do not fit, InvalidDeclaration for a journey or message written wrongly.
    """
    settings = settings.checked()
    database = Database(settings.database_url or "")
    if pace is None:
        try:
            async with database.transaction() as connection:
                pace = await installed_pace(connection, settings.pace)
        except BaseException:
            await database.close()
            raise
    clock = clock or PacedClock(pace)
    secrets = [secret.get_secret_value() for secret in settings.secrets]
    surrogates = Surrogates(secrets[-1])
    library = library or MessageLibrary()
    task_words, notice_words = staff_words or (
        StaffWords("task", settings.locale),
        StaffWords("notice", settings.locale),
    )
    catalogue = Catalogue(
        declared or declarations(),
        library,
        surrogates,
        currency=settings.currency,
        stages=read_stage_set(settings.stages),
        starting=settings.starting,
        staff_words={Reached.COLLEAGUE: task_words, Reached.STAFF: notice_words},
    )
    catalogue.messages()  # a folder without a journey is found at start, not at the first send
    public_url = settings.public_url or f"http://{settings.host}:{settings.port}"
    outward = outward or Outward()
    links = Links(secrets, public_url, telegram_bot=settings.telegram_bot, web_push=bool(settings.push_key))
    sender = sender_mailbox(settings.mail_from)
    return_paths = ReturnPaths(secrets, bounce_domain=settings.bounce_domain, sender=sender)
    if gateways is None:
        gateways = build_gateways(settings, database, clock, links, return_paths, outward)
    reporting = [gateway for gateway in gateways.values() if isinstance(gateway, Reporting)]
    company = Company(
        name=settings.company,
        url=settings.company_url,
        address=settings.company_address,
        sender=settings.mail_from,
        mailbox=sender,
        locale=settings.locale,
    )
    policies = Policies(clock, policy)
    segments = Segments(
        clock,
        SegmentCatalogue(clock, shipped_segments()),
        watched=watched_by(declarations()),
    )
    projector = Projector(database, clock, pace, catalogue, segments)
    link_tracking = LinkTracking(links, mode=settings.tracking, utm=settings.utm, site=settings.company_url)
    letters = Letters(clock, library, links, company, link_tracking)
    offers = Offers(clock, catalogue, CodeMaker(secrets[-1]))
    shop = Shop(database, clock, library, offers, locale=settings.locale, zone=settings.timezone)
    restrictions = Restrictions(clock, surrogates, serving=catalogue.serving())
    reach = Reach(surrogates, gateways)
    desk = Desk(staff=settings.staff_email or None, head=settings.head_email or None)
    mail = gateways[Channel.EMAIL]
    telling = Telling(
        database,
        mail if isinstance(mail, EmailGateway) else None,  # the sandbox outbox is for customers' messages
        sender=settings.mail_from,
        console=f"{public_url}/console/customers",
    )
    tasks = Tasks(
        database,
        clock,
        desk=desk,
        words=task_words,
        notices=notice_words,
        telling=telling,
        zone=settings.timezone,
        locale=settings.locale,
    )
    facts = FactReader(catalogue, surrogates, gateways, settings.timezone, policies.of)
    reports = DeliveryReports(database, clock, surrogates, reporting)
    return House(
        settings=settings,
        database=database,
        clock=clock,
        pace=pace,
        catalogue=catalogue,
        links=links,
        letters=letters,
        gateways=gateways,
        outward=outward,
        announcing=Announcing(database, outward),
        surrogates=surrogates,
        restrictions=restrictions,
        ingest=Ingest(database, clock, restrictions),
        projector=projector,
        sending=Sending(database, clock, pace, catalogue, projector, facts, letters, gateways, shop),
        reports=reports,
        bounces=Bounces(reports, return_paths, EmailGateway.name, lambda send: message_id(send, sender)),
        walking=Walking(database, clock, catalogue, projector, zone=settings.timezone),
        people=People(
            database,
            pace,
            catalogue,
            tasks=tasks,
            telling=telling,
            desk=desk,
            task_words=task_words,
            notice_words=notice_words,
        ),
        tasks=tasks,
        telling=telling,
        crm=TellingCrm(database, crm or build_crm(settings)),
        enrolling=Enrolling(clock, catalogue, projector),
        ad_audiences=AdAudiences(
            database,
            surrogates,
            segments,
            scope=settings.ads_consent,
            daily=settings.audiences,
            folder=settings.audiences_folder,
        ),
        segment_export=SegmentExport(database, segments),
        bulks=Bulks(clock, approve_above=settings.approve_above),
        bulk_drafting=BulkDrafting(clock, catalogue, surrogates, reach, policies, segments),
        bulk_entering=BulkEntering(database, clock, catalogue, projector, reach, policies),
        policies=policies,
        segments=segments,
        tracking=Tracking(database, clock, links, settings.tracking),
        shop=shop,
        products=Products(database, clock),
        offers=offers,
        sweeping=Sweeping(
            database, clock, settings.sweep_rules, settings.timezone, settings.visitor_days, segments=segments
        ),
    )
