"""Opens and clicks: was it a person? Evidence in, grade out; nothing is dropped (S38, S67, T13).

Mail filters follow every link and privacy proxies load every picture, so the first impression is wrong as often as
right. A fetch is therefore judged a moment later, in the light of what else was fetched of its letter. Every doubt
counts against a person: at worst somebody gets one letter more, never one less.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from domain.events import Event

CLICKED = "message_clicked"
OPENED = "message_opened"
BAIT = 0  # the number of the link that no person sees

SETTLES_AFTER = timedelta(seconds=15)  # until a fetch is judged: what came with it is known by then
TOO_SOON = timedelta(seconds=10)  # after the letter was handed over: nobody reads as quickly as that
TOGETHER = timedelta(seconds=2)  # two links of one letter within it: somebody follows all of them
TAINTED = timedelta(minutes=5)  # around the bait: a filter is at work on this letter
OPEN_COUNTS_AFTER = timedelta(minutes=10)  # an earlier open may be a filter that looks at new mail


class TrackingMode(StrEnum):
    """What an installation counts: clicks and opens, clicks, or nothing."""

    FULL = "full"
    CLICKS = "clicks"
    OFF = "off"


class HitKind(StrEnum):
    """What was fetched: a link, or the picture that tells of an open."""

    CLICK = "click"
    OPEN = "open"


class Grade(StrEnum):
    """Who fetched it. A human open is what the design calls verified."""

    HUMAN = "human"
    UNSURE = "unsure"
    MACHINE = "machine"


class Reason(StrEnum):
    """What speaks against a person, or for one. The first five show in the request itself."""

    NONE = ""
    PREFETCH = "prefetch"
    NO_AGENT = "no_agent"
    BARE_AGENT = "bare_agent"
    SCANNER = "scanner"
    PROXY = "proxy"
    NO_LANGUAGE = "no_language"
    BAIT = "bait"
    TOO_SOON = "too_soon"
    TOGETHER = "together"
    EARLY = "early"
    CLICKED_LATER = "clicked_later"


_MACHINES = {Reason.PREFETCH, Reason.NO_AGENT, Reason.BARE_AGENT, Reason.SCANNER}

# Apple's Mail Privacy Protection loads pictures, read or not, and calls itself just this.
_BARE = re.compile(r"mozilla/\d\.\d")
_PROXIES = re.compile(r"googleimageproxy|ggpht\.com|yahoomailproxy|edge/12\.246 mozilla/5\.0$")
_SCANNERS = re.compile(
    r"(?<!cu)bot\b|crawl|spider|slurp|preview|scanner|prefetch|monitor|validator|link.?check"  # Cubot makes telephones
    r"|facebookexternalhit|whatsapp/|skypeuri|google-|headless|phantomjs|puppeteer|playwright|selenium"
    r"|barracuda|mimecast|proofpoint|urldefense|safelinks|messagelabs|symantec|sophos|forcepoint|ironport"
    r"|fireeye|trellix|trendmicro|zscaler|checkpoint|avanan|vade|spamhaus|kaspersky|bitdefender"
    r"|curl/|wget|python|httpx|aiohttp|scrapy|go-http|java/|okhttp|apache-http|libwww|\b(?:perl|ruby|php|axios|node)\b"
)


def evidence(kind: HitKind, headers: Mapping[str, str]) -> Reason:
    """What a request tells by itself, by its headers, named in lower case. Where it comes from is not looked at."""
    agent = headers.get("user-agent", "").strip().casefold()
    purposes = (headers.get(name, "") for name in ("purpose", "sec-purpose", "x-purpose", "x-moz"))
    if any(re.search("prefetch|preview|prerender", purpose.casefold()) for purpose in purposes):
        return Reason.PREFETCH
    if not agent:
        return Reason.NO_AGENT
    if _BARE.fullmatch(agent):
        return Reason.BARE_AGENT
    if _PROXIES.search(agent):
        return Reason.PROXY
    if _SCANNERS.search(agent):
        return Reason.SCANNER
    if kind is HitKind.CLICK and not headers.get("accept-language"):  # every browser says it; mail programs need not
        return Reason.NO_LANGUAGE
    return Reason.NONE


def is_machine(headers: Mapping[str, str]) -> bool:
    """Whether a request shows by itself that no person made it."""
    return evidence(HitKind.OPEN, headers) in _MACHINES


@dataclass(frozen=True, kw_only=True)
class Hit:
    """One fetch, in whole seconds of business time. `number` is the link's, and 0 of an open."""

    kind: HitKind
    number: int
    at: datetime
    sign: Reason = Reason.NONE
    grade: Grade | None = None
    reason: Reason = Reason.NONE


def judge(hits: Sequence[Hit], *, handed_at: datetime, now: datetime) -> dict[Hit, Hit]:
    """The hits of one letter that get a grade now, each with itself as graded. `handed_at` is when the letter went out.

    Judged once, `SETTLES_AFTER`; but an open that was in doubt becomes human when a human click follows it.
    """
    judged = {hit: hit for hit in hits}
    for hit in hits:
        if hit.grade is None and hit.at <= now - SETTLES_AFTER:
            grade, reason = _grade(hit, hits, handed_at)
            judged[hit] = replace(hit, grade=grade, reason=reason)
    clicks = [hit.at for hit in judged.values() if hit.kind is HitKind.CLICK and hit.grade is Grade.HUMAN]
    for hit, found in judged.items():
        if hit.kind is HitKind.OPEN and found.grade is Grade.UNSURE and any(at >= hit.at for at in clicks):
            judged[hit] = replace(found, grade=Grade.HUMAN, reason=Reason.CLICKED_LATER)
    return {hit: found for hit, found in judged.items() if found != hit}


def _grade(hit: Hit, hits: Sequence[Hit], handed_at: datetime) -> tuple[Grade, Reason]:
    clicks = [other for other in hits if other.kind is HitKind.CLICK]
    if hit.sign in _MACHINES:
        return Grade.MACHINE, hit.sign
    if any(other.number == BAIT and abs(other.at - hit.at) <= TAINTED for other in clicks):
        return Grade.MACHINE, Reason.BAIT
    if hit.at - handed_at < TOO_SOON:
        return Grade.MACHINE, Reason.TOO_SOON
    together = {other.number for other in clicks if abs(other.at - hit.at) <= TOGETHER}
    if len(together) > 1:
        return Grade.MACHINE, Reason.TOGETHER
    if hit.sign is not Reason.NONE:
        return Grade.UNSURE, hit.sign
    if hit.kind is HitKind.OPEN and hit.at - handed_at < OPEN_COUNTS_AFTER:
        return Grade.UNSURE, Reason.EARLY
    return Grade.HUMAN, Reason.NONE


def is_doubtful(event: Event) -> bool:
    """Whether an open or a click may be a machine's. No journey starts, ends or goes on by such an event (C5)."""
    return event.name in (CLICKED, OPENED) and event.properties.get("grade") != Grade.HUMAN
