"""The search: walk after walk, each with one thing other than usual, where nobody has looked yet.

First what differs least from silence; and what follows a walk that came to something new, before the rest.
"""

import heapq
import itertools
import time
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from domain.journeys import Declaration
from domain.messages import Message
from tropa.rehearsal.exploring.alternatives import Alternatives
from tropa.rehearsal.exploring.coverage import Coverage, Gap
from tropa.rehearsal.exploring.walker import BEGAN, Node, Step, Walked, Walker
from tropa.rehearsal.limits import CannotRehearse, WalkBroke
from workflows.toolkit.journey import Journey

MOST_WALKS = 4000
PATIENCE = 60.0  # seconds


@dataclass(frozen=True, kw_only=True)
class Way:
    """What led from one step to the next: what happened besides the usual, and the time since."""

    choices: tuple[str, ...]
    lasting: timedelta


START: Node = ("start", "start")


@dataclass(frozen=True, kw_only=True)
class Found:
    """What was found: for each thing that can happen the shortest walk to it, and what never happened."""

    declaration: Declaration
    messages: Sequence[Message]
    file: str
    first: dict[Node, Walked] = field(default_factory=dict)
    links: dict[tuple[Node, Node], list[Way]] = field(default_factory=dict)
    walks: Sequence[Walked]
    complete: bool
    gaps: Sequence[Gap]
    unsent: Sequence[str]
    broken: dict[str, Walked] = field(default_factory=dict)

    @property
    def silent(self) -> Walked:
        """The walk beside which nothing happens."""
        return self.walks[0]


def explore(
    journey: type[Journey],
    declaration: Declaration,
    messages: tuple[Message, ...],
    *,
    most: int = MOST_WALKS,
    patience: float = PATIENCE,
) -> Found:
    """Search a journey, in at most so many walks and seconds; `complete` says whether it came to its end before."""
    coverage = Coverage(journey)
    alternatives = Alternatives(journey, declaration, messages, BEGAN)
    number = itertools.count()
    waiting: list[tuple[int, int, tuple[int, ...]]] = [(0, next(number), ())]
    looked, known = set[Hashable](), set[Hashable]()
    walked: list[Walked] = []
    seen: set[Hashable] = set()
    broken: dict[str, Walked] = {}
    began = time.monotonic()
    with coverage.watching():
        while waiting and len(walked) < most and time.monotonic() - began < patience:
            rank, _, choices = heapq.heappop(waiting)
            walker = Walker(journey, alternatives, coverage.file, choices, known)
            try:
                found = walker.walk()
            except (WalkBroke, CannotRehearse) as error:
                if not choices:
                    raise  # even in silence
                broken.setdefault(str(error), walker.walked)
                continue
            walked.append(found)
            came = {*coverage.arcs, *found.nodes}
            rank, seen = rank - (not came <= seen), seen | came
            for unusual, onward in _onward(found, len(choices), looked):
                heapq.heappush(waiting, (rank + unusual, next(number), onward))
    first = _first(walked)
    return Found(
        declaration=declaration,
        messages=messages,
        file=coverage.file,
        first=first,
        links=_links(walked),
        walks=walked,
        complete=not waiting,
        gaps=coverage.gaps,
        unsent=sorted({message.name for message in messages} - {name for kind, name in first if kind == "message"}),
        broken=broken,
    )


def _first(walked: Sequence[Walked]) -> dict[Node, Walked]:
    """For each step the walk that comes to it by the least that is unusual; of several the first."""
    found: dict[Node, tuple[tuple[int, int], Walked]] = {}
    for each in walked:
        for step in each.steps:
            needed = [point.choice.unusual for point in each.script if point.at <= step.at]
            cost = sum(needed), len(needed)
            if step.is_told and (step.node not in found or cost < found[step.node][0]):
                found[step.node] = cost, each
    return {node: each for node, (_, each) in found.items()}


def _onward(found: Walked, since: int, looked: set[Hashable]) -> Iterator[tuple[int, tuple[int, ...]]]:
    """The choices of the walks that this one leads to, at each new place whatever else may happen there; with each
    how unusual that is.
    """
    taken = [point.taken for point in found.points]
    for number, point in enumerate(found.points):
        if number < since or point.key in looked:
            continue
        looked.add(point.key)
        for other, choice in enumerate(point.alternatives[1:], 1):
            yield choice.unusual, (*taken[:number], other)


def _links(walked: Sequence[Walked]) -> dict[tuple[Node, Node], list[Way]]:
    """From step to step, by what ways, the first found first."""
    found: dict[tuple[Node, Node], list[Way]] = {}
    for each in walked:
        before, between = START, list[Step]()
        for step in each.steps:
            if not step.is_told:
                between.append(step)
                continue
            here = step.node
            ways = found.setdefault((before, here), [])
            if (way := _way(between)) not in ways:
                ways.append(way)
            before, between = here, []
    return found


def _way(steps: Sequence[Step]) -> Way:
    choices, lasting = list[str](), timedelta(0)
    for step in steps:
        if step.kind == "time":
            lasting += step.lasting
        else:
            choices.append(step.name)
            lasting = timedelta(0)
    return Way(choices=tuple(choices), lasting=timedelta(minutes=round(lasting / timedelta(minutes=1))))
