"""The story of a rehearsal: what happened, what was decided and why, what was sent, each wait, and the end."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text

from adapters.links import Links
from services.timeline import Entry, Timeline
from tropa.rehearsal.ground import Ground
from tropa.rehearsal.playing import Played
from tropa.rehearsal.waits import Wait, waits
from tropa.rehearsal.words import wait_sentence

MOST = 2000  # lines
OURS = ("profile_changed", "consent_changed")  # what the rehearsal itself did, to introduce the persona


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A message as the customer got it."""

    message: str
    channel: str
    recipient: str
    subject: str | None
    text: str
    links: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line. `kind` is event, enrollment, send, decision, task or wait; `state` tells more."""

    at: datetime
    kind: str
    state: str
    text: str
    journey: str = ""
    copy: Copy | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class End:
    """How one walk ended; `word` is None when it still goes on."""

    journey: str
    about: str
    word: str | None
    began: datetime
    at: datetime | None
    messages: int
    tasks: int


@dataclass(frozen=True, kw_only=True)
class Story:
    """All of it, in one order."""

    played: Played
    language: str
    lines: Sequence[Line]
    ends: Sequence[End]


async def tell(ground: Ground, played: Played, *, language: str) -> Story:
    """Read the story from the ledger, the timeline and the histories."""
    zone, locale = played.persona.timezone, language[:2]
    async with ground.house.database.transaction() as connection:
        reader = Timeline(zone)
        page = await reader.read(connection, played.persona.customer_id, locale=locale, cursor=None, limit=MOST)
        copies = {
            str(row["send"]): _copy(row, ground.house.links) for row in (await connection.execute(COPIES)).mappings()
        }
        ends = [_end(row) for row in (await connection.execute(ENDS)).mappings()]
        walks = [(row["id"], row["journey"]) for row in (await connection.execute(ENDS)).mappings()]
    told = [_line(entry, copies) for entry in reversed(page.entries) if not _introduces(entry, played)]
    rested = []
    for enrollment, journey in walks:
        found = [wait for history in ground.histories(enrollment) for wait in waits(history)]
        rested += [_rest(wait, journey, locale, played.zone) for wait in found if not wait.of_a_send]
    lines = sorted([*told, *rested], key=lambda line: (line.at.replace(microsecond=0), line.kind == "wait"))
    return Story(played=played, language=locale, lines=lines, ends=ends)


def _introduces(entry: Entry, played: Played) -> bool:
    return entry.kind == "event" and entry.state in OURS and entry.at == played.began


def _line(entry: Entry, copies: Mapping[str, Copy]) -> Line:
    details = {name: value for name, value in entry.details.items() if value not in (None, "", {}, [])}
    return Line(
        at=entry.at,
        kind=entry.kind,
        state=entry.state,
        text=entry.text,
        journey=details.get("journey", ""),
        copy=copies.get(details.get("send", "")) if entry.state == "accepted" else None,
        details=details,
    )


def _rest(wait: Wait, journey: str, locale: str, zone: ZoneInfo) -> Line:
    return Line(
        at=wait.since,
        kind="wait",
        state="over" if wait.over else "lasts",
        text=wait_sentence(wait, locale, zone),
        journey=journey,
        details={"until": wait.until, "over": wait.over, "events": wait.events, "what": wait.what},
    )


def _copy(row: Any, links: Links) -> Copy:
    leads = list(row["links"] or ())

    def shown(found: re.Match[str]) -> str:
        """Where a link leads, rather than the signed address that leads there; of our own pages, which one."""
        if found["page"] != "c":
            return f"{found['base']}/{found['page']}/…"
        number = links.read_click(found["token"])[1]
        return UTM.sub("", leads[number]) if number < len(leads) else found[0]

    return Copy(
        message=row["message"],
        channel=row["channel"],
        recipient=row["recipient"],
        subject=row["subject"],
        text=LINK.sub(shown, row["text"]),
        links=leads,
    )


def _end(row: Any) -> End:
    return End(
        journey=row["journey"],
        about=row["about"],
        word=row["outcome"] or row["leaving"],
        began=row["started_at"],
        at=row["ended_at"],
        messages=row["messages"],
        tasks=row["tasks"],
    )


LINK = re.compile(r"(?P<base>https?://[^\s/()]+)/(?P<page>[a-z])/(?P<token>[\w.\-=]{20,})")
UTM = re.compile(r"[?&]utm_.*")
COPIES = text("""
    SELECT o.send, o.channel, o.recipient, o.subject, o.text, s.message, s.links
    FROM sandbox_outbox o JOIN sends s ON s.id = o.send
""")
ENDS = text("""
    SELECT e.id, e.journey, e.about, e.outcome, e.leaving, e.started_at, e.ended_at,
           (SELECT count(*) FROM sends s WHERE s.enrollment = e.id AND s.state = 'accepted') AS messages,
           (SELECT count(*) FROM tasks t WHERE t.enrollment = e.id) AS tasks
    FROM enrollments e ORDER BY e.started_at, e.id
""")
