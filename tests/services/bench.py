"""The data path and the ledger on a real database, with a journey and messages of the tests' own."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import text

from activities.sending import SendRequest
from adapters.database import customers, enrollments
from adapters.database.connection import Database
from adapters.link_tracking import LinkTracking
from adapters.links import Links
from adapters.offer_codes import CodeMaker
from adapters.staff_words import StaffWords
from adapters.stage_sets import read_stage_set
from adapters.surrogates import Surrogates
from adapters.templates import MESSAGES, MessageLibrary
from domain.clock import Pace
from domain.consequences import Walk
from domain.contact_policy import ContactPolicy
from domain.customers import Consent, ConsentStatus
from domain.journeys import Declaration, Plan
from domain.messages import Channel, Limit, Purpose
from domain.options import Id
from domain.sends import SendResult, send_id
from domain.stages import StageSet
from domain.tasks import Desk
from domain.tracking import TrackingMode
from services.bulk_drafting import BulkDrafting
from services.bulk_entering import BulkEntering
from services.bulks import Bulks
from services.catalogue import Catalogue
from services.enrolling import Enrolling
from services.entering import Reach
from services.erasing import Erasing
from services.ingest import Ingest
from services.letters import Company, Letters
from services.merging import Merging
from services.offers import Offers
from services.people import People
from services.policies import Policies
from services.products import Products
from services.project import Projector
from services.restrict import Restrictions
from services.send_facts import FactReader
from services.sending import Sending
from services.shop import Shop
from services.tasks import Tasks
from services.telling import Telling
from services.tracking import Tracking
from services.walking import Walking
from tests.support.everybody import Everybody
from tests.support.factories import STAFF, SettableClock, an_event
from tests.support.providers import Provider

SECRET = "a secret of the tests"
ANY_CHANNEL = dict.fromkeys(Purpose, frozenset(Channel))
NO_LIMITS = ContactPolicy(
    cap=Limit(times=1000, within=timedelta(hours=24)),
    scheduled_cap=Limit(times=1000, within=timedelta(hours=24)),
    gap=timedelta(0),
    whatsapp_before_email=timedelta(0),
    jitter=timedelta(0),
    explicit_consent=frozenset(),
    channels=ANY_CHANNEL,
)
CALM = ContactPolicy(jitter=timedelta(0), channels=ANY_CHANNEL)


class Size(StrEnum):
    """How big."""

    SMALL = "small"
    BIG = "big"


TRIAL = Plan(
    starts_on=("trial_started",),
    hears=("looked",),
    goal="bought",
    exits=("gave_up",),
    properties={"looked": {"product": Id, "count": int, "size": Size}},
)
CART = Plan(starts_on=("cart_left",), hears=("looked",), goal="bought", about="cart")

# name: purpose, channels, shelf life, limit
LETTERS = {
    "note": ("value", ["email"], "3 days", 1000),
    "either": ("value", ["email", "sms"], "3 days", 1000),
    "twice_either": ("value", ["email", "sms"], "3 days", 2),
    "receipt": ("transactional", ["email"], "3 days", 1000),
    "brief": ("value", ["email"], "1 hour", 1000),
    "twice": ("value", ["email"], "3 days", 2),
    "broken": ("value", ["email"], "3 days", 1000),
}


def folders(folder: str, names: list[str]) -> list[str]:
    """What `copytree` is to leave out: the messages of journeys that are not the tests' own."""
    return [name for name in names if (Path(folder) / name).is_dir()]


def write_messages(folder: Path) -> MessageLibrary:
    """The messages of the journey Trial, in their folders, compiled."""
    shutil.copytree(MESSAGES, folder, ignore=folders)
    for name, (purpose, channels, shelf_life, limit) in LETTERS.items():
        message = folder / "trial" / name
        message.mkdir(parents=True)
        word = "{{ nobody_knows }}" if name == "broken" else "{{ customer.first_name or 'friend' }}"
        (message / "message.toml").write_text(
            f'purpose = "{purpose}"\ngoal = "They know what is new."\nchannels = {channels}\n'
            f'shelf_life = "{shelf_life}"\nlimit = {{ times = {limit}, within = "30 days" }}\n'
            '[why]\nen = "You asked for it."\nru = "Вы об этом просили."\n',
            encoding="utf-8",
        )
        for locale in ("en", "ru"):
            links = '<a href="https://acme.test/news">News</a> <a href="https://acme.test/more">More</a>'
            letter = f"subject: News\npreview: Some news\n\n<mj-text><p>Hello, {word}! {links}</p></mj-text>\n"
            (message / f"email.{locale}.mjml").write_text(letter, encoding="utf-8")
            if "sms" in channels:
                (message / f"sms.{locale}.txt").write_text(f"Hello, {word}!", encoding="utf-8")
    return MessageLibrary(folder)


@dataclass(kw_only=True)
class Bench:
    """Everything on one database. Customers are called by the company's own ids."""

    database: Database
    clock: SettableClock
    library: MessageLibrary
    policy: ContactPolicy = CALM
    email: Provider = field(default_factory=lambda: Provider("mail"))
    sms: Provider = field(default_factory=lambda: Provider("texts"))
    ours: dict[str, str] = field(default_factory=dict)
    stages: StageSet = field(default_factory=lambda: StageSet(name=""))
    plans: Mapping[str, Plan] = field(default_factory=lambda: {"Trial": TRIAL, "Cart": CART})

    def __post_init__(self) -> None:
        self.pace = Pace(anchor=self.clock.now())
        self.surrogates = Surrogates(SECRET)
        declared = tuple(Declaration(name=n, folder=n.lower(), plan=p, story="") for n, p in self.plans.items())
        self.catalogue = Catalogue(declared, self.library, self.surrogates, stages=self.stages)
        self.restrictions = Restrictions(self.clock, self.surrogates, serving=self.catalogue.serving())
        self.ingest = Ingest(self.database, self.clock, self.restrictions)
        self.projector = Projector(self.database, self.clock, self.pace, self.catalogue)
        self.enrolling = Enrolling(self.clock, self.catalogue, self.projector)
        reach, policies = Reach(self.surrogates, list(Channel)), Policies(self.clock, self.policy)
        self.bulks = Bulks(self.clock, approve_above=1000)
        self.drafting = BulkDrafting(self.clock, self.catalogue, self.surrogates, reach, policies, Everybody())
        self.entering = BulkEntering(self.database, self.clock, self.catalogue, self.projector, reach, policies)
        self.walking = Walking(self.database, self.clock, self.catalogue, self.projector, zone="UTC")
        words = {"task_words": StaffWords("task", "en"), "notice_words": StaffWords("notice", "en")}
        desk = Desk(staff="staff@acme.test", head="head@acme.test")
        self.telling = Telling(self.database, None, sender="Acme <a@acme.test>", console="https://acme.test/customers")
        self.tasks = Tasks(
            self.database, self.clock, desk=desk, words=words["task_words"], notices=words["notice_words"],
            telling=self.telling, zone="UTC", locale="en",
        )  # fmt: skip
        self.people = People(
            self.database, self.pace, self.catalogue, tasks=self.tasks, telling=self.telling, desk=desk, **words
        )
        self.erasing = Erasing(self.clock, self.restrictions)
        self.merging = Merging(self.clock, self.restrictions, self.erasing)
        self.facts = FactReader(self.catalogue, self.surrogates, list(Channel), "UTC", lambda _: self.policy)
        company = Company(
            name="Acme", url="https://acme.test", address="1 Road", sender="Acme <a@acme.test>",
            mailbox="a@acme.test", locale="en",
        )  # fmt: skip
        self.links = Links([SECRET], "https://mail.acme.test")
        link_tracking = LinkTracking(self.links, mode=TrackingMode.FULL, utm=True, site=company.url)
        self.letters = Letters(self.clock, self.library, self.links, company, link_tracking)
        self.products = Products(self.database, self.clock)
        self.offers = Offers(self.clock, self.catalogue, CodeMaker(SECRET))
        self.shop = Shop(self.database, self.clock, self.library, self.offers, locale="en", zone="UTC")
        self.tracking = Tracking(self.database, self.clock, self.links, TrackingMode.FULL)
        self.sending = self.sender()

    def sender(self, **changes: Any) -> Sending:
        """Another process that sends, with something of its own."""
        own: dict[str, Any] = {
            "database": self.database,
            "clock": self.clock,
            "pace": self.pace,
            "catalogue": self.catalogue,
            "projector": self.projector,
            "facts": self.facts,
            "letters": self.letters,
            "shop": self.shop,
            "gateways": {Channel.EMAIL: self.email, Channel.SMS: self.sms},
        }
        return Sending(**{**own, **changes})

    def with_plans(self, **plans: Plan) -> "Bench":
        """The same bench with other journeys."""
        return replace(self, plans=plans)

    def with_stages(self, name: str = "seven") -> "Bench":
        """The same bench where customers go through stages."""
        return replace(self, stages=read_stage_set(name))

    def with_policy(self, policy: ContactPolicy) -> "Bench":
        """The same bench with another policy."""
        return replace(self, policy=policy)

    # Doing -----------------------------------------------------------------------------------------------------------

    async def a_customer(self, customer_id: str = "anna", *, consent: bool = True, **profile: object) -> str:
        """Somebody with an address, a phone and a yes to both. Answers our id."""
        now = self.clock.now()
        async with self.database.transaction() as connection:
            ours = (await customers.identify(connection, [customer_id], now))[customer_id]
            known = {"email": f"{customer_id}@example.com", "phone": "+15550100", "timezone": "UTC", **profile}
            await customers.update_profile(connection, ours, known)
            for channel in Channel if consent else ():
                word = Consent(status=ConsentStatus.GRANTED, at=now - timedelta(days=30), source="test")
                await customers.put_consent(connection, ours, channel.value, word)
        self.ours[customer_id] = ours
        return ours

    async def a_walk(self, customer_id: str = "anna", journey: str = "Trial", about: str = "") -> str:
        """An open enrollment of a customer, who is made when unknown."""
        ours = self.ours.get(customer_id) or await self.a_customer(customer_id)
        async with self.database.transaction() as connection:
            walk = Walk(
                id=(await enrollments.mint(connection, 1))[0],
                journey=journey,
                about=about,
                started_at=self.clock.now(),
            )
            await enrollments.insert(connection, ours, walk, cause="test", options={})
        return walk.id

    async def does(self, name: str, customer_id: str = "anna", *, project: bool = True, **details: Any) -> None:
        """Something happens; unless told not to, it is projected."""
        details.setdefault("at", self.clock.now())
        await self.ingest.accept([an_event(name, customer_id, **details)])
        if project:
            await self.project()

    async def erase(self, customer_id: str = "anna") -> None:
        """Somebody is erased."""
        async with self.database.transaction() as connection:
            await self.erasing.erase(connection, customer_id, actor=STAFF)

    async def merge(self, into: str, other: str) -> None:
        """Two turn out to be one person."""
        async with self.database.transaction() as connection:
            await self.merging.merge(connection, into, other, actor=STAFF)

    async def project(self) -> int:
        """Project until nothing waits."""
        applied = 0
        while some := await self.projector.project_some():
            applied += some
        return applied

    def request(
        self, enrollment: str, message: str = "note", *, visit: int = 1, customer: str = "anna", **cascade: Any
    ) -> SendRequest:
        """What the activity would ask for."""
        ours = self.ours[customer]
        return SendRequest(enrollment=enrollment, customer=ours, message=message, visit=visit, **cascade)

    async def send(
        self,
        enrollment: str,
        message: str = "note",
        *,
        visit: int = 1,
        customer: str = "anna",
        started: datetime | None = None,
        by: Sending | None = None,
    ) -> SendResult:
        """Send, now unless `started` says otherwise."""
        request = self.request(enrollment, message, visit=visit, customer=customer)
        return await (by or self.sending).send(request, started=started or self.clock.now())

    # Looking ---------------------------------------------------------------------------------------------------------

    async def rows(self, query: str, **values: object) -> list[dict[str, Any]]:
        """What a query finds."""
        async with self.database.transaction() as connection:
            return [dict(row) for row in (await connection.execute(text(query), values)).mappings()]

    async def change(self, statement: str, **values: object) -> None:
        """Change something behind the services' backs."""
        async with self.database.transaction() as connection:
            await connection.execute(text(statement), values)

    async def ledger(self, enrollment: str, message: str = "note", *, visit: int = 1) -> Mapping[str, Any]:
        """A send's row."""
        found = await self.rows("SELECT * FROM sends WHERE id = :id", id=send_id(enrollment, message, visit))
        return found[0]

    async def words(self, **where: object) -> list[str]:
        """What was decided, in words, in order."""
        wanted = " AND ".join(f"{name} = :{name}" for name in where) or "true"
        return [
            row["words"] for row in await self.rows(f"SELECT words FROM decisions WHERE {wanted} ORDER BY id", **where)
        ]

    async def dispatched(self, enrollment: str) -> list[str]:
        """What Temporal is to be told of a walk, in order."""
        query = "SELECT kind FROM dispatches WHERE enrollment = :id ORDER BY id"
        return [row["kind"] for row in await self.rows(query, id=enrollment)]
