"""How an exploration is told: each thing that can happen with the shortest way to it, and what cannot."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from domain.endings import ENDINGS, ending_words
from tropa.rehearsal.exploring.labels import sentences
from tropa.rehearsal.exploring.search import Found
from tropa.rehearsal.exploring.walker import Node, Walked
from tropa.rehearsal.exploring.words import KINDS, say
from tropa.rehearsal.words import lasting

COLUMN = 44


def told(found: Found, language: str) -> Iterator[tuple[str, str]]:
    """Lines for a terminal, each with its style."""
    whole = not (found.gaps or found.unsent or found.broken)
    title = say("title" if whole else "gaps", language, journey=found.declaration.name, walks=len(found.walks))
    yield title, "bold green" if whole else "bold yellow"
    if not found.complete:
        yield say("cut off", language), "yellow"
    yield "", ""
    yield say("reached", language), "bold underline"
    for node, walked in found.first.items():
        yield f"  {_named(node, language):<{COLUMN}} {shortest(walked, node, language)}", ""
    if not whole:
        yield "", ""
        yield say("not reached", language), "bold underline"
    for name in found.unsent:
        yield "  " + say("never sent", language, name=name), "yellow"
    for gap in found.gaps:
        words = say(f"never {gap.missing or 'ran'}", language, source=gap.source)
        yield f"  {Path(found.file).name}:{gap.line}  {words}", "yellow"
    for what in found.broken:
        yield say("breaks", language, what=what), "bold red"


def shortest(walked: Walked, node: Node, language: str) -> str:
    """What has to happen for a walk to come to a step, and when; nothing, where silence does."""
    at = next(step.at for step in walked.steps if (step.kind, step.name) == node)
    happened = [point for point in walked.script if point.at <= at]
    told = [f"{_when(each.at, language)} {', '.join(sentences([each.choice.word], language))}" for each in happened]
    return " → ".join(told) or say("silence", language)


def data(found: Found) -> dict[str, Any]:
    """The same for programs; instants in seconds since the beginning."""
    return {
        "journey": found.declaration.name,
        "walks": len(found.walks),
        "complete": found.complete,
        "reached": [
            {
                "kind": kind,
                "name": name,
                "by": [
                    {"at": point.at.total_seconds(), "kind": point.choice.kind, "what": point.choice.word}
                    for point in walked.script
                ],
            }
            for (kind, name), walked in found.first.items()
        ],
        "not_reached": {
            "messages": list(found.unsent),
            "lines": [{"line": gap.line, "source": gap.source, "never": gap.missing or "ran"} for gap in found.gaps],
        },
        "breaks": list(found.broken),
    }


def _named(node: Node, language: str) -> str:
    kind, name = node
    shown = ending_words(name, language) if kind == "end" and name in ENDINGS else name
    return f"{KINDS[kind][language]} {shown}"


def _when(at: timedelta, language: str) -> str:
    if at < timedelta(minutes=1):
        return say("day", language, day=0) + ":"
    return lasting(timedelta(minutes=round(at / timedelta(minutes=1))), language) + ":"
