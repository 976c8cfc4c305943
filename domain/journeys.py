"""Journeys as data: what a class declares, what an enrollment is, how it can end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeAlias

from domain.contact_policy import Kind
from domain.durations import days, hours
from domain.events import Event, HeardEvent
from domain.options import NoOptions
from domain.triggers import Trigger, events_of

SIGNALS_AN_HOUR = 20  # per event name; a goal, an exit or a leaving is never held back
SIGNALS_IN_ALL = 200  # per enrollment


class Outcome(StrEnum):
    """How an enrollment ended by its own plan."""

    CONVERTED = "converted"
    LAPSED = "lapsed"
    EXITED = "exited"


class Leaving(StrEnum):
    """How an enrollment was ended from outside."""

    OPTED_OUT = "opted_out"
    ERASED = "erased"
    MERGED = "merged"
    STOPPED = "stopped"
    STOPPED_BY_OPERATOR = "stopped_by_operator"
    FAILED = "failed"
    FUSE = "fuse"


class Reentry(StrEnum):
    """Whether a customer who has walked a journey may walk it again, about the same thing."""

    NEVER = "never"
    AFTER_EXIT = "after_exit"
    AFTER_A_TIME = "after_a_time"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a journey declares of itself.

    `starts_on` start it, `may_start_on` do when the option `starts_on` adds them (a trigger is an event's name, or
    `On` one that says certain things; see `domain.triggers`); `hears` wake its waits;
    `goal` ends it as converted and `exits` as exited, in seconds, wherever it stands. `about` names the one thing an
    enrollment is about ("cart"), or is empty. `properties` are what it needs of an event, with their kinds.
    `fresh_within` is how long after it occurred an event may still start it. `priority` 1 goes before 5. `kind` says
    which limits of the contact policy bind it. `experiments` are what it tries out, each with its variants, the one
    that was there before first.
    `serves` says that the customer asked for it: an order, a request. It begins and goes on though they opted out of
    everything, and of its messages only the transactional ones go then (S90). Not if a form began it, which anybody may
    have sent in their name.
    `carries` is what a walk without end takes along when it begins a fresh run: a frozen dataclass like `options`.
    """

    starts_on: tuple[Trigger, ...] = ()
    may_start_on: tuple[Trigger, ...] = ()
    hears: tuple[str, ...] = ()
    goal: Trigger | None = None
    exits: tuple[Trigger, ...] = ()
    about: str = ""
    properties: Mapping[str, Mapping[str, type]] = field(default_factory=dict)
    reentry: Reentry = Reentry.AFTER_EXIT
    reentry_after: timedelta = days(0)
    fresh_within: timedelta = hours(24)
    priority: int = 3
    kind: Kind = Kind.TRIGGERED
    serves: bool = False
    options: type = NoOptions
    carries: type = NoOptions
    experiments: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def beginnings(self) -> tuple[str, ...]:
        """The names of all events that start it, or may."""
        return events_of((*self.starts_on, *self.may_start_on))

    def about_of(self, event: Event) -> str:
        """Which of the things that this journey is about an event concerns; "" when none.

        An order is about itself, and names the cart that it came from as a property: `{"cart": "C-9"}`.
        """
        named = event.properties.get(self.about)
        return str(named) if isinstance(named, (str, int)) and not isinstance(named, bool) else event.about


class Reached(StrEnum):
    """Whom a step of a journey reaches: by a message, a task, or a notice."""

    CUSTOMER = "customer"
    COLLEAGUE = "colleague"
    STAFF = "staff"


Step: TypeAlias = tuple[Reached, str]
"""Whom a step reaches, and the name of its message, task or notice."""


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """A journey as the rest of the house knows it: name, folder of messages, plan, the plan in words, and its steps in
    the order in which its code comes to them.
    """

    name: str
    folder: str
    plan: Plan
    story: str
    steps: tuple[Step, ...] = ()

    @property
    def says(self) -> tuple[str, ...]:
        """The names of its messages, in that order."""
        return tuple(name for reached, name in self.steps if reached is Reached.CUSTOMER)


@dataclass(frozen=True, kw_only=True)
class Carried:
    """What a walk takes along into a fresh run: `state` as its journey declares it, and what every walk remembers.

    `visits` count on, so that the ledger never takes a new send for an old one; `seen` and `waiting` are of its inbox.
    """

    state: dict[str, Any]
    visits: dict[str, int]
    seen: list[str]
    waiting: list[HeardEvent]
    caught_up_to: int
    behind: bool
    story: list[str]


@dataclass(frozen=True, kw_only=True)
class Enrollment:
    """What a walk starts with, in Temporal: surrogates, numbers and instants only.

    `about` is a keyed surrogate of what it is about; `anchor` and `pace` map real to business time. `cause` is the
    name of the event that started it; staff or bulk where people did. `carried` is there from the second run on of a
    walk without end.
    """

    id: str
    customer: str
    started_at: datetime
    anchor: datetime
    pace: float = 1.0
    about: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    cause: str = ""
    carried: Carried | None = None


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How an enrollment ended: exactly one of `outcome` and `leaving` is set."""

    outcome: Outcome | None = None
    leaving: Leaving | None = None

    @property
    def word(self) -> str:
        """The one word for it."""
        return (self.outcome or self.leaving or Leaving.FAILED).value
