"""Whom a journey reaches, in the order in which its code does: read from the class's source, never kept by hand."""

import ast
import functools
import inspect
from collections.abc import Iterator
from pathlib import Path

from domain.journeys import Reached, Step
from workflows.toolkit.journey import Journey

REACHING = {
    **dict.fromkeys(("send", "cascade", "ask"), Reached.CUSTOMER),
    "create_task": Reached.COLLEAGUE,
    "tell": Reached.STAFF,
}


def steps_of(journey: type[Journey]) -> tuple[Step, ...]:
    """Its messages, tasks and notices, each once, from `run` inward through the class's own functions."""
    return _steps_in(inspect.getfile(journey), journey.__name__)


@functools.cache
def _steps_in(file: str, name: str) -> tuple[Step, ...]:
    written = ast.walk(ast.parse(Path(file).read_text(encoding="utf-8")))
    own = next(each for each in written if isinstance(each, ast.ClassDef) and each.name == name)
    functions = {each.name: each for each in own.body if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))}
    return tuple(dict.fromkeys(_steps("run", functions, ())))


def _steps(
    name: str, functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef], inside: tuple[str, ...]
) -> Iterator[Step]:
    if name not in functions or name in inside:
        return
    calls = [node for node in ast.walk(functions[name]) if isinstance(node, ast.Call)]
    for call in sorted(calls, key=lambda each: (each.end_lineno or 0, each.end_col_offset or 0)):
        verb = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if verb in REACHING and call.args and isinstance(call.args[0], ast.Constant):
            yield REACHING[verb], str(call.args[0].value)
        else:
            yield from _steps(verb, functions, (*inside, name))
