"""Figures: what was measured, against what, and how it reads."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


class GateFailed(Exception):
    """What was measured was not done right, so its speed means nothing."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One line of the result. `ratio` is ours to the floor; `wanted` bounds it, from below or from above."""

    name: str
    unit: str
    ours: float
    floor: float
    floor_name: str
    ratio: float
    at_least: float | None = None
    at_most: float | None = None
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def wanted(self) -> str:
        """The bound, in words."""
        if self.at_least is not None:
            return f"≥ {self.at_least}"
        return f"≤ {self.at_most}" if self.at_most is not None else ""

    @property
    def met(self) -> bool | None:
        """Whether the ratio keeps its bound; None when it has none."""
        if self.at_least is not None:
            return self.ratio >= self.at_least
        return self.ratio <= self.at_most if self.at_most is not None else None


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` of them do not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def rate(name: str, ours: Sequence[float], floor: Sequence[float], floor_name: str, **bound: float) -> Figure:
    """Rates of interleaved rounds, of events or starts. The ratio is the median of the rounds' own."""
    return Figure(
        name=name,
        unit="a second",
        ours=statistics.median(ours),
        floor=statistics.median(floor),
        floor_name=floor_name,
        ratio=statistics.median(mine / theirs for mine, theirs in zip(ours, floor, strict=True)),
        details={"ours": [round(each) for each in ours], "floor": [round(each) for each in floor]},
        **bound,
    )


def delay(name: str, share: float, ours: Sequence[float], floor: Sequence[float], **bound: float) -> Figure:
    """Delays of interleaved samples, in seconds, told in milliseconds at one percentile."""
    mine, theirs = percentile(ours, share) * 1000, percentile(floor, share) * 1000
    return Figure(
        name=f"{name}, p{share * 100:.0f}",
        unit="ms",
        ours=mine,
        floor=theirs,
        floor_name="bare Temporal",
        ratio=mine / theirs,
        details={"samples": len(ours)},
        **bound,
    )


def table(figures: Sequence[Figure]) -> str:
    """The figures as people read them."""
    head = ("", "Tropa", "floor", "ratio", "wanted", "", "floor is")
    rows = [
        (
            f"{each.name}, {each.unit}",
            f"{each.ours:,.0f}",
            f"{each.floor:,.0f}",
            f"{each.ratio:.2f}",
            each.wanted,
            {True: "met", False: "MISSED", None: ""}[each.met],
            each.floor_name,
        )
        for each in figures
    ]
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = []
    for row in (head, *rows):
        cells = [
            cell.ljust(width) if place in (0, 6) else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
