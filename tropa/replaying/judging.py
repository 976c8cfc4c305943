"""Would this walk go on with the code as it is here? Temporal's own Replayer says so, in the worker's sandbox."""

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.worker import Replayer

from adapters.temporal import DATA_CONVERTER
from tropa.rehearsal.sdk import workflow_definition
from tropa.replaying.overhearing import Overhearing
from tropa.replaying.steps import NOTHING, event_words, is_step
from tropa.worker import OPERATIONS, RUNNER
from workflows.registry import journeys
from workflows.toolkit.endings import Endings

_EVENT = re.compile(r"HistoryEvent\(id: (\d+)")
_QUOTED = re.compile(r"scheduled event '(\w+)'")
_MESSAGE = re.compile(r'message: "((?:[^"\\]|\\.)*)"')
GONE = "there is no journey of this name"
_ENDED = frozenset(
    {
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
    }
)


class Kind(StrEnum):
    """How a walk would break."""

    OTHER_STEP = "other_step"
    RAISES = "raises"
    GONE = "gone"


@dataclass(frozen=True, kw_only=True)
class Break:
    """A walk that would stand still at its history's event number `event` (where the code raises: after it), with what
    the code wants there, what the history has, and the SDK's own word.
    """

    enrollment: str
    journey: str
    kind: Kind
    event: int
    wanted: str
    has: str
    problem: str


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A walk that was looked at, when its history had so many events. `release` took its last step, where there are
    releases; `stays` says that it is held on one.
    """

    id: str
    run: str
    journey: str
    events: int
    release: str
    stays: bool
    broken: Break | None


def journey_of(history: WorkflowHistory) -> str:
    """Whose history it is."""
    return history.events[0].workflow_execution_started_event_attributes.workflow_type.name


def has_ended(history: WorkflowHistory) -> bool:
    """Whether nothing will ever happen in this run again."""
    return history.events[-1].event_type in _ENDED


class Judge:
    """Replays histories, one after another, against these classes: the worker's own, unless others are given."""

    def __init__(self, workflows: Sequence[type] = ()) -> None:
        self._workflows = list(workflows or (*journeys(), *OPERATIONS))
        self.known = {str(workflow_definition(each).name) for each in self._workflows}
        """Names of workflows that there are."""
        self._listening = Overhearing(RUNNER)

    async def judge(self, histories: AsyncIterator[WorkflowHistory]) -> AsyncIterator[Judged]:
        """Each of them, in no certain order: those of unknown classes and those not begun need no replay."""
        others: list[Judged] = []

        async def to_replay() -> AsyncIterator[WorkflowHistory]:
            async for history in histories:
                if journey_of(history) not in self.known:
                    others.append(
                        _judged(history, _broken(history, Kind.GONE, 1, NOTHING, "a walk of this name", GONE))
                    )
                elif not any(e.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED for e in history.events):
                    others.append(_judged(history, None))
                else:
                    yield history

        replayer = Replayer(
            workflows=self._workflows,
            interceptors=[Endings()],
            workflow_runner=self._listening,
            data_converter=DATA_CONVERTER,
            runtime=_silent(),
        )
        async with replayer.workflow_replay_iterator(to_replay()) as results:
            async for result in results:
                yield _judged(result.history, self._break(result.history, result.replay_failure))
                while others:
                    yield others.pop()
        while others:
            yield others.pop()

    def _break(self, history: WorkflowHistory, failure: Exception | None) -> Break | None:
        heard, steps = self._listening, [event for event in history.events if is_step(event)]
        if failure is None:
            return self._too_much(history, steps)
        said = _MESSAGE.search(str(failure))
        problem = said[1].replace('\\"', '"') if said else str(failure)
        if heard.raised:
            after = heard.raised_after
            has = next((event_words(event) for event in steps if event.event_id > after), NOTHING)
            return _broken(history, Kind.RAISES, after, heard.raised, has, problem)
        place = _place(steps, [each.words for each in heard.wanted], problem)
        event = steps[place] if place < len(steps) else None
        wanted = heard.wanted[place].words if place < len(heard.wanted) else NOTHING
        number = event.event_id if event else history.events[-1].event_id
        return _broken(history, Kind.OTHER_STEP, number, wanted, event_words(event) if event else NOTHING, problem)

    def _too_much(self, history: WorkflowHistory, steps: Sequence[HistoryEvent]) -> Break | None:
        """What the Replayer does not see: where the history stops, the code has wanted a step more than it has."""
        done = max(e.event_id for e in history.events if e.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED)
        wanted = [each for each in self._listening.wanted if each.after < done]
        if len(wanted) <= len(steps):
            return None
        last, extra = history.events[-1].event_id, wanted[len(steps)].words
        return _broken(history, Kind.OTHER_STEP, last, extra, NOTHING, "the code wants more than the history has")


@cache
def _silent() -> Runtime:
    """One that writes no warnings among what is printed. A process has one, and never lets it go."""
    return Runtime(telemetry=TelemetryConfig(logging=None))


def _place(steps: Sequence[HistoryEvent], wanted: Sequence[str], problem: str) -> int:
    """Which of the walk's steps the SDK complains of: by its number, or else by the kind of step that it quotes."""
    if found := _EVENT.search(problem):
        return sum(event.event_id < int(found[1]) for event in steps)
    quoted = _QUOTED.search(problem)
    for place, (event, words) in enumerate(zip(steps, wanted, strict=False)):
        kind = event.activity_task_scheduled_event_attributes.activity_type.name
        if (not quoted or kind == quoted[1]) and event_words(event) != words:
            return place
    return max(min(len(steps), len(wanted)) - 1, 0)


def _broken(history: WorkflowHistory, kind: Kind, event: int, wanted: str, has: str, problem: str) -> Break:
    return Break(
        enrollment=history.workflow_id,
        journey=journey_of(history),
        kind=kind,
        event=event,
        wanted=wanted,
        has=has,
        problem=problem,
    )


def _judged(history: WorkflowHistory, broken: Break | None) -> Judged:
    release, stays = _stand(history)
    return Judged(
        id=history.workflow_id,
        run=history.run_id,
        journey=journey_of(history),
        events=len(history.events),
        release=release,
        stays=stays,
        broken=broken,
    )


def _stand(history: WorkflowHistory) -> tuple[str, bool]:
    """The release that took the last step, and whether the walk is held on one."""
    began = history.events[0].workflow_execution_started_event_attributes
    release, stays = "", began.versioning_override.HasField("pinned")
    for event in history.events:
        if event.HasField("workflow_task_completed_event_attributes"):
            release = event.workflow_task_completed_event_attributes.deployment_version.build_id
        elif event.HasField("workflow_execution_options_updated_event_attributes"):
            changed = event.workflow_execution_options_updated_event_attributes
            if changed.unset_versioning_override or changed.HasField("versioning_override"):
                stays = changed.versioning_override.HasField("pinned")
    return release, stays
