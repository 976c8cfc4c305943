"""Where a map's arrows go: down from card to card, and else through the gaps between columns and rows, past the cards.

Each arrow has a lane of its own in a gap; what is said of it stands beside where it leaves, on nothing else.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tropa.rehearsal.exploring.chart import Spot

CARD_WIDTH, CARD_HEIGHT = 232, 48
COLUMN, ROW = 424, 112
LEFT, TOP = 84, 112
LANE, CHANNEL, LOOP, BEND = 15, 12, 28, 10
LINE, LETTER, AHEAD, TIP = 15, 6.4, 80, 12
RIGHT_OUT, RIGHT_IN, LEFT_OUT, LEFT_IN = 15, -15, 5, -5  # where arrows leave and come, from the middle of a card's side

Point = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Box:
    """A place that is taken."""

    x: float
    y: float
    width: float
    height: float

    def meets(self, other: "Box") -> bool:
        """Whether they share some of it."""
        apart = self.x + self.width <= other.x or other.x + other.width <= self.x
        return not (apart or self.y + self.height <= other.y or other.y + other.height <= self.y)


def corner(spot: Spot) -> Point:
    """The upper left one of its card."""
    return LEFT + spot.column * COLUMN, TOP + spot.row * ROW


def card(spot: Spot) -> Box:
    """The place of its card."""
    x, y = corner(spot)
    return Box(x=x, y=y, width=CARD_WIDTH, height=CARD_HEIGHT)


class Routes:
    """The arrows of one map, one after another."""

    def __init__(self, spots: Sequence[Spot]) -> None:
        self._taken = [card(spot) for spot in spots]
        self._lanes: Counter[tuple[str, int]] = Counter()

    def route(self, of: Spot, to: Spot) -> tuple[list[Point], Point]:
        """The corners of an arrow, and where its words stand in the middle. They leave its tip alone."""
        points, words = self._route(of, to)
        (x1, y1), (x2, y2) = points[-2:]
        length = max(abs(x2 - x1), abs(y2 - y1))
        tip = TIP / length
        across, down = (x1 - x2) * tip, (y1 - y2) * tip
        self._taken.append(
            Box(x=min(x2, x2 + across) - 3, y=min(y2, y2 + down) - 3, width=abs(across) + 6, height=abs(down) + 6)
        )
        return points, words

    def _route(self, of: Spot, to: Spot) -> tuple[list[Point], Point]:
        (x1, y1), (x2, y2) = corner(of), corner(to)
        if of.column == to.column and to.row == of.row + 1:
            middle = x1 + CARD_WIDTH / 2
            return [(middle, y1 + CARD_HEIGHT), (middle, y2 - 2)], (middle, (y1 + CARD_HEIGHT + y2) / 2)
        right = to.column > of.column
        y1 += CARD_HEIGHT / 2 + (RIGHT_OUT if to.column >= of.column else LEFT_OUT)
        y2 += CARD_HEIGHT / 2 + (LEFT_IN if right else RIGHT_IN)
        if of.column == to.column:
            x = x1 + CARD_WIDTH + LOOP + self._next("loop", of.column) * LANE
            return [(x1 + CARD_WIDTH, y1), (x, y1), (x, y2), (x2 + CARD_WIDTH + 2, y2)], (x, (y1 + y2) / 2)
        x1, x2 = (x1 + CARD_WIDTH, x2 - 2) if right else (x1, x2 + CARD_WIDTH + 2)
        first, last = (of.column, to.column - 1) if right else (of.column - 1, to.column)
        out = self._column(first)
        if first == last:
            above = min(y1, y2) - LINE if of.row == to.row else (y1 + y2) / 2
            return [(x1, y1), (out, y1), (out, y2), (x2, y2)], (out, above)
        along, into = self._row(to.row), self._column(last)
        words = out + (AHEAD if right else -AHEAD), along
        return [(x1, y1), (out, y1), (out, along), (into, along), (into, y2), (x2, y2)], words

    def beside(self, place: Point, lines: Sequence[str]) -> Box:
        """Where so many lines fit, as near to a place as there is room."""
        width, height = max(map(len, lines)) * LETTER + 10, LINE * len(lines) + 2
        left, top, aside = place[0] - width / 2, place[1] - height / 2, width / 2 - 8
        boxes = [
            Box(x=left + across, y=top + down, width=width, height=height)
            for down in _nearest()
            for across in (0, _to_the_middle(place[0]), aside, -aside, 2 * aside, -2 * aside)
        ]
        free = (box for box in boxes if not any(box.meets(other) for other in self._taken))
        found = next(free, boxes[0])
        self._taken.append(found)
        return found

    def _column(self, gap: int) -> float:
        middle = LEFT + gap * COLUMN + (COLUMN + CARD_WIDTH) / 2
        return middle + _aside(self._next("column", gap)) * LANE

    def _row(self, row: int) -> float:
        middle = TOP + row * ROW - (ROW - CARD_HEIGHT) / 2
        return middle + _aside(self._next("row", row)) * CHANNEL

    def _next(self, kind: str, number: int) -> int:
        self._lanes[kind, number] += 1
        return self._lanes[kind, number] - 1


def path(points: Sequence[Point]) -> str:
    """Through these corners, each a little rounded."""
    said = ["M{:g} {:g}".format(*points[0])]
    for before, here, after in zip(points, points[1:], points[2:], strict=False):
        near, far = _towards(here, before), _towards(here, after)
        said.append("L{:g} {:g} Q{:g} {:g} {:g} {:g}".format(*near, *here, *far))
    return " ".join([*said, "L{:g} {:g}".format(*points[-1])])


def _towards(here: Point, there: Point) -> Point:
    across, down = there[0] - here[0], there[1] - here[1]
    length = max(abs(across), abs(down)) or 1
    step = min(BEND, length / 2) / length
    return here[0] + across * step, here[1] + down * step


def _aside(number: int) -> int:
    """0, 1, -1, 2, -2 and so on."""
    return (number + 1) // 2 * (1 if number % 2 else -1)


def _to_the_middle(x: float) -> float:
    """How far aside the middle of the gap between columns is, in which this is; 0 for what is in none."""
    first = LEFT + (COLUMN + CARD_WIDTH) / 2
    aside = first + round((x - first) / COLUMN) * COLUMN - x
    return aside if abs(aside) < (COLUMN - CARD_WIDTH) / 2 else 0


def _nearest() -> Iterator[float]:
    yield 0
    for step in range(1, 28):
        yield from (-8 * step, 8 * step)
