"""What may happen at a point of a walk: the usual first, then everything else that the journey declares or reads."""

import ast
import functools
import inspect
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from domain.customers import Audience, CustomerFacts
from domain.durations import spoken
from domain.events import EVENT_NAME
from domain.journeys import Declaration, Outcome
from domain.messages import Channel, Message
from domain.options import describe
from domain.sends import Reaction, SendResult, SendState
from domain.surveys import SURVEY_ANSWERED
from workflows.toolkit.journey import Journey

DAY = timedelta(days=1)
MOST_VALUES = 7  # of a number or a duration
MOST_EVENTS = 24  # ways in which one event may come
MOST_DOUBLES = 150
SCORES = list(range(11))
INSTANTS = ("last_order_at", "feature_used_at", "activated_at", "last_active_at")
FACTS = {each.name for each in fields(CustomerFacts)}
NOT_SENT = (SendState.REFUSED, SendState.EXPIRED, SendState.HOLDOUT)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One thing that may happen. `kind` is time, event, ends, leaves, is (a fact) or answer; `word` tells it.

    `unusual` says in how many things it differs from what is usual: what differs in less is tried first.
    """

    kind: str
    word: str
    value: Any = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    unusual: int = 1


TIME = Choice(kind="time", word="time passes")


class Alternatives:
    """What may happen in one journey. Facts vary by what its module reads; numbers by those that stand in it."""

    def __init__(
        self, journey: type[Journey], declaration: Declaration, messages: tuple[Message, ...], began: datetime
    ) -> None:
        self._plan, self._began = declaration.plan, began
        self._channels = {message.name: message.channels for message in messages}
        nodes = list(ast.walk(ast.parse(inspect.getsource(inspect.getmodule(journey) or journey))))
        constants = {node.value for node in nodes if isinstance(node, ast.Constant)}
        self._asks_why = any(isinstance(node, ast.Name) and node.id == "SendState" for node in nodes)
        self._reads = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
        self._texts = sorted(each for each in constants if isinstance(each, str) and EVENT_NAME.fullmatch(each))
        self._numbers = _around({each for each in constants if _is_number(each)})
        self._spans = _spans(nodes)

    def of_causes(self) -> list[Choice]:
        """What starts it, where that makes a difference. One is as usual as another."""
        causes = self._plan.beginnings or ("staff",)
        shown = causes if "cause" in self._reads else causes[:1]
        return [Choice(kind="answer", word=f"started by {each}", value=each, unusual=0) for each in shown]

    def of_options(self) -> list[Choice]:
        """As the journey has them; or one of those that are a choice set otherwise."""
        return [
            Choice(kind="answer", word="as it is set", value={}),
            *(
                Choice(kind="answer", word=f"{option.name}: {_told(value)}", value={option.name: value})
                for option in describe(self._plan.options)
                for value in ((True, False) if option.kind == "boolean" else option.choices)
                if value != option.default
            ),
        ]

    def at_a_wait(self, first: bool, asked: str) -> list[Choice]:
        """Time passes; or something happens meanwhile. Leaving is the same everywhere, so it is tried once; a journey
        that serves is not left. `asked` is the last send, which a survey's answer names.
        """
        plan, found = self._plan, [TIME]
        for name in plan.hears:
            found += [
                Choice(kind="event", word=_event(name, said), value=name, properties=said, unusual=unusual)
                for unusual, said in self._said(name, asked)[:MOST_EVENTS]
            ]
        if plan.goal:
            found.append(Choice(kind="ends", word=str(plan.goal), value=Outcome.CONVERTED))
        found += [Choice(kind="ends", word=str(each), value=Outcome.EXITED) for each in plan.exits]
        return [*found, Choice(kind="leaves", word="opted_out")] if first and not plan.serves else found

    def of_a_send(self, message: str, leg: int, cascade: bool) -> list[Choice]:
        """It goes; or not, for one reason or another; the next leg of a cascade also because it was seen."""
        channels = self._channels.get(message, (Channel.EMAIL,))
        legs = len(channels) if cascade else 1
        gone = SendResult(state=SendState.ACCEPTED, rule="accepted", channel=channels[min(leg, legs - 1)], legs=legs)
        states = NOT_SENT if self._asks_why and not leg else (SendState.REFUSED,)
        return [
            Choice(kind="answer", word=f"{message}: sent", value=gone),
            *(
                Choice(
                    kind="answer",
                    word=f"{message}: {'seen already' if leg else state.value}",
                    value=SendResult(state=state, rule="seen" if leg else state.value, legs=legs),
                )
                for state in states
            ),
        ]

    @functools.cached_property
    def of_facts(self) -> list[Choice]:
        """An ordinary customer; or one who differs in one thing that the journey reads, or in two.

        The value is for `customer`: a duration where the fact is an instant tells how long ago.
        """
        single = [
            (f"{name}: {_fact(name, value)}", {name: value})
            for name, values in self._facts().items()
            if name in FACTS and {name, name.removesuffix("_days")} & self._reads
            for value in values
        ]
        double = [
            (f"{word}, {other}", facts | more)
            for (word, facts), (other, more) in itertools.combinations(single, 2)
            if facts.keys() != more.keys()
        ]
        return [
            Choice(kind="answer", word="an ordinary customer", value={}),
            *(
                Choice(kind="is", word=word, value=facts, unusual=len(facts))
                for word, facts in [*single, *(double if len(double) <= MOST_DOUBLES else [])]
            ),
        ]

    def customer(self, choice: Choice, now: datetime) -> CustomerFacts:
        """The facts that were chosen, as of an instant."""
        usual = CustomerFacts(first_seen_at=self._began, orders=1, reachable=tuple(Channel))
        told = {name: now - value if name in INSTANTS else value for name, value in choice.value.items()}
        return replace(usual, **told)

    def of_variant(self, experiment: str) -> list[Choice]:
        """The variants, as the plan has them."""
        variants = self._plan.experiments[experiment]
        return [Choice(kind="answer", word=f"{experiment}: {each}", value=each) for each in variants]

    def of_reaction(self, message: str) -> list[Choice]:
        """What became of a message: usually nothing that is certain."""
        order = (Reaction.NOT_SEEN, Reaction.SEEN, Reaction.CLICKED, Reaction.NOT_SENT)
        return [Choice(kind="answer", word=f"{message}: {each.value.replace('_', ' ')}", value=each) for each in order]

    def _facts(self) -> dict[str, list[Any]]:
        return {
            "orders": [0, *self._numbers],
            "revenue": [float(each) for each in self._numbers],
            "engagement": [each for each in self._numbers if each <= 100],
            "last_order_at": self._spans,
            "cadence_days": [span / DAY for span in self._spans],
            "feature_used_at": [DAY],
            "activated_at": [DAY],
            "last_active_at": self._spans,
            "complains": [True],
            "stage": self._texts,
            "audiences": [(each,) for each in Audience],
            "reachable": [(), *((each,) for each in Channel)],
        }

    def _said(self, event: str, asked: str) -> list[tuple[int, dict[str, Any]]]:
        """Every combination of what an event may say or leave out, with in how many things it differs from the first.

        A journey is told only what fits the declared kind, so that anything may be missing.
        """
        kinds = dict(self._plan.properties.get(event, {}))
        if event == SURVEY_ANSWERED:
            kinds.setdefault("score", int)
        values = [
            SCORES if event == SURVEY_ANSWERED and name == "score" else [*self._values(kind), None]
            for name, kind in kinds.items()
        ]
        about = {"send": asked} if event == SURVEY_ANSWERED else {}
        found = []
        for each in itertools.product(*values):
            said = {name: value for name, value in zip(kinds, each, strict=True) if value is not None}
            found.append(
                (max(1, sum(value != usual[0] for value, usual in zip(each, values, strict=True))), said | about)
            )
        return sorted(found, key=lambda each: each[0])

    def _values(self, kind: type) -> list[Any]:
        if isinstance(kind, type) and issubclass(kind, StrEnum):
            return [each.value for each in kind]
        if kind is bool:
            return [True, False]
        if kind in (int, float):
            return [kind(each) for each in self._numbers]
        return ["some-id"] if kind is not datetime else [self._began.isoformat()]


def _spans(nodes: list[ast.AST]) -> list[timedelta]:
    """How long ago things may be: a day, and a little more than every duration that stands in the code."""
    units = {"days": DAY, "hours": timedelta(hours=1), "minutes": timedelta(minutes=1)}
    said = {DAY}
    for node in nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in units and node.args:
            count = node.args[0]
            if isinstance(count, ast.Constant) and isinstance(count.value, (int, float)):
                said.add(units[node.func.id] * count.value + DAY)
    return _some(sorted(said))


def _some(values: list[Any]) -> list[Any]:
    """A few of many, the first and the last among them."""
    step = (len(values) - 1) / (MOST_VALUES - 1)
    return values if step <= 1 else [values[round(number * step)] for number in range(MOST_VALUES)]


def _around(numbers: set[Any]) -> list[int]:
    """The numbers that a journey's code knows, and their neighbours; some, where it knows none."""
    near = sorted({int(each) + step for each in numbers for step in (-1, 0, 1) if int(each) + step >= 0})
    return _some(near) or [0, 5, 10]


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 10**9


def _event(name: str, said: Mapping[str, Any]) -> str:
    told = ", ".join(f"{key} {_told(value)}" for key, value in said.items() if value != "some-id" and key != "send")
    return f"{name} ({told})" if told else name


def _fact(name: str, value: Any) -> str:
    if name in INSTANTS:
        return f"{spoken(value)} ago"
    return spoken(value * DAY) if name == "cadence_days" else _told(value)


def _told(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(_told, value)) or "none"
    return spoken(value) if isinstance(value, timedelta) else str(value).replace("_", " ")
