"""Reads the rule of a segment from JSON. Everything that is wrong is named by its path: `any[1].event.within: …`."""

from collections.abc import Collection

from domain.errors import InvalidInput
from domain.segment_conditions import CONDITIONS, Notes
from domain.segments import DEEPEST, MOST_CONDITIONS, AllOf, AnyOf, Member, Not, Rule

MOST_PROBLEMS = 20
_TREE = ("all", "any", "not")
_WAYS = ", ".join((*_TREE, *CONDITIONS))


def read_rule(given: object, known: Collection[str] | None = None) -> Rule:
    """A rule from JSON. `known` are the segments that it may name; None: any. Raises InvalidInput."""
    reader = _Reader(known)
    rule = reader.rule(given, "", 1)
    if reader.notes.problems or rule is None:
        raise InvalidInput(reader.notes.problems[:MOST_PROBLEMS])
    return rule


class _Reader:
    """Reads on past what is wrong, and notes it."""

    def __init__(self, known: Collection[str] | None) -> None:
        self.notes = Notes()
        self._known, self._conditions = known, 0

    def rule(self, given: object, path: str, level: int) -> Rule | None:
        """A rule, or None where nothing can be made of it."""
        if not isinstance(given, dict) or len(given) != 1:
            self.notes.wrong(path or "rule", f"must have exactly one of: {_WAYS}")
            return None
        way, inner = next(iter(given.items()))
        here = f"{path}.{way[:64]}" if path else way[:64]
        if way in _TREE:
            return self._tree(way, inner, here, level)
        if way not in CONDITIONS:
            self.notes.wrong(here, f"is no kind of rule; these are: {_WAYS}")
            return None
        parts = tuple(CONDITIONS[way](inner, here, self.notes))
        self._conditions += len(parts)
        for part in parts:
            if isinstance(part, Member) and self._known is not None and part.segment not in self._known:
                names = ", ".join(sorted(self._known))
                self.notes.wrong(here, f"there is no segment {part.segment!r}; there are: {names}")
        return parts[0] if len(parts) == 1 else AllOf(parts)

    def _tree(self, way: str, inner: object, path: str, level: int) -> Rule | None:
        if level > DEEPEST:
            self.notes.wrong(path, f"is nested more than {DEEPEST} levels deep")
            return None
        if way == "not":
            part = self.rule(inner, path, level + 1)
            return part and Not(part)
        if not isinstance(inner, list) or not inner:
            self.notes.wrong(path, "must be a list of rules")
            return None
        parts = []
        for place, each in enumerate(inner):
            parts.append(self.rule(each, f"{path}[{place}]", level + 1))
            if self._conditions > MOST_CONDITIONS or len(self.notes.problems) > MOST_PROBLEMS:
                break
        if self._conditions > MOST_CONDITIONS:
            self.notes.wrong("rule", f"has more than {MOST_CONDITIONS} conditions")
            return None
        found = tuple(part for part in parts if part)
        return AllOf(found) if way == "all" else AnyOf(found)
