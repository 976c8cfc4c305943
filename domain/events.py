"""What happened to a customer, and what of it a journey hears."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

EVENT_NAME = re.compile(r"^[a-z][a-z0-9_]{0,63}$")
IMPORT = "import"
OURS = "tropa"  # the source of events that we append ourselves
SILENT = "silent"  # the property of those that set a state without a word (design 4.7)

# Restrictions: take effect in the transaction that accepts them (design 4.4).
OPTED_OUT = "opted_out"
COMPLAINED = "complained"
HARD_BOUNCED = "hard_bounced"
SNOOZED = "snoozed"
FREQUENCY_CHOSEN = "frequency_chosen"
RESTRICTIONS = frozenset({OPTED_OUT, COMPLAINED, HARD_BOUNCED, SNOOZED, FREQUENCY_CHOSEN})

UNSUBSCRIBE_REASON = "unsubscribe_reason"
REPLIED = "replied"
TELEGRAM_STARTED = "telegram_started"
PROFILE_CHANGED = "profile_changed"
CONSENT_CHANGED = "consent_changed"
ENROLLMENT = "enrollment"  # the property by which an event of ours names the walk that it is about
FORM_SUBMITTED = "form_submitted"
OPT_IN_REQUESTED = "opt_in_requested"  # what waits for a yes from the mailbox: it allows nothing
OPT_IN_CONFIRMED = "opt_in_confirmed"
UNPROVEN = frozenset({FORM_SUBMITTED, OPT_IN_REQUESTED})  # anybody may have written anybody's address into a form

Value: TypeAlias = float | int | bool | str | None


@dataclass(frozen=True, kw_only=True)
class Event:
    """One stored fact. `id` is our row's, `event_id` the sender's; instants are business time, aware, UTC."""

    id: UUID
    event_id: str
    name: str
    occurred_at: datetime
    received_at: datetime
    source: str
    about: str = ""
    properties: Mapping[str, object] = field(default_factory=dict)

    @property
    def imported(self) -> bool:
        """Whether it is history and starts nothing: handed over as such, or found late and set silently."""
        return self.source == IMPORT or (self.source == OURS and self.properties.get(SILENT) is True)

    def concerns(self, enrollment: str) -> bool:
        """Whether a walk may hear it. What we tell of one walk, such as its task's end, is nothing to the others."""
        return self.source != OURS or self.properties.get(ENROLLMENT, enrollment) == enrollment


@dataclass(frozen=True, kw_only=True)
class HeardEvent:
    """What a journey is told of an event: our ids, name, time, and the properties that it declared."""

    id: str
    number: int
    name: str
    at: datetime
    properties: dict[str, Any] = field(default_factory=dict)


class Inbox:
    """Events that a journey heard and has not used yet. Hearing one twice changes nothing.

    `seen` are the ids of those that it heard in an earlier run, `waiting` those of them that it has not used.
    """

    def __init__(self, *, seen: Iterable[str] = (), waiting: Iterable[HeardEvent] = ()) -> None:
        self._seen = dict.fromkeys(seen)
        self._waiting = list(waiting)

    def put(self, event: HeardEvent) -> None:
        """Take in an event, unless it was taken in before."""
        if event.id in self._seen:
            return
        self._seen[event.id] = None
        self._waiting.append(event)

    def seen(self, most: int) -> list[str]:
        """The ids of the events heard last, the oldest first."""
        return list(self._seen)[-most:]

    def waiting(self, most: int) -> list[HeardEvent]:
        """The unused events heard last."""
        return self._waiting[-most:]

    def peek(self, *names: str, **having: Value) -> HeardEvent | None:
        """The earliest unused event of these names, and with these properties, if any."""
        found = [
            event
            for event in self._waiting
            if event.name in names and all(event.properties.get(name) == value for name, value in having.items())
        ]
        return min(found, key=lambda event: event.number, default=None)

    def take(self, *names: str, **having: Value) -> HeardEvent | None:
        """As `peek`, and use it up."""
        event = self.peek(*names, **having)
        if event:
            self._waiting.remove(event)
        return event
