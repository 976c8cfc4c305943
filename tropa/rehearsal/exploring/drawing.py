"""The map of a journey as SVG: rows go down with time, the silent walk on the left, detours to the right."""

import inspect
from collections.abc import Iterator, Sequence
from datetime import timedelta
from xml.sax.saxutils import escape

from domain.endings import ENDINGS, ending_words
from tropa.rehearsal.exploring.chart import Chart, Edge, Spot, chart, grouped
from tropa.rehearsal.exploring.search import START, Found
from tropa.rehearsal.exploring.walker import Node
from tropa.rehearsal.exploring.words import say
from tropa.rehearsal.words import lasting

CARD_WIDTH, CARD_HEIGHT = 232, 48
COLUMN, ROW = 392, 108
LEFT, TOP = 84, 112
PANEL = 300
NAME, LABEL = 24, 22  # characters
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
    panel = LEFT + columns * COLUMN
    width = panel + (PANEL if laid.anytime else 0)
    height = max(TOP + rows * ROW, TOP + 60 + 58 * len(laid.anytime))
    body = [
        *_title(found),
        *(part for edge in laid.edges for part in _edge(edge, spots, language)),
        *(part for spot in laid.spots for part in _card(spot, found, language)),
        *(_panel(laid, panel, found, language) if laid.anytime else ()),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="{escape(found.declaration.name)}">\n<style>{STYLE}</style>\n'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 L8 4 L0 8 z" fill="#94a3b8"/></marker></defs>\n' + "\n".join(body) + "\n</svg>\n"
    )


def _title(found: Found) -> Iterator[str]:
    about = " ".join(inspect.cleandoc(found.declaration.story).partition("\n\n")[0].split())
    yield _text(24, 40, found.declaration.name, "title")
    yield _text(24, 62, _short(about, 110), "sub")


def _card(spot: Spot, found: Found, language: str) -> Iterator[str]:
    x, y = _corner(spot)
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
        starts = [_plain(name) for name, _ in grouped([str(each) for each in plan.starts_on])]
        return _short(" · ".join(starts) or "—", NAME), say("start", language)
    if kind == "end":
        shown = ending_words(name, language) if name in ENDINGS else name
        return _short(shown, NAME), say("end", language)
    if kind == "message":
        channels = next((message.channels for message in found.messages if message.name == name), ())
        return _short(name.replace("_", " "), NAME), " → ".join(channel.value.replace("_", " ") for channel in channels)
    return _short(name.replace("_", " "), NAME), say(kind, language)


def _edge(edge: Edge, spots: dict[Node, Spot], language: str) -> Iterator[str]:
    of, to = spots[edge.of], spots[edge.to]
    (x1, y1), (_, y2) = _corner(of), _corner(to)
    label = _label(edge, language)
    if of.column == to.column and to.row == of.row + 1:
        middle = x1 + CARD_WIDTH / 2
        yield _line(f"M{middle} {y1 + CARD_HEIGHT} L{middle} {y2 - 2}")
        yield from _labels(middle, (y1 + CARD_HEIGHT + y2) / 2, label)
    else:
        yield from _detour(of, to, label)


def _detour(of: Spot, to: Spot, label: Sequence[str]) -> Iterator[str]:
    """To the right and down, back to the left, or past some of its own column."""
    (x1, y1), (x2, y2) = _corner(of), _corner(to)
    y1, y2 = y1 + CARD_HEIGHT / 2 + 12, y2 + CARD_HEIGHT / 2 - 12  # what leaves is below what comes
    gap = COLUMN - CARD_WIDTH
    if to.column > of.column:
        x1, x2 = x1 + CARD_WIDTH, x2 - 2
        middle = x2 - gap / 2
        yield _line(f"M{x1} {y1} C{middle} {y1} {middle} {y2} {x2} {y2}", detour=True)
        yield from _labels(middle + 4, (y1 + y2) / 2 if to.column == of.column + 1 else y2 - 14, label)
    elif to.column < of.column:
        x2 += CARD_WIDTH + 2
        middle = x1 - gap / 2
        yield _line(f"M{x1} {y1} C{middle} {y1} {middle} {y2} {x2} {y2}", detour=True)
        yield from _labels(middle, (y1 + y2) / 2, label)
    else:
        x1, x2, bend = x1 + CARD_WIDTH, x2 + CARD_WIDTH + 2, x1 + CARD_WIDTH + 46 + 12 * abs(to.row - of.row)
        yield _line(f"M{x1} {y1} C{bend} {y1} {bend} {y2} {x2} {y2}", detour=True)
        yield from _labels(bend - 8, (y1 + y2) / 2, label)


def _label(edge: Edge, language: str) -> list[str]:
    """How long it took; or what happened, and what that says, in a line of its own."""
    if edge.lasting is not None:
        return [lasting(edge.lasting, language)] if edge.lasting >= timedelta(minutes=1) else []
    found = grouped(edge.words)
    shown = [_short(_plain(part), LABEL) for each in found[:2] for part in each if part]
    return [*shown, "…"] if len(found) > 2 else shown


def _labels(x: float, y: float, words: Sequence[str]) -> Iterator[str]:
    """On a white ground, so that the line is seen to go on behind them."""
    for number, word in enumerate(words):
        middle = y + 15 * (number - (len(words) - 1) / 2)
        wide = 7 * len(word) + 10
        yield f'<rect x="{x - wide / 2}" y="{middle - 8}" width="{wide}" height="16" rx="4" fill="#fff" opacity=".92"/>'
        yield _text(x, middle + 4, word, "label")


def _panel(laid: Chart, x: float, found: Found, language: str) -> Iterator[str]:
    """What may happen at any time, and what it leads to."""
    yield f'<path d="M{x - 28} {TOP - 8} V{TOP + 40 + 70 * len(laid.anytime)}" stroke="#e2e8f0"/>'
    yield _text(x, TOP + 4, say("anytime", language), "name")
    y = TOP + 22
    told: dict[Node, list[str]] = {}
    for word, node in laid.anytime:
        told.setdefault(node, []).append(word)
    for node, words in told.items():
        for name, more in grouped(words):
            yield _text(x, y + 12, _short(_plain(f"{name} ({more})" if more else name), 42), "small")
            y += 17
        yield from _box(x, y + 2, node, found, language)
        y += CARD_HEIGHT + 26


def _line(path: str, *, detour: bool = False) -> str:
    return f'<path class="edge{" detour" if detour else ""}" d="{path}" marker-end="url(#tip)"/>'


def _text(x: float, y: float, words: str, style: str) -> str:
    return f'<text x="{x}" y="{y}" class="{style}">{escape(words)}</text>'


def _corner(spot: Spot) -> tuple[float, float]:
    return LEFT + spot.column * COLUMN, TOP + spot.row * ROW


def _plain(word: str) -> str:
    return word.replace("_", " ")


def _short(words: str, most: int) -> str:
    return words if len(words) <= most else words[: most - 1].rstrip() + "…"
