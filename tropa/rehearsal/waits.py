"""The waits of a walk, read from its history: since when, until when at most, for what, and how each ended."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory

FIRED, CANCELED = EventType.EVENT_TYPE_TIMER_FIRED, EventType.EVENT_TYPE_TIMER_CANCELED

_FOR = re.compile(r"wait for (?P<events>[a-z0-9_]+(?: or [a-z0-9_]+)*)$")
_CLOCK = re.compile(r"wait for (?P<day>[a-z ]+) (?P<clock>[0-9:]{5}) there$")


@dataclass(frozen=True, kw_only=True)
class Wait:
    """One wait. `what` is as operators read it in the Web UI, without its instant; `over` is None while it lasts."""

    since: datetime
    until: datetime
    what: str
    over: datetime | None = None

    @property
    def events(self) -> tuple[str, ...]:
        """What it waits for; nothing when it waits for time alone."""
        found = _FOR.fullmatch(self.what)
        return tuple(found["events"].split(" or ")) if found else ()

    @property
    def clock(self) -> str:
        """The time of day that it waits for, as the journey says it."""
        found = _CLOCK.fullmatch(self.what)
        return found["clock"] if found else ""

    @property
    def of_a_send(self) -> bool:
        """Whether the contact policy makes it wait: a decision tells why."""
        return " waits: " in self.what


def waits(history: WorkflowHistory) -> list[Wait]:
    """All of them, in order."""
    begun: dict[str, Wait] = {}
    found: list[Wait] = []
    for event in history.events:
        at = event.event_time.ToDatetime(UTC)
        if event.HasField("timer_started_event_attributes"):
            said = event.timer_started_event_attributes
            data = event.user_metadata.summary.data
            what = str(msgspec.json.decode(data)).partition(", until ")[0] if data else ""
            until = at + said.start_to_fire_timeout.ToTimedelta()
            begun[said.timer_id] = Wait(since=at, until=until, what=what)
        elif event.event_type in (FIRED, CANCELED):
            fired = event.event_type == FIRED
            told = event.timer_fired_event_attributes if fired else event.timer_canceled_event_attributes
            wait = begun.pop(told.timer_id)
            found.append(Wait(since=wait.since, until=wait.until, what=wait.what, over=at))
    return sorted([*found, *begun.values()], key=lambda wait: wait.since)
