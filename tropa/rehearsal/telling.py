"""How a story is told: lines for a terminal, or data for programs."""

import textwrap
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from domain.durations import counted
from domain.endings import ending_words
from tropa.rehearsal.story import Copy, End, Line, Story
from tropa.rehearsal.words import MESSAGES, TASKS, lasting, long_date, say, short_date

MARKS = {"event": "·", "enrollment": "▸", "send": "✉", "decision": "·", "task": "☎", "wait": "…"}
STYLES = {"event": "bold", "enrollment": "cyan", "send": "", "decision": "", "task": "magenta", "wait": "dim"}
WIDEST = 100  # columns that read well
SENT = "bold green"
NOT_SENT = "yellow"


def told(story: Story, *, width: int, copies: bool) -> Iterator[tuple[str, str]]:
    """The story's lines for a terminal, each with its style."""
    played, language = story.played, story.language
    persona, zone = played.persona, played.zone
    start = short_date(played.began.astimezone(zone), language)
    yield (
        say(
            "title",
            language,
            journey=played.journey,
            name=persona.name,
            tongue=persona.language,
            zone=persona.timezone,
            start=start,
        ),
        "bold",
    )
    day = None
    for line in story.lines:
        local = line.at.astimezone(zone)
        if local.date() != day:
            day = local.date()
            number = (day - played.began.astimezone(zone).date()).days
            yield "", ""
            yield say("day", language, day=number, date=long_date(local, language)), "bold underline"
        yield f"  {local:%H:%M}  {MARKS[line.kind]} {line.text}", _style(line)
        if line.copy:
            yield from _copy(line.copy, language, width, whole=copies)
    yield "", ""
    yield from _ends(story)


def _style(line: Line) -> str:
    if line.kind == "send":
        return SENT if line.state == "accepted" else NOT_SENT
    return STYLES[line.kind]


def _copy(copy: Copy, language: str, width: int, *, whole: bool) -> Iterator[tuple[str, str]]:
    to = say("to", language, recipient=copy.recipient)
    margin = " " * 11 + "│ "
    columns = max(min(width, WIDEST) - len(margin), 30)
    yield f"{margin}{to}", "dim"
    if copy.subject:
        yield f"{margin}{copy.subject}", "bold"
    for paragraph in copy.text.strip().splitlines() if whole else ():
        for part in textwrap.wrap(paragraph, columns, break_long_words=False) or [""]:
            yield f"{margin}{part}".rstrip(), ""


def _ends(story: Story) -> Iterator[tuple[str, str]]:
    language, played = story.language, story.played
    for end in story.ends:
        yield _end(end, story), "bold"
    if not any(end.journey == played.journey for end in story.ends):
        yield say("nothing", language, journey=played.journey), "bold red"
    for deed in played.waited_in_vain:
        yield say("in vain", language, event=deed.event, after=deed.after), "yellow"


def _end(end: End, story: Story) -> str:
    language, zone = story.language, story.played.zone
    counts = [counted(end.messages, MESSAGES, language)]
    if end.tasks:
        counts.append(counted(end.tasks, TASKS, language))
    name = f"{end.journey} ({end.about})" if end.about else end.journey
    if end.word is None or end.at is None:
        gone = timedelta(days=(story.played.ended - end.began).days)
        return say("still", language, journey=name, days=lasting(gone, language), counts=", ".join(counts))
    day = (end.at.astimezone(zone).date() - story.played.began.astimezone(zone).date()).days
    how = ending_words(end.word, language)
    return say("end", language, journey=name, how=how, day=day, counts=", ".join(counts))


def data(story: Story) -> dict[str, Any]:
    """The same as data: instants in UTC, and as the persona's clock shows them."""
    played, zone = story.played, story.played.zone
    return {
        "journey": played.journey,
        "persona": played.persona.model_dump(mode="json", exclude_none=True),
        "language": story.language,
        "began": played.began,
        "ended": played.ended,
        "cut_off": played.cut_off,
        "story": [_line(line, zone) for line in story.lines],
        "ends": [
            {
                "journey": end.journey,
                "about": end.about,
                "ended": end.word,
                "at": end.at,
                "messages": end.messages,
                "tasks": end.tasks,
            }
            for end in story.ends
        ],
        "never_came": [{"event": deed.event, "after": deed.after} for deed in played.waited_in_vain],
    }


def _line(line: Line, zone: ZoneInfo) -> dict[str, Any]:
    found: dict[str, Any] = {
        "at": line.at,
        "local": line.at.astimezone(zone).isoformat(timespec="seconds"),
        "kind": line.kind,
        "state": line.state,
        "text": line.text,
        "details": dict(line.details),
    }
    if line.copy:
        found["copy"] = {
            "message": line.copy.message,
            "channel": line.copy.channel,
            "recipient": line.copy.recipient,
            "subject": line.copy.subject,
            "text": line.copy.text,
            "links": list(line.copy.links),
        }
    return found
