"""The touchpoint map (S27): a row for each message, task and notice of a journey, derived from what code and texts say.

People are touchpoints, too (S41, S58): who is called hears a colleague, and who tells staff makes somebody act."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from domain.journey_settings import triggers_here
from domain.journeys import Declaration, Reached, Step
from domain.messages import Channel, Message, Purpose
from domain.stages import StageSet
from domain.triggers import Trigger


@dataclass(frozen=True, kw_only=True)
class Touchpoint:
    """A row. `stages` are those to which what starts the journey leads, first to last; none: it may be in any.

    `triggers` are what starts the journey here; none: staff enter customers. `reached` says whom `name` reaches: a
    message has channels, in order of preference, and a purpose; people have neither, and their task's or notice's title
    is the goal.
    """

    journey: str
    stages: tuple[str, ...]
    triggers: tuple[Trigger, ...]
    reached: Reached
    name: str
    channels: tuple[Channel, ...] = ()
    purpose: Purpose | None = None
    goal: str = ""


def touchpoints(
    declaration: Declaration,
    messages: Iterable[Message],
    settings: Mapping[str, object],
    stages: StageSet,
    *,
    titles: Mapping[Step, str] = MappingProxyType({}),
) -> list[Touchpoint]:
    """The rows of one journey, in the order in which its code comes to them; `titles` are of its tasks and notices."""
    triggers = triggers_here(declaration.plan, settings)
    led = {stage.name for stage in map(stages.entered_by, triggers) if stage}
    by_name = {message.name: message for message in messages}
    places = tuple(stage.name for stage in stages.stages if stage.name in led)

    def row(reached: Reached, name: str) -> Touchpoint:
        begins = Touchpoint(
            journey=declaration.name, stages=places, triggers=tuple(triggers), reached=reached, name=name
        )
        if reached is not Reached.CUSTOMER:
            return replace(begins, goal=titles.get((reached, name), ""))
        message = by_name[name]
        return replace(begins, channels=message.channels, purpose=message.purpose, goal=message.goal)

    steps = dict.fromkeys((*declaration.steps, *((Reached.CUSTOMER, name) for name in by_name)))
    return [row(reached, name) for reached, name in steps if reached is not Reached.CUSTOMER or name in by_name]
