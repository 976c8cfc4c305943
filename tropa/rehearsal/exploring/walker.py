"""One walk with answered activities: no database, no letters, only the journey's own code and a list of choices."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from activities.people import CrmRequest, PeopleActivities
from activities.sending import SendingActivities
from activities.walking import WalkingActivities
from domain.events import HeardEvent
from domain.journeys import Enrollment
from domain.local_time import next_local, parse_clock
from domain.sends import send_id
from tropa.rehearsal.engine import Engine
from tropa.rehearsal.exploring.alternatives import Alternatives, Choice
from tropa.rehearsal.exploring.place import facts, place
from tropa.rehearsal.limits import CannotRehearse
from tropa.rehearsal.run import Run
from tropa.rehearsal.stage import Call
from workflows.toolkit.journey import Journey

BEGAN = datetime(2026, 3, 2, 10, tzinfo=UTC)
LONGEST = timedelta(days=1000)
MOST_STEPS = 100
TAIL = 40  # steps
ID = "explored"
ASKED = ("customer", "variant", "reaction")
SERVED: list[Callable[..., Any]] = [
    *(SendingActivities.send, WalkingActivities.customer, WalkingActivities.catch_up, WalkingActivities.variant),
    *(WalkingActivities.local_time, WalkingActivities.reaction, WalkingActivities.end),
    *(PeopleActivities.create_task, PeopleActivities.tell, PeopleActivities.update_crm),
]


Node = tuple[str, str]
"""A step by its kind and name."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """Where something was chosen: the place, what could have been, which of it was taken, and when."""

    key: Hashable
    alternatives: Sequence[Choice]
    taken: int
    at: timedelta

    @property
    def choice(self) -> Choice:
        """What was taken."""
        return self.alternatives[self.taken]


@dataclass(frozen=True, kw_only=True)
class Step:
    """What went on: message, task, notice, crm or end; between them time, and choices other than the usual.

    `at` is since the beginning; `lasting` is of time.
    """

    kind: str
    name: str
    at: timedelta
    state: str = ""
    lasting: timedelta = timedelta(0)

    @property
    def node(self) -> Node:
        """Which step it is."""
        return self.kind, self.name

    @property
    def is_told(self) -> bool:
        """Whether it is something that the journey does, or comes to."""
        return self.kind not in ("time", "choice")


@dataclass(kw_only=True)
class Walked:
    """What came of it. `ended` is None where it goes on as others do, or for ever."""

    points: list[Point] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    ended: str | None = None

    @property
    def script(self) -> list[Point]:
        """The points where something else than the usual was chosen: the shortest way to say how it went."""
        return [point for point in self.points if point.taken]

    @property
    def nodes(self) -> set[Node]:
        """Whatever it came to."""
        return {step.node for step in self.steps if step.is_told}


class Walker:
    """Walks a journey by a list of choices: the so-manyeth alternative at each point, and the usual after them.

    Where it comes to a place that is `known`, by itself or by earlier walks, it takes one step more and stops.
    """

    def __init__(
        self,
        journey: type[Journey],
        alternatives: Alternatives,
        file: str,
        choices: Sequence[int],
        known: set[Hashable],
    ) -> None:
        self._alternatives, self._file, self._choices, self._known = alternatives, file, choices, known
        self._journey = journey.__name__
        self.walked = Walked()
        self._left = False
        self._waits = self._heard = self._tail = 0
        self._asked = ""
        self._set_so = ""
        self._again = self._stepped = False
        self._answers: dict[str, Callable[[Call], Any]] = {
            "send": self._send,
            "customer": lambda call: alternatives.customer(self._answer(call, alternatives.of_facts), call.at),
            "variant": lambda call: self._answer(call, alternatives.of_variant(call.arguments[0].experiment)).value,
            "reaction": lambda call: self._answer(call, alternatives.of_reaction(call.arguments[0].message)).value,
            "local_time": self._local_time,
            "catch_up": lambda call: [],
            "end": lambda call: call.arguments[0].ending,
            "create_task": lambda call: self._step("task", call.arguments[0].name),
            "tell": lambda call: self._step("notice", call.arguments[0].name),
            "update_crm": lambda call: self._step("crm", _told_crm(call.arguments[0])),
        }
        self._engine = Engine(workflows=[journey], activities=SERVED, perform=self._perform, start=BEGAN)

    def _perform(self, call: Call) -> Any:
        if call.attempt > 1:  # only because the first answer could not be written
            raise CannotRehearse(self._journey, f"an answer to {call.name} that cannot travel")
        return self._answers[call.name](call)

    def walk(self) -> Walked:
        """Walk to the end, or until it has gone on for years."""
        engine = self._engine
        cause = self._choose("cause", self._alternatives.of_causes(), ()).value
        set_so = self._choose("options", self._alternatives.of_options(), (cause,)).value
        self._set_so = f"{cause} {set_so}"
        for point in self.walked.script:
            self._step("choice", point.choice.word)
        enrollment = Enrollment(
            id=ID,
            customer="somebody",
            started_at=BEGAN,
            anchor=BEGAN,
            about="something",
            cause=cause,
            options=set_so,
        )
        engine.start(self._journey, enrollment, id=ID)
        engine.settle()
        while not self._run.closed and engine.next and not self._is_known():
            self._pass(engine.next)
        found = self.walked
        if self._run.result is not None:
            found.ended = str(engine.converter.payload_converter.from_payload(self._run.result))
        elif self._run.closed:
            found.ended = "opted_out" if self._left else self._run.closed
        if found.ended:
            self._step("end", found.ended)
        return found

    def _pass(self, until: datetime) -> None:
        """At a wait: time passes, or something happens half-way."""
        engine = self._engine
        self._waits += 1
        choice = self._choose("wait", self._alternatives.at_a_wait(self._waits == 1, self._asked), self._place)
        if choice.kind == "time":
            self._step("time", "", lasting=until - engine.time)
            engine.run(until)
        else:
            engine.run(engine.time + (until - engine.time) / 2)
            self._happens(choice)
        engine.settle()

    def _happens(self, choice: Choice) -> None:
        engine = self._engine
        self._step("choice", choice.word)
        if choice.kind == "event":
            self._heard += 1
            heard = HeardEvent(
                id=str(self._heard),
                number=self._heard,
                name=choice.value,
                at=engine.time,
                properties=dict(choice.properties),
            )
            engine.signal(ID, "customer_event", heard)
        elif choice.kind == "ends":
            engine.signal(ID, "ended", {"outcome": choice.value.value})
        else:
            self._left = True
            engine.cancel(ID, "opted out")

    def _send(self, call: Call) -> Any:
        request = call.arguments[0]
        alternatives = self._alternatives.of_a_send(request.message, request.leg, request.cascade)
        choice = self._choose(call.name, alternatives, self._place)
        self._asked = str(send_id(ID, request.message, request.visit))
        if not request.leg:
            self._step("message", request.message, choice.value.state.value)
        if choice is not alternatives[0]:
            self._step("choice", choice.word)
        return choice.value

    def _local_time(self, call: Call) -> datetime:
        request = call.arguments[0]
        return next_local(request.after, parse_clock(request.clock), "UTC", request.weekday)

    def _answer(self, call: Call, alternatives: Sequence[Choice]) -> Choice:
        choice = self._choose(call.name, alternatives, self._place)
        if choice is not alternatives[0]:
            self._step("choice", choice.word)
        return choice

    def _choose(self, what: str, alternatives: Sequence[Choice], where: Hashable) -> Choice:
        points = self.walked.points
        taken = self._choices[len(points)] if len(points) < len(self._choices) else 0
        if len(points) >= len(self._choices):
            here = (what, where, self._set_so, self._kept)
            self._again = self._again or here in self._known
            self._known.add(here)
        # What a customer is decides with the options; what they do is tried once, whatever the options are.
        key = (what, len(alternatives), where, self._set_so if what in ASKED else "")
        point = Point(key=key, alternatives=alternatives, taken=taken, at=self._elapsed)
        points.append(point)
        return point.choice

    def _is_known(self) -> bool:
        """Whether what comes now was seen before: a step has been taken since it came to such a place.

        The silent walk is seen whole, as far as it has an end; any other for some steps after its last choice.
        """
        if not self._choices:
            return len(self.walked.steps) > MOST_STEPS or self._elapsed > LONGEST
        return self._stepped or self._tail > TAIL

    @property
    def _place(self) -> Hashable:
        return place(self._run.object, self._file)

    def _step(self, kind: str, name: str, state: str = "", lasting: timedelta = timedelta(0)) -> None:
        self.walked.steps.append(Step(kind=kind, name=name, at=self._elapsed, state=state, lasting=lasting))
        self._tail += len(self.walked.points) >= len(self._choices)
        self._stepped = self._stepped or (self._again and kind not in ("time", "choice"))

    @property
    def _kept(self) -> Hashable:
        return facts(self._run.object, self._file) if ID in self._engine.runs else ()

    @property
    def _elapsed(self) -> timedelta:
        return self._engine.time - BEGAN

    @property
    def _run(self) -> Run:
        return self._engine.latest(ID)


def _told_crm(request: CrmRequest) -> str:
    said = {"stage": request.stage, "outcome": request.outcome, "task": request.task}
    return ", ".join(f"{name} {value}" for name, value in said.items() if value)
