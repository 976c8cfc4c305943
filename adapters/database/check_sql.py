"""SQL for checks of a value. Every value is bound; the text holds nothing but words of ours.

A check of what is missing may be NULL: that is not true, and `IS NOT TRUE` its opposite.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec

from domain.checks import Check, Checks, Comparison, Kind

NOW = "cast(:now AS timestamptz)"
_OPERATORS = {
    Comparison.AT_LEAST: ">=",
    Comparison.AT_MOST: "<=",
    Comparison.MORE_THAN: ">",
    Comparison.LESS_THAN: "<",
    Comparison.AFTER: ">",
    Comparison.BEFORE: "<",
}
_TYPES = {Kind.NUMBER: "numeric", Kind.TEXT: "text", Kind.BOOLEAN: "boolean", Kind.INSTANT: "timestamptz"}
_TEMPORAL = (Comparison.AFTER, Comparison.BEFORE, Comparison.WITHIN, Comparison.OLDER_THAN)
# A day, or an instant with its zone, as JSON writes it. What looks like one may still be none: 30 February.
_ISO = (
    "'^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,6})?)?"
    "([Zz]|[+-][0-9]{2}:[0-9]{2}))?$'"
)


class Binds:
    """The values of a statement, each under a name of ours. A value that comes again has its name."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self._names: dict[tuple[str, object], str] = {}

    def __call__(self, value: Any, kind: str) -> str:
        """SQL for a value of a PostgreSQL type."""
        key = (kind, tuple(value) if isinstance(value, list) else value)
        name = self._names.setdefault(key, f"v{len(self._names)}")
        self.values[name] = value
        return f"cast(:{name} AS {kind})"

    def ago(self, duration: timedelta) -> str:
        """SQL for the instant so long before now."""
        return f"{NOW} - {self(duration, 'interval')}"


def checks_sql(value: str, kind: Kind, checks: Checks, bind: Binds) -> str:
    """All checks of a value, which is given as SQL."""
    if kind is Kind.ANY:
        return " AND ".join(f"({_json(value, check, bind)})" for check in checks)
    return " AND ".join(f"({_compared(value, check, bind, _TYPES[kind])})" for check in checks)


def hold_of_none(checks: Checks) -> bool:
    """Whether numeric checks hold of nothing at all, whose count and sum are 0."""
    return all(_holds(check, Decimal(0)) for check in checks)


def _holds(check: Check, number: Decimal) -> bool:
    match check:
        case Check(Comparison.EQUALS, than):
            return number == than
        case Check(Comparison.IN, tuple() as several):
            return number in several
        case Check(Comparison.AT_LEAST, Decimal() as than):
            return number >= than
        case Check(Comparison.AT_MOST, Decimal() as than):
            return number <= than
        case Check(Comparison.MORE_THAN, Decimal() as than):
            return number > than
        case Check(Comparison.LESS_THAN, Decimal() as than):
            return number < than
    return False  # there is no first or last of none


def _compared(value: str, check: Check, bind: Binds, kind: str) -> str:
    match check:
        case Check(Comparison.EQUALS, than):
            return f"{value} = {bind(than, kind)}"
        case Check(Comparison.IN, tuple() as several):
            return f"{value} = ANY({bind(list(several), f'{kind}[]')})"
        case Check(Comparison.EXISTS, than):
            return f"{value} IS {'NOT NULL' if than else 'NULL'}"
        case Check(Comparison.CONTAINS, than):
            return f"strpos({value}, {bind(than, kind)}) > 0"
        case Check(Comparison.WITHIN, timedelta() as ago):
            return f"{value} > {bind.ago(ago)}"
        case Check(Comparison.OLDER_THAN, timedelta() as ago):
            return f"{value} <= {bind.ago(ago)}"
    return f"{value} {_OPERATORS[check.comparison]} {bind(check.than, kind)}"


def _json(value: str, check: Check, bind: Binds) -> str:
    """JSON of whatever kind: a comparison that does not fit the kind is not true, and raises nothing."""
    kind, words = f"jsonb_typeof({value})", f"({value} #>> '{{}}')"
    match check:
        case Check(Comparison.EXISTS, than):
            return f"coalesce({kind}, 'null') {'<>' if than else '='} 'null'"
        case Check(Comparison.EQUALS, than):
            return f"{value} = {bind(_written(than), 'jsonb')}"
        case Check(Comparison.IN, tuple() as several):
            return f"{value} = ANY({bind([_written(each) for each in several], 'jsonb[]')})"
        case Check(Comparison.CONTAINS, than):
            text = bind(than, "text")
            holds = f"strpos({words}, {text}) > 0", f"{value} @> to_jsonb({text})"
            return f"CASE {kind} WHEN 'string' THEN {holds[0]} WHEN 'array' THEN {holds[1]} END"
    if check.comparison not in _TEMPORAL:
        number = _compared(f"cast({value} AS numeric)", check, bind, "numeric")
        return f"CASE WHEN {kind} = 'number' THEN {number} END"
    whole = f"{words} || CASE length({words}) WHEN 10 THEN 'T00:00:00Z' ELSE '' END"
    instant = f"cast({whole} AS timestamptz)"
    past = f" AND {instant} <= {NOW}" if check.comparison is Comparison.WITHIN else ""  # not of the days to come
    return (
        f"CASE WHEN {kind} = 'string' AND {words} ~ {_ISO} AND pg_input_is_valid({whole}, 'timestamptz')"
        f" THEN {_compared(instant, check, bind, 'timestamptz')}{past} END"
    )


def _written(value: object) -> str:
    return str(value) if isinstance(value, Decimal) else msgspec.json.encode(value).decode()
