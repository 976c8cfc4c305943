"""Where a walk stands: the lines of its journey that wait, and what it knows there. Equal places need one look."""

import inspect
from collections.abc import Hashable, Iterator, Mapping
from datetime import timedelta
from enum import Enum
from pathlib import Path
from types import FrameType
from typing import Any

from domain.customers import CustomerFacts
from domain.events import HeardEvent
from workflows.toolkit.journey import Journey

TOOLKIT = str(Path(inspect.getfile(Journey)).parent)
SIMPLE = (bool, int, float, str, bytes, type(None), Enum, timedelta, CustomerFacts)


def place(walk: Any, file: str) -> tuple[Hashable, ...]:
    """The place of a walk of a journey written in `file`: lines, what its functions and the object know, its inbox."""
    frames: list[Hashable] = []
    for frame in _frames(walk):
        code = frame.f_code
        if code.co_filename == file:
            frames.append((code.co_name, frame.f_lineno, _known(frame.f_locals)))
        elif code.co_filename.startswith(TOOLKIT):  # which verb, how far in it; its counts would make every turn new
            frames.append((code.co_name, frame.f_lineno, frame.f_locals.get("leg")))
    public = {name: value for name, value in vars(walk).items() if not name.startswith("_")}
    inbox = tuple(sorted({event.name for event in walk._inbox._waiting}))  # one is as good as several
    return (*frames, _known(public), inbox)


def facts(walk: Any, file: str) -> tuple[str, ...]:
    """What the functions of a journey keep of its customer meanwhile: places that differ in it go on differently."""
    kept = (value for frame in _frames(walk) if frame.f_code.co_filename == file for value in frame.f_locals.values())
    return tuple(repr(value) for value in kept if isinstance(value, CustomerFacts))


def _frames(walk: Any) -> Iterator[FrameType]:
    """From `run` inward, through whatever it awaits."""
    task = walk._walk
    inner = task.get_coro() if task else None
    while inner is not None:
        frame = getattr(inner, "cr_frame", None)
        if frame is not None:
            yield frame
        inner = getattr(inner, "cr_await", None)


def _known(names: Mapping[str, Any]) -> tuple[tuple[str, Hashable], ...]:
    return tuple((name, _simple(value)) for name, value in sorted(names.items()) if _is_simple(value))


def _is_simple(value: object) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_simple, value))
    return isinstance(value, (*SIMPLE, HeardEvent))


def _simple(value: Any) -> Hashable:
    if isinstance(value, HeardEvent):
        return value.name, tuple(sorted((name, str(said)) for name, said in value.properties.items()))
    return tuple(map(_simple, value)) if isinstance(value, tuple) else value
