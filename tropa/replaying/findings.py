"""What a look at walks found: who would break, and how, those alike together."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tropa.replaying.judging import Break, Judged, Kind

ADVICE = {
    Kind.OTHER_STEP: "keep both ways with workflow.patched(…), or let these walks stay: tropa release NAME --stay",
    Kind.RAISES: "mend the code, or let these walks stay: tropa release NAME --stay",
    Kind.GONE: "keep the class until nobody walks it, or let these walks stay: tropa release NAME --stay",
}


@dataclass(frozen=True, kw_only=True)
class Looked:
    """A journey: walks that there are, that were replayed, that would break."""

    journey: str
    found: int
    replayed: int
    broken: int


@dataclass(frozen=True, kw_only=True)
class Alike:
    """Walks of a journey that would break in one way."""

    breaks: Sequence[Break]

    @property
    def one(self) -> Break:
        """Any of them."""
        return self.breaks[0]

    @property
    def where(self) -> str:
        """At which events of their histories."""
        first, last = min(each.event for each in self.breaks), max(each.event for each in self.breaks)
        word = "after" if self.one.kind is Kind.RAISES else "at"
        return f"{word} event {first}" if first == last else f"{word} events {first} to {last}"

    @property
    def words(self) -> str:
        """What the code does there, and what the history has."""
        match self.one.kind:
            case Kind.GONE:
                return "no class here has this name"
            case Kind.RAISES:
                return f"{self.where}: the code raises {self.one.wanted}"
        return f"{self.where}: the code wants “{self.one.wanted}”, the history has “{self.one.has}”"


@dataclass(frozen=True, kw_only=True)
class Findings:
    """All that was found. `ended` are walks that ended while they were looked at."""

    found: Counter[str]
    judged: Sequence[Judged]
    ended: int = 0

    @property
    def breaks(self) -> list[Break]:
        """Who would break. Those held on a release do not come here."""
        return [each.broken for each in self.judged if each.broken and not each.stays]

    @property
    def staying(self) -> int:
        """Who would break, and is held on a release."""
        return sum(each.broken is not None and each.stays for each in self.judged)

    @property
    def replayed(self) -> Counter[str]:
        """How many of each journey were looked at."""
        return Counter(each.journey for each in self.judged)

    @property
    def exit_code(self) -> int:
        """0 when all that were looked at replay, 1 when somebody would break."""
        return 1 if self.breaks else 0

    @property
    def whole(self) -> bool:
        """Whether everybody was looked at."""
        return self.replayed.total() + self.ended == self.found.total()

    @property
    def journeys(self) -> list[Looked]:
        """By name."""
        broken, replayed = Counter(each.journey for each in self.breaks), self.replayed
        return [
            Looked(journey=name, found=count, replayed=replayed[name], broken=broken[name])
            for name, count in sorted(self.found.items())
        ]

    @property
    def alike(self) -> list[Alike]:
        """Those that break alike together, the most first."""
        groups: dict[tuple[str, Kind, str, str], list[Break]] = {}
        for each in self.breaks:
            groups.setdefault((each.journey, each.kind, each.wanted, each.has), []).append(each)
        return [Alike(breaks=each) for each in sorted(groups.values(), key=len, reverse=True)]


def data(found: Findings) -> dict[str, object]:
    """The same for programs, with everybody's id."""
    return {
        "verdict": "breaks" if found.breaks else "replays",
        "found": found.found.total(),
        "replayed": found.replayed.total(),
        "ended_meanwhile": found.ended,
        "stay_on_their_release": found.staying,
        "would_break": len(found.breaks),
        "journeys": [
            {"journey": each.journey, "found": each.found, "replayed": each.replayed, "would_break": each.broken}
            for each in found.journeys
        ],
        "breaks": [
            {
                "journey": each.one.journey,
                "kind": each.one.kind.value,
                "count": len(each.breaks),
                "wanted": each.one.wanted,
                "has": each.one.has,
                "words": each.words,
                "problem": each.one.problem,
                "advice": ADVICE[each.one.kind],
                "walks": [{"enrollment": walk.enrollment, "event": walk.event} for walk in each.breaks],
            }
            for each in found.alike
        ],
    }
