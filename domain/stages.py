"""The stages of a customer's life with a company: which one they are in, and what moves them (S2–S5).

People jump, skip and go back (S4). A rule moves them forward from wherever they are behind its stage; only one that
says from where it does so moves them back. An old event, heard of late, still moves forward but never back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from domain.events import Event
from domain.triggers import STAGE_ENTERED, On, Trigger, event_of

STAGE_CHOSEN = "stage_chosen"  # somebody says it: staff, or the company's CRM
ANYWHERE = "*"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What moves a customer into a stage: an event, from these stages (none: from any that comes before), and with at
    least so many orders that stand.
    """

    on: On
    coming_from: frozenset[str] = frozenset()
    orders: int = 0


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage. Its words, by kind and language: `label`, what customers need there (`needs`) and want (`goals`), what
    we want (`aim`) and say (`says`), and where deals with them stand (`pipeline`; S3, S5). Who has come
    further has a higher `rank`; a stage that people fall back into has that of an earlier one.
    """

    name: str
    rank: int
    words: Mapping[str, Mapping[str, str]]
    metrics: tuple[str, ...]
    tools: tuple[str, ...]
    rules: tuple[Rule, ...]


@dataclass(frozen=True, kw_only=True)
class Move:
    """A customer enters a stage. `by` is the event that moved them; `at` is not before they entered the last one."""

    stage: Stage
    left: str
    at: datetime
    by: Event


@dataclass(frozen=True, kw_only=True)
class StageSet:
    """An installation's stages, first to last."""

    name: str
    stages: tuple[Stage, ...] = ()

    def get(self, name: str | None) -> Stage | None:
        """A stage by its name, if there is such a one."""
        return next((stage for stage in self.stages if stage.name == name), None)

    def entered_by(self, trigger: Trigger) -> Stage | None:
        """The stage that somebody comes to whom nothing but this has happened; None where it leads to none."""
        event, where = event_of(trigger), trigger.where if isinstance(trigger, On) else {}
        if event == STAGE_ENTERED:
            return self.get(str(where.get("stage")))
        led = [
            stage
            for stage in self.stages
            if any(
                rule.on.event == event and rule.orders <= 1 and rule.on.where.items() <= where.items()
                for rule in stage.rules
            )
        ]
        return led[-1] if led else None

    def move(self, event: Event, current: str | None, since: datetime | None, *, orders: int) -> Move | None:
        """Where an event moves somebody who is in a stage since then; None when they stay. The last stage wins."""
        here = self.get(current)
        late = since is not None and event.occurred_at < since
        if event.name == STAGE_CHOSEN:
            found = self.get(str(event.properties.get("stage")))
            into = [found] if found and not late else []
        else:
            into = [stage for stage in self.stages if _enters(stage, event, here, orders, late=late)]
        if not into or into[-1] == here:
            return None
        at = max(event.occurred_at, since) if since else event.occurred_at
        return Move(stage=into[-1], left=here.name if here else "", at=at, by=event)


def _enters(stage: Stage, event: Event, here: Stage | None, orders: int, *, late: bool) -> bool:
    for rule in stage.rules:
        if not rule.on.fits(event) or orders < rule.orders:
            continue
        forward = here is None or here.rank < stage.rank
        if rule.coming_from:
            named = ANYWHERE in rule.coming_from or (here.name if here else "") in rule.coming_from
            if named and (forward or not late):
                return True
        elif forward:
            return True
    return False
