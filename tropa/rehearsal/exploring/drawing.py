"""The map of a journey as SVG: rows go down with time, a silent walk on the left, detours to the right."""

import inspect
import re
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from domain.endings import ENDINGS, ending_words
from tropa.rehearsal.exploring.chart import Chart, Spot, chart, grouped
from tropa.rehearsal.exploring.labels import label, plain
from tropa.rehearsal.exploring.routing import (
    CARD_HEIGHT,
    CARD_WIDTH,
    COLUMN,
    LEFT,
    LINE,
    ROW,
    TOP,
    Box,
    Point,
    Routes,
    corner,
    path,
)
from tropa.rehearsal.exploring.search import START, Found
from tropa.rehearsal.exploring.walker import Node
from tropa.rehearsal.exploring.words import say

PANEL = 300
NAME, SMALL = 22, 33  # characters
SOURCES = re.compile(r" \([SC]\d[^)]*\)")
COLORS = {
    "start": ("#f1f5f9", "#64748b"),
    "message": ("#eff6ff", "#2563eb"),
    "task": ("#faf5ff", "#9333ea"),
    "notice": ("#ecfeff", "#0891b2"),
    "crm": ("#f8fafc", "#475569"),
    "end": ("#f0fdf4", "#16a34a"),
    "lapsed": ("#f1f5f9", "#64748b"),
    "other end": ("#fff7ed", "#c2410c"),
}
STYLE = """
text { font-family: ui-sans-serif, system-ui, "Segoe UI", "Noto Sans", sans-serif; fill: #0f172a }
.title { font-size: 20px; font-weight: 650 } .sub { font-size: 13px; fill: #475569 }
.name { font-size: 14px; font-weight: 600 } .small { font-size: 11.5px; fill: #475569 }
.day { font-size: 12px; fill: #64748b; text-anchor: end } .label { font-size: 12px; fill: #334155; text-anchor: middle }
.edge { fill: none; stroke: #94a3b8; stroke-width: 1.6 } .detour { stroke-dasharray: 5 4 }
"""


def draw(found: Found, language: str) -> str:
    """The map."""
    laid = chart(found)
    spots = {spot.node: spot for spot in laid.spots}
    columns = 1 + max(spot.column for spot in laid.spots)
    rows = 1 + max(spot.row for spot in laid.spots)
    side = LEFT + columns * COLUMN - 8
    panel, low = _panel(laid, side, found, language) if laid.anytime else ([], 0.0)
    width = side + (PANEL if panel else 0)
    height = max(TOP + rows * ROW - 24, low)
    routes = Routes(laid.spots)
    ways = [routes.route(spots[edge.of], spots[edge.to]) for edge in laid.edges]
    labels = [(place, label(edge, language)) for (_, place), edge in zip(ways, laid.edges, strict=True)]
    body = [
        *_title(found),
        *(_arrow(points) for points, _ in ways),
        *(part for spot in laid.spots for part in _card(spot, found, language)),
        *(part for place, lines in labels if lines for part in _words(routes.beside(place, lines), lines)),
        *panel,
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}" role="img" aria-label="{escape(found.declaration.name)}">\n<style>{STYLE}</style>\n'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 L8 4 L0 8 z" fill="#94a3b8"/></marker></defs>\n' + "\n".join(body) + "\n</svg>\n"
    )


def _title(found: Found) -> Iterator[str]:
    about = " ".join(inspect.cleandoc(found.declaration.story).partition("\n\n")[0].split())
    yield _text(24, 40, found.declaration.name, "title")
    yield _text(24, 62, _short(SOURCES.sub("", about), 110), "sub")


def _card(spot: Spot, found: Found, language: str) -> Iterator[str]:
    x, y = corner(spot)
    if spot.at is not None and spot.node != START:
        yield _text(x - 14, y + CARD_HEIGHT / 2 + 4, say("day", language, day=spot.at.days), "day")
    yield from _box(x, y, spot.node, found, language)


def _box(x: float, y: float, node: Node, found: Found, language: str) -> Iterator[str]:
    kind, name = node
    ends = {"converted": "end", "lapsed": "lapsed"}
    fill, stroke = COLORS[ends.get(name, "other end") if kind == "end" else kind]
    round_ = CARD_HEIGHT / 2 if kind in ("start", "end") else 10
    yield (
        f'<rect x="{x}" y="{y}" width="{CARD_WIDTH}" height="{CARD_HEIGHT}" rx="{round_}" fill="{fill}" '
        f'stroke="{stroke}" stroke-width="1.4"/>'
    )
    title, small = _said(node, found, language)
    yield _text(x + 18, y + 21, title, "name")
    yield _text(x + 18, y + 37, small, "small")


def _said(node: Node, found: Found, language: str) -> tuple[str, str]:
    kind, name = node
    plan = found.declaration.plan
    if kind == "start":
        first, *others = [plain(name) for name, _ in grouped([str(each) for each in plan.starts_on])] or ["—"]
        return _short(first, NAME), _short(" · ".join([say("start", language), *others]), SMALL)
    if kind == "end":
        shown = ending_words(name, language) if name in ENDINGS else name
        return _short(shown, NAME), say("end", language)
    if kind == "message":
        channels = next((message.channels for message in found.messages if message.name == name), ())
        return _short(plain(name), NAME), " → ".join(channel.value.replace("_", " ") for channel in channels)
    return _short(plain(name.partition(", ")[0]), NAME), say(kind, language)  # the CRM may be told more at once


def _arrow(points: Sequence[Point]) -> str:
    detour = "" if len(points) == 2 else " detour"
    return f'<path class="edge{detour}" d="{path(points)}" marker-end="url(#tip)"/>'


def _words(box: Box, lines: Sequence[str]) -> Iterator[str]:
    """On a white ground, so that an arrow is seen to go on behind them."""
    yield (
        f'<rect x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}" rx="4" fill="#fff" '
        f'opacity=".94"/>'
    )
    for number, line in enumerate(lines):
        yield _text(box.x + box.width / 2, box.y + LINE * number + 12, line, "label")


def _panel(laid: Chart, x: float, found: Found, language: str) -> tuple[list[str], float]:
    """What may happen at any time, and what it leads to; and how far down that goes."""
    body = [_text(x, TOP + 4, say("anytime", language), "name")]
    y: float = TOP + 22
    told: dict[Node, list[str]] = {}
    for word, node in laid.anytime:
        told.setdefault(node, []).append(word)
    for node, words in told.items():
        for name, more in grouped(words):
            body.append(_text(x, y + 12, _short(plain(f"{name}: {more}" if more else name), 42), "small"))
            y += 17
        body += _box(x, y + 2, node, found, language)
        y += CARD_HEIGHT + 26
    return [f'<path d="M{x - 28} {TOP - 8} V{y - 18}" stroke="#e2e8f0"/>', *body], y


def _text(x: float, y: float, words: str, style: str) -> str:
    return f'<text x="{x}" y="{y}" class="{style}">{escape(words)}</text>'


def _short(words: str, most: int) -> str:
    return words if len(words) <= most else words[: most - 1].rstrip() + "…"
