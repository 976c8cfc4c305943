"""What passes between a run and the engine: an attempt at an activity, and what a run needs besides."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from temporalio.converter import DataConverter


@dataclass(frozen=True, kw_only=True)
class Call:
    """One attempt at an activity. `at` is when it starts, virtual time."""

    activity: Callable[..., Any]
    name: str
    arguments: tuple[Any, ...]
    at: datetime
    attempt: int
    workflow: str
    workflow_type: str
    run: str


class Stage(Protocol):
    """What a run needs of the engine."""

    now: int
    converter: DataConverter
    latency: int

    def at(self, instant: int, action: Callable[[], None], *, prompt: bool = False) -> None:
        """Do something then. `prompt` is what goes on at once, as against a wait."""
        ...

    def activity(self, name: str) -> tuple[Callable[..., Any], list[type] | None] | None:
        """An activity by its name, with the types of its arguments."""
        ...

    def perform(self, call: Call) -> Any:
        """Do an activity; answers its result, or raises."""
        ...

    def continue_anew(self, run: Any, command: Any) -> None:
        """A run continues as another."""
        ...
