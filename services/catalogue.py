"""The journeys and messages of this installation: what the code declares, with what marketers set."""

import logging
from collections.abc import Collection, Mapping
from types import MappingProxyType

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database.statements import text
from adapters.staff_words import StaffWords
from adapters.surrogates import Surrogates
from adapters.templates import MessageLibrary
from domain.errors import InvalidDeclaration, InvalidInput, NotFound
from domain.experiments import Experiment
from domain.journey_settings import RESERVED, STARTS_ON, experiment_of, problems_in, starts_here
from domain.journeys import Declaration, Reached
from domain.messages import Channel, Message
from domain.options import parse_options, written_options
from domain.routing import Listed, Routing
from domain.stages import StageSet
from domain.surveys import Survey
from domain.touchpoints import Touchpoint, touchpoints
from services import audit
from services.audit import Actor

log = logging.getLogger(__name__)


class Catalogue:
    """Journeys by name. Declarations come from the code; settings from the table, read fresh in each transaction.

    `starting` are the journeys that events start here; all, when none is named. Staff may start any. `staff_words` are
    those of tasks (a colleague) and of notices (the staff), for the touchpoint map.
    """

    def __init__(
        self,
        declarations: tuple[Declaration, ...],
        library: MessageLibrary,
        surrogates: Surrogates,
        *,
        currency: str = "EUR",
        stages: StageSet | None = None,
        starting: Collection[str] = (),
        staff_words: Mapping[Reached, StaffWords] = MappingProxyType({}),
    ) -> None:
        self._declarations = {declaration.name: declaration for declaration in declarations}
        self._library, self.surrogates, self.currency = library, surrogates, currency
        self._staff_words = staff_words
        if unknown := sorted(set(starting) - self._declarations.keys()):
            raise InvalidDeclaration(
                f"TROPA_JOURNEYS names {unknown[0]!r}; there are: {', '.join(sorted(self._declarations))}"
            )
        self._starting = frozenset(starting) or self._declarations.keys()
        self.stages = stages or StageSet(name="")

    def journeys(self) -> tuple[Declaration, ...]:
        """All declarations, by name."""
        return tuple(self._declarations[name] for name in sorted(self._declarations))

    def journey(self, name: str) -> Declaration:
        """One declaration. Raises NotFound."""
        if name not in self._declarations:
            raise NotFound("journey", name)
        return self._declarations[name]

    def serving(self) -> frozenset[str]:
        """The journeys that serve: they go on after an opt-out of everything."""
        return frozenset(name for name, declaration in self._declarations.items() if declaration.plan.serves)

    def message(self, journey: str, message: str) -> Message:
        """A message of a journey, by the journey's name. Raises NotFound."""
        return self._library.message(self.journey(journey).folder, message)

    def messages(self) -> tuple[tuple[Declaration, Message], ...]:
        """All messages with their journeys. Raises InvalidDeclaration for a folder that no journey has."""
        by_folder = {declaration.folder: declaration for declaration in self._declarations.values()}
        found = []
        for message in self._library.messages():
            if message.journey not in by_folder:
                raise InvalidDeclaration(f"templates/messages/{message.journey}/ belongs to no journey in workflows/.")
            found.append((by_folder[message.journey], message))
        return tuple(found)

    def messages_of(self, journey: str) -> tuple[Message, ...]:
        """What a journey can say. Raises NotFound."""
        folder = self.journey(journey).folder
        return tuple(message for message in self._library.messages() if message.journey == folder)

    def title(self, journey: str, message: str, lang: str) -> str:
        """What staff call a message: its subject; the name of one that is there no more."""
        try:
            return self._library.title(self.journey(journey).folder, message, lang)
        except NotFound:
            return message.replace("_", " ")

    def touchpoints(self, journey: str, settings: Mapping[str, object]) -> list[Touchpoint]:
        """A journey's rows of the touchpoint map, with what marketers set of it. Raises NotFound."""
        declared = self.journey(journey)
        titles = {
            (reached, name): words.title(folder, name)
            for reached, words in self._staff_words.items()
            for folder, name in words.names()
            if folder == declared.folder
        }
        return touchpoints(declared, self.messages_of(journey), settings, self.stages, titles=titles)

    def survey(self, name: str) -> Survey:
        """A survey. Raises NotFound."""
        if name not in self._library.surveys:
            raise NotFound("survey", name)
        return self._library.surveys[name]

    def channels(self) -> frozenset[Channel]:
        """The channels that some message is written for."""
        return frozenset(channel for message in self._library.messages() for channel in message.channels)

    def topics(self) -> tuple[str, ...]:
        """What customers may choose by, in order."""
        return tuple(self._library.topics.words)

    def topic_words(self, lang: str) -> dict[str, str]:
        """What customers read of each topic, in order. `lang` is en or ru."""
        return {topic: words[lang] for topic, words in self._library.topics.words.items()}

    async def settings(self, connection: AsyncConnection) -> dict[str, dict[str, object]]:
        """What marketers set, by journey, as JSON. Nothing starts a journey that this installation does not start."""
        stored = await self._stored(connection)
        resting = {name: {**stored.get(name, {}), STARTS_ON: []} for name in self._declarations.keys() - self._starting}
        return {**stored, **resting}

    async def _stored(self, connection: AsyncConnection) -> dict[str, dict[str, object]]:
        rows = await connection.execute(text("SELECT journey, options FROM journey_settings"))
        return {row.journey: row.options for row in rows}

    async def routing(self, connection: AsyncConnection) -> Routing:
        """What projection needs to know."""
        settings = await self.settings(connection)
        listed = {
            name: Listed(
                declaration=declaration,
                starts_on=starts_here(declaration.plan, settings.get(name, {})),
            )
            for name, declaration in self._declarations.items()
        }
        return Routing(
            journeys=listed,
            surrogate=self.surrogates.of,
            currency=self.currency,
            stages=self.stages,
            surveys=self._library.surveys,
        )

    async def experiment(self, connection: AsyncConnection, journey: str, name: str) -> Experiment:
        """An experiment of a journey, as it runs here. Raises NotFound."""
        plan, settings = self.journey(journey).plan, await self.settings(connection)
        return experiment_of(plan, journey, settings.get(journey, {}), name)

    async def options(
        self, connection: AsyncConnection, journey: str, given: dict[str, object] | None = None
    ) -> dict[str, object]:
        """An enrollment's full options: defaults, then the installation's, then its own. Raises InvalidInput."""
        declared = self.journey(journey).plan.options
        stored = (await self.settings(connection)).get(journey, {})
        here = {n: value for n, value in stored.items() if n not in RESERVED and _fits(declared, n, value)}
        if whole := sorted(RESERVED & (given or {}).keys()):
            raise InvalidInput(
                [f"options.{name}: is set for the whole journey: PATCH /v1/journeys/{journey}" for name in whole]
            )
        return written_options(parse_options(declared, {**here, **(given or {})}))

    async def set_options(
        self, connection: AsyncConnection, journey: str, changes: dict[str, object], *, actor: Actor
    ) -> None:
        """Change the installation's options of a journey for enrollments to come. Raises NotFound, InvalidInput."""
        declaration = self.journey(journey)
        # One change at a time: each reads what the last one wrote.
        await connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:of, 0))"), {"of": journey})
        stored = (await self._stored(connection)).get(journey, {})
        kept = {n: v for n, v in stored.items() if n in RESERVED or _fits(declaration.plan.options, n, v)}
        merged = {**kept, **changes}
        problems = problems_in(declaration.plan, merged)
        try:
            parse_options(declaration.plan.options, {n: v for n, v in merged.items() if n not in RESERVED})
        except InvalidInput as error:
            problems += error.problems
        if problems:
            raise InvalidInput(problems)
        await connection.execute(
            text("""
                INSERT INTO journey_settings (journey, options) VALUES (:journey, cast(:options AS jsonb))
                ON CONFLICT (journey) DO UPDATE SET options = excluded.options
            """),
            {"journey": journey, "options": msgspec.json.encode(merged).decode()},
        )
        new = {name: value for name, value in changes.items() if name not in stored or stored[name] != value}
        if new:
            old = {name: stored[name] for name in new if name in stored}
            await audit.write(connection, actor, "journey.set", kind="journey", subject=journey, before=old, after=new)


def _fits(declared: type, name: str, value: object) -> bool:
    """Whether a stored option still is one: code may have changed since. One that is not gives way to its default."""
    try:
        parse_options(declared, {name: value})
    except InvalidInput:
        log.error("a stored option no longer fits and is left out", extra={"error": name})
        return False
    return True
