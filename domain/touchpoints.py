"""The touchpoint map (S27): a row for each message of a journey, derived from what journeys and messages declare."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from domain.journey_settings import triggers_here
from domain.journeys import Declaration
from domain.messages import Channel, Message, Purpose
from domain.stages import StageSet
from domain.triggers import Trigger


@dataclass(frozen=True, kw_only=True)
class Touchpoint:
    """A row. `stages` are those to which what starts the journey leads, first to last; none: it may be in any.

    `triggers` are what starts the journey here; none: staff enter customers. `channels` are in order of preference.
    """

    journey: str
    stages: tuple[str, ...]
    triggers: tuple[Trigger, ...]
    message: str
    channels: tuple[Channel, ...]
    purpose: Purpose
    goal: str


def touchpoints(
    declaration: Declaration, messages: Iterable[Message], settings: Mapping[str, object], stages: StageSet
) -> list[Touchpoint]:
    """The rows of one journey, in the order in which its code comes to them."""
    triggers = triggers_here(declaration.plan, settings)
    led = {stage.name for stage in map(stages.entered_by, triggers) if stage}
    by_name = {message.name: message for message in messages}
    return [
        Touchpoint(
            journey=declaration.name,
            stages=tuple(stage.name for stage in stages.stages if stage.name in led),
            triggers=tuple(triggers),
            message=message.name,
            channels=message.channels,
            purpose=message.purpose,
            goal=message.goal,
        )
        for message in (by_name[name] for name in dict.fromkeys((*declaration.says, *by_name)) if name in by_name)
    ]
