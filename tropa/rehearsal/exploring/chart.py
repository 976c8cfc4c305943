"""What a journey's map shows: a silent walk as its spine, what leads away from it, what may happen at any time."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from domain.journeys import Outcome
from tropa.rehearsal.exploring.search import START, Found, Way
from tropa.rehearsal.exploring.walker import Node, Step, Walked

ANYWHERE = 3  # a step that as many others lead to, by the same event, may come at any time


@dataclass(frozen=True, kw_only=True)
class Spot:
    """A step on the map: row from 0, column 0 on the spine. `at` is when that walk comes to it."""

    node: Node
    row: int
    column: int
    at: timedelta | None = None


@dataclass(frozen=True, kw_only=True)
class Edge:
    """From one spot to another, with words: what happened, or how long it took."""

    of: Node
    to: Node
    words: Sequence[str] = ()
    lasting: timedelta | None = None


@dataclass(frozen=True, kw_only=True)
class Chart:
    """All of it. `anytime` are steps that some event brings about wherever the walk stands."""

    spots: Sequence[Spot]
    edges: Sequence[Edge]
    anytime: Sequence[tuple[str, Node]] = field(default_factory=tuple)


def chart(found: Found) -> Chart:
    """Lay out what was found."""
    anytime = _anytime(found)
    spine = set(_spine(found))
    aside = {node for _, node in anytime} - spine
    spots = {spot.node: spot for spot in _placed(found, aside)}
    edges = []
    for (of, to), ways in found.links.items():
        shown = _edge(of, to, _plain(ways, found), aside=to not in spine)
        if shown and of in spots and to in spots:
            edges.append(shown)
    return Chart(spots=tuple(spots.values()), edges=tuple(edges), anytime=anytime)


def grouped(words: Sequence[str]) -> list[tuple[str, str]]:
    """What happened, said once, with what it says: "survey_answered (score 0)" to "… (score 6)" become one."""
    said: dict[str, dict[str, None]] = {}
    for word in words:
        name, found, more = word.partition(" (")
        if not found:
            name, _, more = word.partition(": ")
        said.setdefault(name, {})[more.removesuffix(")")] = None
    return [(name, _joined(list(filter(None, several)))) for name, several in said.items()]


def _joined(several: Sequence[str]) -> str:
    """Numbers in a row as a range; the ways of not being sent as one."""
    if {"refused", "expired", "holdout"} <= set(several):
        return "not sent"
    first = several[0].rpartition(" ")[0] if several else ""
    values = [each.removeprefix(first).strip() for each in several]
    numbers = sorted(int(each) for each in values if each.isdigit())
    if len(numbers) == len(values) > 1 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{first} {numbers[0]}–{numbers[-1]}"
    return ", ".join(several)


def _edge(of: Node, to: Node, ways: Sequence[Way], *, aside: bool) -> Edge | None:
    """The simplest ways that there are: time alone, or one thing that happens. What comes at once, aside from silence,
    has had a cause.
    """
    if not ways:
        return None
    caused = [way for way in ways if way.choices or way.lasting]
    ways = caused or ways if aside else ways
    fewest = min(len(way.choices) for way in ways)
    simple = [way for way in ways if len(way.choices) == fewest]
    if not fewest:
        return Edge(of=of, to=to, lasting=simple[0].lasting)
    return Edge(of=of, to=to, words=[way.choices[-1] for way in simple])


def _anytime(found: Found) -> tuple[tuple[str, Node], ...]:
    """Goals, exits and leaving; and what one event brings about at ANYWHERE places or more."""
    told: dict[tuple[str, Node], None] = {}
    for (_, to), ways in found.links.items():
        for way in ways:
            if to[0] == "end" and way.choices and _event(way.choices[-1]) in _ending(found):
                told[(way.choices[-1], to)] = None
    reached: dict[tuple[str, Node], set[Node]] = {}
    for (of, to), ways in found.links.items():
        for way in ways:
            if len(way.choices) == 1 and _event(way.choices[0]) in found.declaration.plan.hears:
                reached.setdefault((way.choices[0], to), set()).add(of)
    spine = set(_spine(found))
    often = {key: None for key, places in reached.items() if len(places) >= ANYWHERE and key[1] not in spine}
    return (*often, *told)


def _ending(found: Found) -> set[str]:
    plan = found.declaration.plan
    ends = {str(plan.goal)} if plan.goal else set()
    return {_event(each) for each in (*ends, *map(str, plan.exits), "opted_out")}


def _event(word: str) -> str:
    return word.partition(" (")[0]


def _spine(found: Found) -> list[Node]:
    return list(dict.fromkeys([START, *(step.node for step in _told(_usual(found).steps))]))


def _usual(found: Found) -> Walked:
    """Silence; where that sends an ordinary customer away, that of somebody for whom the journey is meant."""
    if found.silent.ended != Outcome.EXITED:
        return found.silent
    meant = [each for each in found.walks if [point.choice.kind for point in each.script] == ["is"]]
    there = [each for each in meant if each.ended not in (None, Outcome.EXITED)]
    return max(there, key=lambda each: (-each.script[0].choice.unusual, len(_told(each.steps))), default=found.silent)


def _told(steps: Sequence[Step]) -> list[Step]:
    return [step for step in steps if step.is_told]


def _placed(found: Found, aside: set[Node]) -> list[Spot]:
    when = {step.node: step.at for step in reversed(_told(_usual(found).steps))}
    spots = {
        node: Spot(node=node, row=row, column=0, at=when.get(node, timedelta(0)))
        for row, node in enumerate(_spine(found))
    }
    taken = {(spot.row, spot.column) for spot in spots.values()}
    ended_by_plan = {to for (_, to), ways in found.links.items() if to[0] == "end" and _plain(ways, found)}
    for node, walked in found.first.items():
        if node in spots or node in aside or (node[0] == "end" and node not in ended_by_plan):
            continue
        before = [each for each in _before(node, _told(walked.steps)) if each in spots]
        parent = spots[before[-1]] if before else spots[START]
        row, column = parent.row + 1, max(parent.column, 1)
        while (row, column) in taken:
            column += 1
        taken.add((row, column))
        spots[node] = Spot(node=node, row=row, column=column)
    return list(spots.values())


def _plain(ways: Sequence[Way], found: Found) -> list[Way]:
    return [way for way in ways if not set(map(_event, way.choices)) & _ending(found)]


def _before(node: Node, steps: Sequence[Step]) -> list[Node]:
    nodes = [START, *((step.kind, step.name) for step in steps)]
    return nodes[: nodes.index(node)]
