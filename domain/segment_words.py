"""A segment's rule in words, for people who do not read JSON: a line for each condition, in a tree."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from domain.checks import Check, Checks, Comparison
from domain.dates import date
from domain.durations import spoken
from domain.event_words import event_words
from domain.rfm import WORDS as RFM_WORDS
from domain.rfm import Segment as RfmSegment
from domain.segment_names import COMPARISONS, FIELDS, MEASURES, SAID, SCORES, VALUES
from domain.segments import (
    AllOf,
    AnyOf,
    Attribute,
    Bought,
    Condition,
    Happened,
    Known,
    Measure,
    Member,
    Missed,
    Not,
    Pattern,
    Rule,
    Said,
    Scored,
    Told,
)

_ONE_OR_MORE = (Check(Comparison.AT_LEAST, Decimal(1)),)


@dataclass(frozen=True, kw_only=True)
class Line:
    """A condition, or a heading over `parts`."""

    text: str
    parts: Sequence["Line"] = ()


@dataclass(frozen=True, kw_only=True)
class Words:
    """How a language says rules. `label` is what another segment is called, `stage` a stage."""

    lang: str
    label: Callable[[str], str]
    stage: Callable[[str], str]

    def lines(self, rule: Rule) -> Sequence[Line]:
        """The whole rule; what must hold together at the top needs no heading."""
        if isinstance(rule, AllOf):
            return [line for part in rule.parts for line in self.lines(part)]
        return [self._line(rule)]

    def _line(self, rule: Rule) -> Line:
        match rule:
            case AllOf(parts):
                return Line(text=self._say("all") + ":", parts=[line for part in parts for line in self._flat(part)])
            case AnyOf(parts):
                return Line(text=self._say("any") + ":", parts=[self._line(part) for part in parts])
            case Not(AnyOf(parts)):
                return Line(text=self._say("not") + ":", parts=[self._line(part) for part in parts])
            case Not(part):
                return Line(text=self._say("not") + ":", parts=[self._line(part)])
            case _:
                return Line(text=self._condition(rule))

    def _flat(self, rule: Rule) -> Sequence[Line]:
        return self.lines(rule) if isinstance(rule, AllOf) else [self._line(rule)]

    def _condition(self, asked: Condition) -> str:
        match asked:
            case Known(name=name, checks=checks):
                return f"{self._of(FIELDS, name)}: {self._checks(checks, name)}"
            case Scored(name=name, checks=checks):
                return f"RFM, {self._of(SCORES, name)}: {self._checks(checks, name)}"
            case Attribute(name=name, checks=checks):
                return f"{self._say('attribute', name=name)}: {self._checks(checks)}"
            case Said(channel=channel, topic=topic, word=word):
                scope = ", ".join(each for each in (self._value(channel.value), topic) if each)
                return f"{self._say('consent', scope=scope)}: {self._value(word.value)}"
            case Member(segment=segment):
                return self._say("member", label=self.label(segment))
            case Missed(first=first, since=since, then=then, within=within):
                happened = self._pattern(first) + self._within(since)
                return self._say("missed", first=happened, then=self._pattern(then), within=self._time(within))
        return self._counted(asked)

    def _counted(self, asked: Happened | Bought | Told) -> str:
        """How many there are of something, their sum, when the first or the last was."""
        checks = self._checks(asked.checks)
        match asked:
            case Happened(pattern=pattern, measure=Measure.COUNT, checks=ask) if ask == _ONE_OR_MORE:
                return self._pattern(pattern) + self._within(asked.within)
            case Happened(pattern=pattern, measure=Measure.SUM, property=name):
                what = self._pattern(pattern) + self._within(asked.within)
                return f"{self._say('sum', what=what, name=name)}: {checks}"
            case Happened(pattern=pattern, measure=measure):
                what = self._pattern(pattern)
            case Bought(with_code=code, measure=measure):
                what = self._say("orders" if code is None else "orders with" if code else "orders without")
            case Told(channel=channel, seen=seen):
                by = f" ({self._value(channel.value)})" if channel else ""
                what, measure = self._say("messages seen" if seen else "messages") + by, Measure.COUNT
        return f"{what}{self._within(asked.within)}, {MEASURES[measure][self.lang]}: {checks}"

    def _pattern(self, pattern: Pattern) -> str:
        asked = [f"{name}: {self._checks(checks)}" for name, checks in pattern.where]
        where = f" ({', '.join(asked)})" if asked else ""
        return self._say("event", event=event_words(pattern.name, self.lang), where=where)

    def _checks(self, checks: Checks, name: str = "") -> str:
        return self._say("and").join(self._check(check, name) for check in checks)

    def _check(self, check: Check, name: str) -> str:
        than = check.than
        if check.comparison is Comparison.EXISTS:
            return self._say("known" if than else "unknown")
        if isinstance(than, tuple):
            told = self._say("or").join(self._value(each, name) for each in than)
        elif isinstance(than, timedelta):
            told = self._time(than)
        elif isinstance(than, datetime):
            told = f"{date(than, 'UTC', self.lang)}, {than:%H:%M} UTC"
        else:
            told = self._value(than, name)
        return COMPARISONS[check.comparison][self.lang].format(than=told)

    def _value(self, value: str | bool | Decimal, name: str = "") -> str:
        if isinstance(value, bool):
            return self._say("yes" if value else "no")
        if isinstance(value, Decimal):
            return f"{value:f}"
        if name == "stage":
            return self.stage(value)
        if name in ("segment", "effective_segment") and value in set(RfmSegment):
            return RFM_WORDS[RfmSegment(value)][self.lang].name
        return self._of(VALUES, value)

    def _within(self, within: timedelta | None) -> str:
        return self._say("within", time=self._time(within)) if within else ""

    def _time(self, duration: timedelta) -> str:
        return spoken(duration, self.lang)

    def _say(self, word: str, **facts: str) -> str:
        return SAID[word][self.lang].format(**facts)

    def _of(self, names: Mapping[str, Mapping[str, str]], name: str) -> str:
        return names[name][self.lang] if name in names else name
