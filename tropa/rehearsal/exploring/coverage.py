"""Which lines of a journey's file ran, and which of its conditions came out both ways."""

import ast
import inspect
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from dis import opmap
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

Arc = tuple[int, int]
OUT = -1  # where a function leads that returns


@dataclass(frozen=True, kw_only=True)
class Gap:
    """Lines that never ran (`missing` is empty), or a condition that never was `missing`: true or false."""

    line: int
    source: str
    missing: str = ""


class Coverage:
    """Of the functions in one file."""

    def __init__(self, journey: type) -> None:
        self.file = inspect.getsourcefile(journey) or ""
        self.arcs: set[Arc] = set()
        source = Path(self.file).read_text(encoding="utf-8")
        self._source = source.splitlines()
        self._tree = ast.parse(source)
        self._here: dict[FrameType, int] = {}

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch this thread meanwhile."""
        before = sys.gettrace()
        sys.settrace(self._called)
        try:
            yield
        finally:
            sys.settrace(before)
            self._here.clear()

    @property
    def gaps(self) -> list[Gap]:
        """What never happened, in order."""
        ran = {line for arc in self.arcs for line in arc}
        missed = [line for line in sorted(_lines(self._tree, self.file)) if line not in ran]
        gaps = [Gap(line=line, source=self._at(line)) for line in missed if line - 1 not in missed]
        return sorted([*gaps, *self._one_sided(ran)], key=lambda gap: gap.line)

    def _one_sided(self, ran: set[int]) -> Iterator[Gap]:
        for node in ast.walk(self._tree):
            if not isinstance(node, (ast.If, ast.While)) or node.lineno not in ran or _is_constant(node):
                continue
            test = range(node.test.lineno, (node.test.end_lineno or node.test.lineno) + 1)
            body = range(node.body[0].lineno, (node.body[-1].end_lineno or 0) + 1)
            onward = {to for came, to in self.arcs if came in test and to not in test}
            if onward and not onward & set(body):
                yield Gap(line=node.lineno, source=self._at(node.lineno), missing="true")
            elif not onward - set(body):
                yield Gap(line=node.lineno, source=self._at(node.lineno), missing="false")

    def _at(self, line: int) -> str:
        return textwrap.shorten(self._source[line - 1].strip(), 80, placeholder=" …")

    def _called(self, frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename != self.file or frame.f_code.co_name == "<module>":
            return None
        # A coroutine that goes on after its wait is called again, and goes on from where it stood.
        self._here.setdefault(frame, frame.f_lineno)
        return self._line

    def _line(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line":
            self.arcs.add((self._here[frame], frame.f_lineno))
            self._here[frame] = frame.f_lineno
        elif event == "return" and frame.f_lasti >= 0 and not _suspended(frame):
            self.arcs.add((self._here.pop(frame, frame.f_lineno), OUT))
        return self._line


def _suspended(frame: FrameType) -> bool:
    """Whether a coroutine only waits: tracing says `return` for that as well."""
    return frame.f_code.co_code[frame.f_lasti] in _YIELDS


def _lines(tree: ast.Module, file: str) -> set[int]:
    """The lines of its functions that can run, without docstrings and the lines that begin a function."""
    code = compile(tree, file, "exec")
    found: set[int] = set()
    waiting = [each for each in code.co_consts if isinstance(each, CodeType)]
    while waiting:
        each = waiting.pop()
        inner = [const for const in each.co_consts if isinstance(const, CodeType)]
        waiting += inner
        if each.co_flags & inspect.CO_NEWLOCALS:  # a function, not the body of a class
            found |= {line for _, _, line in each.co_lines() if line and line != each.co_firstlineno}
    return found


def _is_constant(node: ast.If | ast.While) -> bool:
    return isinstance(node.test, ast.Constant)


_YIELDS = {opmap[name] for name in ("YIELD_VALUE", "SEND") if name in opmap}
