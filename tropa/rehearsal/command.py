"""`tropa rehearse`: one persona's walk through a journey, months of it in seconds, with the real code."""

import asyncio
import logging
from datetime import UTC, datetime
from pathlib import Path

from adapters.settings import Settings
from adapters.templates import MessageLibrary
from domain.errors import InvalidInput, NotFound
from domain.journeys import Declaration
from tropa.rehearsal.exploring.search import Found, explore
from tropa.rehearsal.ground import Ground
from tropa.rehearsal.home import Say, ground, scratch_database
from tropa.rehearsal.playing import beginning, play
from tropa.rehearsal.reading import Persona, Script, read
from tropa.rehearsal.story import Story, tell
from workflows.registry import declarations, journeys

RUSSIAN = Persona(name="Анна", language="ru", timezone="Europe/Moscow")


def declared(journey: str) -> Declaration:
    """A journey by its name, or that of its file. Raises NotFound, naming those that there are."""
    known = declarations()
    for each in known:
        if journey in (each.name, each.folder):
            return each
    raise NotFound("journey", f"{journey} (there are: {', '.join(each.name for each in known)})")


def given(customer: Path | None, script: Path | None, language: str | None) -> tuple[Persona, Script]:
    """The persona and the script of these files, or those that stand in for them. Raises InvalidInput."""
    persona = read(Persona, customer) if customer else RUSSIAN if language == "ru" else Persona()
    return persona, read(Script, script) if script else Script()


def rehearse(
    settings: Settings,
    journey: str,
    persona: Persona,
    script: Script,
    *,
    language: str | None,
    also: tuple[str, ...] = (),
    history: Path | None = None,
    say: Say,
) -> Story:
    """Rehearse it. `also` are other journeys that events may start; `history` is where to write the walk's history,
    for Temporal's Web UI. Raises what reading, declaring and playing raise.
    """
    declaration = declared(journey)
    starting = ",".join(declared(each).name for each in (declaration.name, *also))
    speaks = language or persona.language
    start = beginning(persona, script, datetime.now(UTC))
    logging.getLogger("temporalio").setLevel(logging.ERROR)

    async def run(url: str) -> Story:
        async with ground(settings, url, start, starting, language=speaks) as here:
            say("Rehearsing ...")
            played = await play(here, declaration, persona, script)
            if history and here.engine.runs:
                _save(here, declaration.name, history)
            return await tell(here, played, language=speaks)

    with scratch_database(settings, say=say) as url:
        return asyncio.run(run(url))


def explored(journey: str) -> Found:
    """Search a journey for what may happen in it. Raises NotFound, and what a journey raises that breaks in silence."""
    declaration = declared(journey)
    found = next(each for each in journeys() if each.__name__ == declaration.name)
    said = tuple(message for message in MessageLibrary().messages() if message.journey == declaration.folder)
    logging.disable(logging.WARNING)  # what breaks is told by the report
    try:
        return explore(found, declaration, said)
    finally:
        logging.disable(logging.NOTSET)


def write(file: Path, words: str) -> None:
    """Write a file. Raises InvalidInput."""
    try:
        file.write_text(words, encoding="utf-8")
    except OSError as error:
        raise InvalidInput([f"{file}: cannot be written ({error.strerror})"]) from None


def _save(here: Ground, journey: str, file: Path) -> None:
    """The history of the journey's last walk, as Temporal's own tools read it."""
    walks = [runs[-1] for runs in here.engine.runs.values() if runs[-1].type == journey]
    write(file, walks[-1].recording.history().to_json() + "\n")
