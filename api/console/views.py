"""What the customer page shows, made from rows: channels, what comes next, days of the timeline."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import RowMapping

from adapters.stage_sets import stage_label
from api.customer_view import CustomerView
from api.pages import clock, day, short_day
from domain.customers import in_force
from domain.dates import date
from domain.messages import Channel
from domain.money import money
from domain.rfm import WORDS as RFM_WORDS
from services.addresses import in_words
from services.customers import CustomerNow
from services.preferences import Chosen
from services.timeline import Entry, Page, Titled

TONES = {
    "accepted": "good",
    "delivered": "good",
    "read": "good",
    "undelivered": "stop",
    "bounced": "stop",
    "came_back": "stop",
    "deferred": "wait",
    "held": "wait",
    "reserved": "wait",
    "refused": "stop",
    "expired": "stop",
    "failed": "stop",
    "unknown": "stop",
    "not_entered": "stop",
    "withdrawn": "calm",
    "quarantined": "stop",
    "opted_out": "stop",
    "complained": "stop",
    "hard_bounced": "stop",
}
_KIND_TONES = {"enrollment": "path", "task": "task"}
_SENDING = {"reserved", "claimed"}


@dataclass(frozen=True, kw_only=True)
class ChannelNow:
    """A channel of a customer: where, and what they said about it."""

    name: str
    address: str | None
    word: str
    since: datetime | None


def channels(now: CustomerNow) -> list[ChannelNow]:
    """Every channel, as it stands."""
    shown = []
    for channel in Channel:
        address, consent = in_words(now.addresses.get(channel, ())), in_force(now.consents, channel)
        if channel is Channel.IN_APP and consent is None:
            continue  # everybody can be met there, and nobody needs to be asked
        said = consent.status.value if consent else "not_asked"
        word = "no_address" if address is None and said != "denied" else said
        since = consent.at if consent else None
        shown.append(ChannelNow(name=channel.value, address=address, word=word, since=since))
    return shown


def choices(
    chosen: Chosen, topics: Mapping[str, str], words: Mapping[str, str], zone: str, lang: str
) -> list[tuple[str, str]]:
    """What a customer chose for themselves, each as a name and a value; empty for who chose nothing."""
    shown = []
    if chosen.frequency:
        shown.append((words["how_often"], words[chosen.frequency]))
    if chosen.snoozed_until:
        shown.append((words["break"], words["until"].format(date=date(chosen.snoozed_until, zone, lang))))
    if refused := [label for topic, label in topics.items() if not chosen.topics[topic]]:
        shown.append((words["not_about"], "; ".join(refused)))
    return shown


def standing(
    now: CustomerNow, at: datetime, company: str | None, currency: str, words: Mapping[str, str], lang: str
) -> list[tuple[str, str]]:
    """Where a customer stands with us, each as a name and a value; what is not known is left out."""
    seen = CustomerView.of(now, at)
    shown = []
    if seen.stage:
        shown.append((words["stage"], stage_label(seen.stage, lang)))
    shown.append((words["engagement"], words["of_100"].format(score=seen.engagement)))
    shown.append((words["orders"], f"{seen.orders}, {money(seen.revenue, currency, lang)}" if seen.orders else "0"))
    if seen.rfm:
        name = RFM_WORDS[seen.rfm.effective_segment][lang].name
        shown.append((words["rfm"], f"{name} ({seen.rfm.code})" + (", VIP" if seen.rfm.vip else "")))
    if company:
        role = f", {words[seen.buying_role]}" if seen.buying_role else ""
        shown.append((words["company"], company + role))
    if seen.owner:
        shown.append((words["owner"], seen.owner))
    return shown


def code_state(row: RowMapping, at: datetime) -> str:
    """Whether a code that was given is used, over, or still good."""
    if row["redeemed_at"]:
        return "redeemed"
    return "over" if row["valid_until"] <= at else "valid"


def next_steps(row: RowMapping, titled: Titled, words: Mapping[str, str], zone: str, lang: str) -> list[str]:
    """What comes next in an open enrollment, as far as its ledger knows."""

    def when(at: datetime) -> str:
        return f"{short_day(at, zone, lang)}, {clock(at, zone)}"

    state = row["state"]
    message = titled(row["journey"], row["message"]) if row["message"] else ""
    steps = []
    if row["paused_at"]:
        steps.append(words["paused"])
    if state is None:
        steps.append(words["begun"])
    elif state == "deferred":
        steps.append(words["waits"].format(message=message, until=when(row["slot_at"])))
    elif state == "held":
        steps.append(words["held"].format(message=message))
    elif state in _SENDING:
        steps.append(words["sending"].format(message=message))
    else:
        steps.append(words["walks_on"].format(message=message))
    if row["task"]:
        steps.append(words["task"].format(title=row["task"], until=when(row["task_due_at"])))
    return steps


def days(page: Page, lang: str) -> list[tuple[str, Sequence[Mapping[str, Any]]]]:
    """A timeline's page by days, newest first."""
    grouped = groupby(page.entries, key=lambda entry: day(entry.at, page.zone, lang))
    return [(name, [_shown(entry) for entry in entries]) for name, entries in grouped]


def _shown(entry: Entry) -> dict[str, Any]:
    tone = TONES.get(entry.state) or _KIND_TONES.get(entry.kind, "calm")
    return {
        "at": entry.at,
        "text": entry.text,
        "tone": tone,
        "icon": _icon(entry),
        "note": entry.details.get("journey") if entry.kind == "send" else None,
        "more": entry.details.get("task_text") or entry.details.get("words"),
        "send": entry.details["send"] if entry.state == "accepted" and entry.details.get("kept") else None,
    }


def _icon(entry: Entry) -> str:
    if entry.state in ("paused", "resumed", "ended"):
        return {"ended": "flag"}.get(entry.state, "pause")
    if entry.kind == "send":
        return {"good": "mail", "wait": "clock"}.get(TONES.get(entry.state, ""), "cross")
    if TONES.get(entry.state) == "stop":
        return "cross"
    return {"event": "spark", "enrollment": "path", "task": "person"}.get(entry.kind, "spark")
