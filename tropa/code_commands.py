"""The commands of whoever writes journeys and brings new code to those who walk them."""

import asyncio
from pathlib import Path
from typing import Annotated, Literal

import typer

from adapters.settings import Settings
from domain.errors import TropaError

code = typer.Typer()


@code.command("rehearse")
def rehearse_one(
    journey: Annotated[str, typer.Argument(help="Its name, or its file's: WelcomeChain, welcome_chain")],
    customer: Annotated[Path | None, typer.Option(help="The persona, TOML or JSON; Anna by default")] = None,
    script: Annotated[Path | None, typer.Option(help="What they do and when, TOML or JSON; nothing by default")] = None,
    language: Annotated[Literal["en", "ru"] | None, typer.Option(help="Of the story; the persona's by default")] = None,
    also: Annotated[
        list[str] | None, typer.Option(help="Another journey that events may start; may be repeated")
    ] = None,
    brief: Annotated[bool, typer.Option("--brief", help="Without the texts of the messages")] = False,
    history: Annotated[
        Path | None, typer.Option(help="Where to write the walk's history, for Temporal's Web UI")
    ] = None,
    explore: Annotated[bool, typer.Option("--explore", help="Search all that may happen, and what never does")] = False,
    svg: Annotated[Path | None, typer.Option(help="With --explore: where to draw the journey's map")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs")] = False,
) -> None:
    """Play a journey for one persona, months in seconds, with the real code: what comes when, and why. See
    docs/rehearse.md. It needs nothing that runs, and reaches nobody."""
    from tropa import printing
    from tropa.rehearsal import command

    if explore:
        if customer or script or also or history or brief:
            raise typer.BadParameter("--explore tries everybody and everything: it takes no persona and no script")
        found = command.explored(journey)
        if svg:
            from tropa.rehearsal.exploring.drawing import draw

            command.write(svg, draw(found, language or "en"))
        typer.echo(printing.found_json(found)) if as_json else printing.found(found, language or "en")
        raise typer.Exit(1 if found.broken else 0)
    if svg:
        raise typer.BadParameter("--svg goes with --explore")
    persona, behaviour = command.given(customer, script, language)
    story = command.rehearse(
        Settings.read(),
        journey,
        persona,
        behaviour,
        language=language,
        also=tuple(also or ()),
        history=history,
        say=lambda words: typer.echo(words, err=True),
    )
    if as_json:
        typer.echo(printing.story_json(story))
    else:
        printing.story(story, copies=not brief)


@code.command("replay")
def replay_walks(
    journey: Annotated[str, typer.Option(help="Of this journey alone")] = "",
    histories: Annotated[
        Path | None, typer.Option(help="Instead of what runs: a folder of histories, as JSON, closed ones too")
    ] = None,
    sample: Annotated[int | None, typer.Option(min=1, help="At most so many walks of each journey, by lot")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs, with everybody's id")] = False,
) -> None:
    """Who of those who walk now would break, were this code deployed, and where. Changes nothing. Exit code: 0 all
    replay, 1 some would break, 2 could not look. See docs/change-a-live-journey.md."""
    from tropa import printing
    from tropa.replaying import command

    if histories and sample:
        raise typer.BadParameter("--sample chooses among what runs; of --histories all are looked at")
    try:
        found = asyncio.run(command.replay(Settings.read(), journey=journey, histories=histories, sample=sample))
    except TropaError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    typer.echo(printing.replayed_json(found)) if as_json else printing.replayed(found)
    raise typer.Exit(found.exit_code)


@code.command("release")
def release_code(
    name: Annotated[str, typer.Argument(help="TROPA_RELEASE of workers that run already, with the code here")],
    stay: Annotated[bool, typer.Option("--stay", help="Who would break stays on the release they walk on")] = False,
) -> None:
    """Give the walks to another release. Who replays follows; who would break stays with --stay, and without it
    nothing is done. Exit code: 0 done, 1 some would break, 2 could not. See docs/change-a-live-journey.md."""
    from tropa import printing
    from tropa.replaying import command

    try:
        done = asyncio.run(command.release(Settings.read(), name, stay=stay))
    except TropaError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    printing.released(done)
    raise typer.Exit(0 if done.done else 1)


@code.command("releases")
def show_releases(name: Annotated[str, typer.Argument(help="This one alone; all by default")] = "") -> None:
    """Which release walks follow, how many stay on others, and whose workers may stop. Exit code: 0 no worker of an
    older release is needed (with a name: its workers may stop), 1 some are, 2 could not look."""
    from tropa import printing
    from tropa.replaying import command

    try:
        found = asyncio.run(command.releases(Settings.read(), name))
    except TropaError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    printing.releases(found)
    raise typer.Exit(any(each.needed if name else each.held for each in found if name or not each.current))
