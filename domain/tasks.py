"""Tasks for people (S64): who asked for them, and how they can end."""

from dataclasses import dataclass
from enum import StrEnum


class TaskCause(StrEnum):
    """Who asked for a task."""

    JOURNEY = "journey"
    REPLY = "reply"
    STAFF = "staff"


class TaskOutcome(StrEnum):
    """How a task ended. A journey that waits for `task_closed` may declare it as the kind of the property `outcome`."""

    DONE = "done"
    NO_ANSWER = "no_answer"  # the customer could not be reached
    DECLINED = "declined"  # the customer does not want it
    DROPPED = "dropped"  # not needed any more


class TaskState(StrEnum):
    """Which tasks to list."""

    OPEN = "open"
    OVERDUE = "overdue"
    CLOSED = "closed"
    ALL = "all"


CLOSED = "task_closed"
SETTLED = "settled"
"""What `task_closed` says of itself when the last task for low scores is done: nothing stands in the way any more."""
ANSWER = "answer"
"""The task that a customer's reply becomes when no rule answers it (S63)."""


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Where the staff are, by e-mail address: who is told where a customer has no owner, and to whom late tasks go."""

    staff: str | None = None
    head: str | None = None
