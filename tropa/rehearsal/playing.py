"""Plays a script: one persona does what it says, on the ground, until the journey has ended."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import RowMapping, text

from adapters.database.events import told_once
from domain.customers import Consent, ConsentStatus
from domain.deliveries import Delivery, Report
from domain.errors import InvalidInput
from domain.journeys import Declaration
from domain.messages import Channel
from domain.tasks import TaskOutcome
from domain.tracking import OPEN_COUNTS_AFTER, SETTLES_AFTER
from domain.triggers import Bounds, On, Trigger, event_of
from services.audit import COMMAND_LINE
from services.customers import Change, Customers
from services.tracking import Link
from tropa.rehearsal.ground import Ground
from tropa.rehearsal.reading import REACTIONS, TASK_CLOSED, Deed, Persona, Script

MOMENT = timedelta(seconds=1)
PERSON = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0", "accept-language": "en"}


@dataclass(frozen=True, kw_only=True)
class Played:
    """What was played, for the story: from when to when, in whose zone, and whether the script's days ran out."""

    persona: Persona
    journey: str
    began: datetime
    ended: datetime
    cut_off: bool
    waited_in_vain: Sequence[Deed] = field(default_factory=tuple)

    @property
    def zone(self) -> ZoneInfo:
        """The persona's."""
        return ZoneInfo(self.persona.timezone)


def beginning(persona: Persona, script: Script, now: datetime) -> datetime:
    """When a rehearsal begins: as the script says, or next Monday at ten in the morning where the persona lives.

    Raises InvalidInput for a day of the past: what the database puts off, it puts off by its own clock.
    """
    zone = ZoneInfo(persona.timezone)
    if script.start is None:
        today = now.astimezone(zone)
        monday = today.date() + timedelta(days=7 - today.weekday())
        return datetime.combine(monday, time(10), zone).astimezone(UTC)
    began = script.start.replace(tzinfo=zone).astimezone(UTC)
    if began < now:
        raise InvalidInput([f"start: {script.start:%Y-%m-%d %H:%M} has passed; a rehearsal begins now or later"])
    return began


async def play(ground: Ground, declaration: Declaration, persona: Persona, script: Script) -> Played:
    """Play it to its end. Raises InvalidInput for a script that does not fit the journey."""
    _check(ground, declaration, script)
    player = _Player(ground, declaration, persona, script)
    await player.introduce()
    await player.play()
    return Played(
        persona=persona,
        journey=declaration.name,
        began=player.began,
        ended=ground.clock.now(),
        cut_off=bool(await player.walking()),
        waited_in_vain=player.reactions,
    )


class _Player:
    def __init__(self, ground: Ground, declaration: Declaration, persona: Persona, script: Script) -> None:
        self.began = ground.clock.now()
        self.reactions = [deed for deed in script.does if deed.after]
        self._ground, self._declaration, self._persona, self._script = ground, declaration, persona, script
        self._zone = ZoneInfo(persona.timezone)
        self._until = self.began + timedelta(days=script.days)
        self._due: list[tuple[datetime, Deed, UUID | None]] = [
            (self._on_day(deed), deed, None) for deed in script.does if not deed.after
        ]

    async def introduce(self) -> None:
        """The persona becomes a customer, and enters the journey unless the script sees to that."""
        ground, persona = self._ground, self._persona
        people = Customers(ground.clock, ground.house.restrictions)
        yes = Consent(status=ConsentStatus.GRANTED, at=self.began - timedelta(days=30), source="rehearsal")
        change = Change(
            columns={
                "email": persona.email,
                "phone": persona.phone,
                "locale": persona.language,
                "timezone": persona.timezone,
                "preferred_channel": persona.prefers,
            },
            attributes={"first_name": persona.name, **persona.attributes},
            consents={channel.value: yes for channel in persona.agrees},
            by=COMMAND_LINE,
        )
        async with ground.house.database.transaction() as connection:
            if self._script.options:
                options, name = self._script.options, self._declaration.name
                await ground.house.catalogue.set_options(connection, name, options, actor=COMMAND_LINE)
            await people.replace(connection, persona.customer_id, change)
            if persona.telegram:
                where = (persona.customer_id, Channel.TELEGRAM, persona.telegram)
                await people.set_chat(connection, *where, by=COMMAND_LINE)
        await ground.settle()
        await self._enter()

    async def _enter(self) -> None:
        plan = self._declaration.plan
        about = f"{plan.about}-1" if plan.about else ""
        if any(deed.event in plan.beginnings for deed in self._script.does):
            return
        if plan.starts_on:
            first = Deed(event=event_of(plan.starts_on[0]), day=0, about=about, properties=what_fits(plan.starts_on[0]))
            self._due.append((self.began, first, None))
            return
        house = self._ground.house
        async with house.database.transaction() as connection:
            name, who = self._declaration.name, self._persona.customer_id
            await house.enrolling.enroll(connection, name, who, about=about, options={}, actor=COMMAND_LINE)
        await self._ground.settle()

    async def play(self) -> None:
        """Go from one thing that happens to the next."""
        ground = self._ground
        while True:
            await self._react()
            self._due.sort(key=lambda each: each[0])
            theirs = self._due[0][0] if self._due else None
            if theirs is None and not await self.walking():
                return
            overdue = (await self._rows(OVERDUE))[0]["at"]
            due = min((each for each in (theirs, ground.next, overdue) if each), default=self._until)
            if due >= self._until:
                await ground.until(self._until)
                return
            await ground.until(max(due, ground.clock.now()))
            if overdue and overdue <= ground.clock.now():
                await ground.house.tasks.escalate_some()
                await ground.settle()
            while self._due and self._due[0][0] <= ground.clock.now():
                _, deed, about_what = self._due.pop(0)
                await self._do(deed, about_what)
                await ground.settle()

    async def walking(self) -> bool:
        """Whether the persona walks any journey still."""
        return bool(await self._rows("SELECT 1 FROM enrollments WHERE ended_at IS NULL"))

    async def _react(self) -> None:
        """What follows a message or a task is due from now on, once each."""
        for deed in list(self.reactions):
            query = TASKS if deed.event == TASK_CLOSED else HAPPENED
            if found := await self._rows(query, name=deed.after):
                self.reactions.remove(deed)
                self._due.append((found[0]["at"] + deed.wait, deed, found[0]["id"]))

    async def _do(self, deed: Deed, what: UUID | None) -> None:
        house, now = self._ground.house, self._ground.clock.now()
        if what is None or deed.event not in (*REACTIONS, TASK_CLOSED):
            event = told_once(
                uuid4().hex,
                customer_id=self._persona.customer_id,
                name=deed.event,
                at=now,
                source="rehearsal",
                properties=deed.properties,
                about=deed.about,
            )
            await house.ingest.accept([event])
        elif deed.event == TASK_CLOSED:
            outcome = TaskOutcome(deed.properties.get("outcome", "done"))
            async with house.database.transaction() as connection:
                await house.tasks.close(connection, what, outcome, deed.properties.get("note"), actor=COMMAND_LINE)
        elif deed.event == "message_read":
            read = Report(gateway="sandbox", provider_id=str(what), status="read", delivery=Delivery.READ, send=what)
            await house.reports.take(read)
        else:
            await self._follow(deed, what)

    async def _follow(self, deed: Deed, send: UUID) -> None:
        """A link or the picture of a letter is fetched, and graded a moment later: a real click, a real open."""
        house = self._ground.house
        if deed.event == "message_clicked":
            number = int(deed.properties.get("link", 1))
            await house.tracking.clicked(Link(send=send, number=number, target=""), PERSON)
        else:
            await house.tracking.opened(house.links.open(send).rpartition("/")[2].removesuffix(".gif"), PERSON)
        await self._ground.until(self._ground.clock.now() + SETTLES_AFTER + MOMENT)
        await house.tracking.settle_some()

    def _on_day(self, deed: Deed) -> datetime:
        """A local time of day, on the so-manyeth day; without a time, that of the beginning."""
        began = self.began.astimezone(self._zone)
        day = began.date() + timedelta(days=deed.day or 0)
        return datetime.combine(day, deed.at or began.time(), self._zone).astimezone(UTC)

    async def _rows(self, query: str, **values: object) -> Sequence[RowMapping]:
        async with self._ground.house.database.transaction() as connection:
            return (await connection.execute(text(query), values)).mappings().all()


HAPPENED = (
    "SELECT id, called_at AS at FROM sends WHERE message = :name AND state = 'accepted' ORDER BY called_at LIMIT 1"
)
OVERDUE = "SELECT min(due_at) AS at FROM tasks WHERE closed_at IS NULL AND escalated_at IS NULL"
TASKS = "SELECT id, created_at AS at FROM tasks WHERE name = :name AND closed_at IS NULL ORDER BY created_at LIMIT 1"


def _check(ground: Ground, declaration: Declaration, script: Script) -> None:
    """Refuse what would silently do nothing."""
    said = {message.name for message in ground.house.catalogue.messages_of(declaration.name)}
    wrong = [
        f"does {number}.after: {declaration.name} has no message {deed.after!r}; it has {', '.join(sorted(said))}"
        for number, deed in enumerate(script.does, 1)
        if deed.after and deed.event != TASK_CLOSED and deed.after not in said
    ]
    wrong += [
        f"does {number}.wait: an open sooner than {OPEN_COUNTS_AFTER} after a letter may be a mail filter's"
        for number, deed in enumerate(script.does, 1)
        if deed.event == "message_opened" and deed.wait < OPEN_COUNTS_AFTER
    ]
    if wrong:
        raise InvalidInput(wrong)


def what_fits(trigger: Trigger) -> dict[str, object]:
    """What an event must say to be such a one."""
    told: dict[str, object] = {}
    for name, wanted in trigger.where.items() if isinstance(trigger, On) else ():
        if isinstance(wanted, Bounds):
            told[name] = wanted.at_least if wanted.at_least is not None else wanted.at_most
        else:
            told[name] = wanted[0] if isinstance(wanted, (list, tuple)) else wanted
    return told
