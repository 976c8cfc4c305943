"""`make journey-pages`: docs/journeys/, a page for each journey with its map, from rehearsals of its own stories.

Nobody edits these pages. A test compares the digest of what each was made from, and makes one anew; CI makes all.
"""

import asyncio
import contextlib
import hashlib
import inspect
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

from adapters.staff_words import StaffWords
from adapters.stage_sets import read_stage_set
from domain.journeys import Declaration, Reached, Step
from domain.messages import Message
from domain.touchpoints import touchpoints
from services.timeline import Entry, Timeline
from tests.support import exploring
from tests.support.playback import Playback
from tests.workflows.stories import STORIES
from tropa.embedded.postgres import EmbeddedPostgres
from tropa.leaving import leave
from tropa.migrate import migrate
from tropa.rehearsal.exploring import alternatives, chart, drawing, labels, routing, search
from tropa.rehearsal.story import LINK, UTM
from workflows.registry import declarations, journeys

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "docs" / "journeys"
BEGAN = datetime(2031, 1, 6, 10, tzinfo=UTC)  # a Monday, so far away that pages stay the same
TOLD = {"event": "", "enrollment": "", "task": "**Task** ", "send": ""}
PEOPLE = {Reached.COLLEAGUE: "a colleague: task", Reached.STAFF: "staff: notice"}
OURS = ("profile_changed", "consent_changed")
CODE = re.compile(r"\b([A-Z][A-Z0-9]+)(?:-[0-9A-Z]{5})+\b")
FOOT = re.compile(r"\n+Less often, or choose topics: .*", re.DOTALL)  # of every letter

Fresh = Callable[[], contextlib.AbstractContextManager[str]]


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A message as it first went, in English."""

    channel: str
    subject: str | None
    text: str


@dataclass(kw_only=True)
class Told:
    """What the stories of a journey told: each in lines, and every message that went."""

    stories: dict[str, list[str]] = field(default_factory=dict)
    copies: dict[str, Copy] = field(default_factory=dict)


def digest_of(declaration: Declaration) -> str:
    """Of everything that a page is made from: the journey, its messages, its stories, and what makes pages."""
    files = [
        ROOT / "workflows" / f"{declaration.folder}.py",
        ROOT / "tests" / "workflows" / "stories" / f"{declaration.folder}.py",
        *sorted(each for each in (ROOT / "templates/messages" / declaration.folder).rglob("*") if ".en." in each.name),
        *sorted((ROOT / "templates/messages" / declaration.folder).rglob("message.toml")),
        *(Path(inspect.getfile(each)) for each in (Copy, alternatives, search, chart, labels, routing, drawing)),
    ]
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:16]


async def made(declaration: Declaration, fresh: Fresh) -> tuple[str, str]:
    """A journey's page and its map. `fresh` gives an empty database."""
    told = Told()
    for story in STORIES[declaration.name].values():
        with fresh() as url:
            async with Playback.on(None, url, journeys=declaration.name, began=BEGAN) as play:
                await story(play)
                [anna] = await play.rows(f"SELECT timezone FROM customers WHERE customer_id = '{play.customer_id}'")
                async with play.house.database.transaction() as connection:
                    timeline = Timeline(anna["timezone"])
                    page = await timeline.read(connection, play.customer_id, locale="en", cursor=None, limit=2000)
                title = " ".join((inspect.getdoc(story) or story.__name__).split())
                zone, entries = ZoneInfo(anna["timezone"]), reversed(page.entries)
                told.stories[title] = [_line(entry, zone) for entry in entries if _is_told(entry)]
                async for name, copy in _copies(play):
                    told.copies.setdefault(name, copy)
    journey = next(each for each in journeys() if each.__name__ == declaration.name)
    written = _page(declaration, exploring.said_by(journey), told)
    return "\n".join(written) + "\n", drawing.draw(exploring.found(journey), "en") + "\n"


def _is_told(entry: Entry) -> bool:
    if entry.kind == "event" and entry.state in OURS and entry.at <= BEGAN:
        return False
    return entry.kind in TOLD and (entry.kind != "send" or entry.state in ("accepted", "holdout", "expired"))


def _line(entry: Entry, zone: ZoneInfo) -> str:
    at = entry.at.astimezone(zone)
    days = (at.date() - BEGAN.astimezone(zone).date()).days
    words = entry.text.removesuffix(": the sandbox took it")
    return f"| {days} | {at:%H} h | {TOLD[entry.kind]}{_cell(words)} |"


async def _copies(play: Playback) -> AsyncIterator[tuple[str, Copy]]:
    for row in await play.rows(COPIES):
        yield row["message"], Copy(channel=row["channel"], subject=row["subject"], text=_steady(row["text"]))


def _steady(text: str) -> str:
    """Without what differs each time: signed links, and the codes themselves."""
    shown = LINK.sub(lambda found: f"{found['base']}/{found['page']}/…", text)
    return CODE.sub(r"\1-…", FOOT.sub("", UTM.sub("", shown))).strip()


def _page(declaration: Declaration, said: tuple[Message, ...], told: Told) -> Iterator[str]:
    title, _, plan = declaration.story.partition("\n\n")
    rows = touchpoints(declaration, said, {}, read_stage_set("seven"), titles=_titles(declaration))
    yield from (f"# {declaration.name}", "", title, "", "```text", plan.strip(), "```", "")
    yield from (f"![The map of {declaration.name}]({declaration.folder}.svg)", "")
    yield "Silence leads downward; what leads away from it is to the right, what may happen at any time beside it."
    if rows:
        begins = ", ".join(f"`{each}`" for each in rows[0].triggers) or "staff enter customers"
        yield from (
            "",
            "## Touchpoints",
            "",
            f"Begins with: {begins}. Stage: {', '.join(rows[0].stages) or 'any'}.",
            "",
        )
        yield from ("| touchpoint | channels | purpose | goal |", "| --- | --- | --- | --- |")
        for row in rows:
            channels = " → ".join(channel.value for channel in row.channels) or PEOPLE[row.reached]
            yield f"| {row.name} | {channels} | {row.purpose or ''} | {_cell(row.goal)} |"
    yield from (
        "",
        "## Stories",
        "",
        "Each was rehearsed: the real code, messages and contact policy, for one customer.",
    )
    for name, lines in told.stories.items():
        yield from ("", f"### {name}", "", "| day | their hour | |", "| --- | --- | --- |", *lines)
    if told.copies:
        yield from ("", "## What it says", "", "As it went in these stories. Texts in Russian stand beside them.")
    for row in rows:
        if copy := told.copies.get(row.name):
            yield from (
                "",
                f"### {row.name}",
                "",
                f"By {copy.channel}." + (f" **{copy.subject}**" if copy.subject else ""),
            )
            yield from ("", *(f"> {line}".rstrip() for line in copy.text.splitlines()))
    yield from ("", f"<!-- Made by `make journey-pages` from {digest_of(declaration)}. Do not edit. -->")


def _titles(declaration: Declaration) -> dict[Step, str]:
    words = {Reached.COLLEAGUE: StaffWords("task", "en"), Reached.STAFF: StaffWords("notice", "en")}
    return {
        (reached, name): words[reached].title(declaration.folder, name)
        for reached, name in declaration.steps
        if reached is not Reached.CUSTOMER
    }


def _cell(words: str) -> str:
    return _steady(" ".join(words.split())).replace("|", "\\|")


COPIES = """
    SELECT s.message, o.channel, o.subject, o.text FROM sandbox_outbox o JOIN sends s ON s.id = o.send
    ORDER BY s.slot_at, s.message, o.channel
"""


@contextlib.contextmanager
def database(server: EmbeddedPostgres, template: str) -> Iterator[str]:
    """An empty database, copied from one that has the tables."""
    name = f"page_{uuid4().hex[:12]}"
    server.create_database(name, template)
    try:
        yield server.url(name)
    finally:
        server.drop_database(name)


def main(arguments: list[str]) -> int:
    """Write the pages of the journeys named, or of all."""
    PAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tropa-") as folder:
        Path(folder).chmod(0o711)
        server = EmbeddedPostgres(Path(folder), settings={"fsync": "off", "synchronous_commit": "off"})
        server.ensure()
        try:
            server.create_database("template")
            migrate(server.url("template"))
            for each in declarations():
                if not arguments or each.name in arguments:
                    page, svg = asyncio.run(made(each, lambda: database(server, "template")))
                    (PAGES / f"{each.folder}.md").write_text(page, encoding="utf-8")
                    (PAGES / f"{each.folder}.svg").write_text(svg, encoding="utf-8")
                    sys.stdout.write(f"docs/journeys/{each.folder}.md\n")
                    sys.stdout.flush()
        finally:
            server.stop()
    return 0


if __name__ == "__main__":
    import logging

    logging.disable(logging.WARNING)
    leave(main(sys.argv[1:]))
