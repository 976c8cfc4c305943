"""How the operators' commands print: tables and lines, whole in a terminal and in a pipe."""

import dataclasses
import itertools
import sys
from collections.abc import Sequence
from datetime import timedelta

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from adapters.releases import Release
from domain.sweep import Silent, Swept
from domain.touchpoints import Touchpoint
from services.findings import Diagnosis, Finding, Severity
from services.importing import Counts
from tropa.commands import JourneyRow, Told
from tropa.rehearsal import telling
from tropa.rehearsal.exploring import report
from tropa.rehearsal.exploring.search import Found
from tropa.rehearsal.story import Story
from tropa.replaying import findings
from tropa.replaying.findings import Findings
from tropa.replaying.releasing import Released

WIDE = 160  # in a pipe, where nobody has a width
WHY_SILENT = {
    Silent.FIRST: "it is the first",
    Silent.RULES: "TROPA_SWEEP has changed since the last",
    Silent.IMPORT: "customers were imported since the last",
}
EXAMPLES = 3  # of walks that would break alike
SHOWN = 10  # rows that were wrong
STYLES = {Severity.LOOK: "yellow", Severity.BROKEN: "bold red"}


def journeys(rows: Sequence[JourneyRow]) -> None:
    """A table, one line for each journey."""
    table = Table()
    for heading in ("journey", "starts on", "goal"):
        table.add_column(heading)
    for heading in ("messages", "walking now", "converted", "lapsed", "exited", "left"):
        table.add_column(heading, justify="right")
    for row in rows:
        counts = (row.messages, row.walking, row.converted, row.lapsed, row.exited, row.left)
        words = (row.name, ", ".join(row.starts_on) or "—", row.goal or "—")
        table.add_row(*(Text(word) for word in words), *(str(count) for count in counts))
    _console().print(table)


def touchpoints(rows: Sequence[Touchpoint]) -> None:
    """The touchpoint map: for each journey what starts it and the stage it leads to, then whom it reaches, in order."""
    table = Table()
    for heading in ("journey: stage, trigger", "touchpoint", "channels", "purpose", "goal"):
        table.add_column(heading)
    for journey, found in itertools.groupby(rows, key=lambda row: row.journey):
        several = list(found)
        stages = ", ".join(several[0].stages) or "any stage"
        begins = ", ".join(map(str, several[0].triggers)) or "staff enter customers"
        for number, row in enumerate(several):
            channels = " → ".join(channel.value for channel in row.channels) or f"a person ({row.reached})"
            words = (row.name, channels, row.purpose or "", row.goal)
            first = Text(f"{journey}: {stages}\n{begins}" if number == 0 else "")
            table.add_row(first, *map(Text, words), end_section=row is several[-1])
    _console().print(table)


def touchpoints_json(rows: Sequence[Touchpoint]) -> str:
    """The same for programs."""
    told = [{**dataclasses.asdict(row), "triggers": [str(each) for each in row.triggers]} for row in rows]
    return msgspec.json.format(msgspec.json.encode(told), indent=2).decode()


def timeline(told: Told) -> None:
    """A line for each entry, in the customer's own time."""
    console = _console()
    _line(console, f"Times are of {told.zone}.", style="dim")
    if told.earlier:
        _line(console, "There are earlier entries; --limit shows more.", style="dim")
    for entry in told.entries:
        _line(console, f"{told.local(entry.at)}  {entry.text}")


def story(found: Story, *, copies: bool) -> None:
    """A rehearsal, day by day."""
    console = _console()
    for words, style in telling.told(found, width=console.width, copies=copies):
        _line(console, words, style=style)


def story_json(found: Story) -> str:
    """The same for programs."""
    return msgspec.json.format(msgspec.json.encode(telling.data(found)), indent=2).decode()


def found(explored: Found, language: str) -> None:
    """What a search found in a journey, and what it did not."""
    console = _console()
    for words, style in report.told(explored, language):
        _line(console, words, style=style)


def found_json(explored: Found) -> str:
    """The same for programs."""
    return msgspec.json.format(msgspec.json.encode(report.data(explored)), indent=2).decode()


def replayed(found: Findings) -> None:
    """What was looked at, and those who would break, alike together."""
    console = _console()
    looked, there = found.replayed.total(), found.found.total()
    _line(console, f"{looked:,} of {there:,} walks replayed against this code.")
    if found.ended:
        _line(console, f"{found.ended:,} ended meanwhile.", style="dim")
    if found.staying:
        _line(console, f"{found.staying:,} would break and are held on their release.", style="dim")
    for each in found.journeys:
        broken = f"{each.broken:,} would break" if each.broken else "none would break"
        _line(console, f"  {each.journey}: {broken}, {each.replayed:,} of {each.found:,} replayed")
    for alike in found.alike:
        _line(console, "")
        _line(console, f"{alike.one.journey}: {len(alike.breaks):,} would break {alike.words}", style="bold red")
        _line(console, "  " + ", ".join(each.enrollment for each in alike.breaks[:EXAMPLES]), style="dim")
        _line(console, f"  → {findings.ADVICE[alike.one.kind]}")
    if not found.whole:
        _line(console, f"{there - looked - found.ended:,} were not looked at.", style="yellow")
    elif not found.breaks:
        _line(console, "Nobody would break.", style="green")


def replayed_json(found: Findings) -> str:
    """The same for programs."""
    return msgspec.json.format(msgspec.json.encode(findings.data(found)), indent=2).decode()


def released(done: Released) -> None:
    """What was found, and what became of the walks."""
    replayed(done.found)
    console = _console()
    if not done.done:
        _line(
            console, "Nothing was done. With --stay they stay on their release, and the others follow.", style="yellow"
        )
        return
    _line(console, f"{done.name} is current: whoever begins walks it, and whoever replays follows.", style="green")
    if done.held:
        _line(console, f"{done.held:,} stay on their release: keep its workers until `tropa releases` counts nobody.")
    if done.let_go:
        _line(console, f"{done.let_go:,} who stayed on an earlier release replay, and follow again.")


def releases(found: Sequence[Release]) -> None:
    """A line for each that somebody walks or works on."""
    console = _console()
    for each in found:
        if each.current or each.held or each.workers or len(found) == 1:
            _line(console, f"{each.name}: {_stands(each)}", style="green" if each.current and each.workers else "")
    if not found:
        _line(console, "There are none: no worker here had TROPA_RELEASE. Everybody follows the code that runs.")


def _stands(release: Release) -> str:
    alone = f", and no worker of it asks for work: start one with TROPA_RELEASE={release.name}"
    if release.current:
        return "current" + ("" if release.workers else alone)
    if release.held:
        stay = "walk stays" if release.held == 1 else "walks stay"
        return f"{release.held:,} {stay} on it" + ("" if release.workers else alone)
    if release.new:
        return f"new, nobody walks it before `tropa release {release.name}`"
    return "nobody stays on it" + (": its workers may stop" if release.workers else ", and it has no workers")


def swept(found: Swept) -> None:
    """A line for each event's name, and what else was done."""
    console = _console()
    why = f", silently: {WHY_SILENT[found.silent]}" if found.silent else ""
    _line(console, f"Swept as of {found.as_of:%Y-%m-%d %H:%M} UTC{why}.")
    _line(console, f"{found.customers:>9,}  customers looked at")
    for name, count in sorted(found.told.items()):
        _line(console, f"{count:>9,}  {name}")
    _line(console, f"{found.silently:>9,}  states set silently, which start nothing")
    _line(console, f"{found.bought:>9,}  with RFM, {found.moved:,} of them in another segment than before")
    _line(console, f"{found.forgotten:>9,}  visitors without a name forgotten")


def imported(counts: Counts, problems: Sequence[tuple[int, str, str]]) -> None:
    """The counts, and the first rows that were wrong: line, field, words."""
    console = _console()
    _line(
        console,
        f"{counts.rows:,} rows: {counts.stored:,} stored, {counts.known:,} known from before, {counts.wrong:,} wrong.",
    )
    for line, field, problem in problems[:SHOWN]:
        _line(console, f"line {line}: {field}: {problem}", style="yellow")
    if len(problems) > SHOWN:
        _line(console, "There are more; --problems FILE writes them all.", style="dim")


def diagnosis(found: Diagnosis) -> None:
    """A line for each finding, the worst first."""
    console = _console()
    for finding in found.findings:
        _line(console, _told(finding), style=STYLES[finding.severity])
    if not found.findings:
        _line(console, "All is well.", style="green")
    if found.temporal == "not asked":
        _line(console, "Temporal was not asked: nothing here says where it is (TROPA_TEMPORAL_ADDRESS).", style="dim")


def diagnosis_json(found: Diagnosis) -> str:
    """The same for programs."""
    findings = [
        {
            "name": each.name,
            "severity": each.severity.value,
            "count": each.count,
            "oldest_seconds": each.oldest and round(each.oldest.total_seconds()),
            "words": each.words,
            "advice": each.advice,
        }
        for each in found.findings
    ]
    told = {"verdict": found.verdict, "temporal": found.temporal, "findings": findings}
    return msgspec.json.format(msgspec.json.encode(told), indent=2).decode()


def _told(finding: Finding) -> str:
    age = f" (oldest: {duration(finding.oldest)})" if finding.oldest is not None else ""
    return f"{finding.severity.value:<6} {finding.count:>6}  {finding.words}{age} → {finding.advice}"


def duration(age: timedelta) -> str:
    """An age as a person says it."""
    seconds = int(age.total_seconds())
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{max(seconds, 0)} s"


def _console() -> Console:
    return Console() if sys.stdout.isatty() else Console(width=WIDE)


def _line(console: Console, words: str, style: str = "") -> None:
    console.print(Text(words, style=style), soft_wrap=True)
