"""The contact policy as a form: numbers with their units, boxes, and back into what the API takes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from pydantic import ValidationError
from starlette.datastructures import FormData

from api.routes.contact_policy import PolicyBody
from domain.contact_policy import ContactPolicy
from domain.customers import Audience, Frequency
from domain.durations import UNITS
from domain.errors import InvalidInput
from domain.messages import Channel, Limit, Purpose

IN = ("days", "hours", "minutes")  # the units to choose from, largest first
GROUPS: dict[str, dict[str, str]] = {
    "always": {"cap": "limit", "scheduled_cap": "limit", "gap": "duration", "whatsapp_before_email": "duration"},
    "quiet": {"quiet.start": "time", "quiet.end": "time", "jitter": "duration"},
    "scheduled": {**{f"audiences.{each}": "limit" for each in Audience}, "reactivation": "limit"},
    "chosen": {f"frequencies.{each}": "limit" for each in Frequency},
    "offers": {"values_before_offer": "number", "just_bought_within": "duration"},
    "control": {"holdout": "share"},
}
"""The fields by what they are, in the order of the page."""

_LIMITS = [name for fields in GROUPS.values() for name, kind in fields.items() if kind == "limit"]
_DURATIONS = [name for fields in GROUPS.values() for name, kind in fields.items() if kind == "duration"]


@dataclass(frozen=True, kw_only=True)
class Filled:
    """A form as it stands: what is written in each field, and which boxes are ticked."""

    said: Mapping[str, str]
    channels: Mapping[Purpose, frozenset[str]] = field(default_factory=dict)
    consent: frozenset[str] = frozenset()

    @classmethod
    def of(cls, policy: ContactPolicy) -> "Filled":
        """A policy, ready to be changed."""
        said: dict[str, str] = {
            "quiet.start": f"{policy.quiet.start:%H:%M}",
            "quiet.end": f"{policy.quiet.end:%H:%M}",
            "values_before_offer": str(policy.values_before_offer),
            "holdout": f"{policy.holdout * 100:g}",
        }
        for name in _LIMITS:
            limit = _limit(policy, name)
            said |= {f"{name}.times": str(limit.times), **_lasting(name, limit.within)}
        for name in _DURATIONS:
            said |= _lasting(name, getattr(policy, name))
        return cls(
            said=said,
            channels={purpose: frozenset(channels) for purpose, channels in policy.channels.items()},
            consent=frozenset(policy.explicit_consent),
        )

    @classmethod
    def read(cls, form: FormData) -> "Filled":
        """What somebody wrote and ticked, as it is."""
        return cls(
            said={name: value.strip() for name, value in form.items() if isinstance(value, str)},
            channels={each: frozenset(str(c) for c in form.getlist(f"channels.{each}")) for each in Purpose},
            consent=frozenset(str(channel) for channel in form.getlist("explicit_consent")),
        )

    def body(self) -> PolicyBody:
        """What it means. Raises InvalidInput naming every field that cannot be."""
        said: dict[str, Any] = {name: self._duration(name) for name in _DURATIONS}
        said |= {"quiet": {each: self.said.get(f"quiet.{each}", "") for each in ("start", "end")}}
        for name in _LIMITS:
            group, _, key = name.rpartition(".")
            limit = {"times": _whole(self.said.get(f"{name}.times", "")), "within": self._duration(name)}
            (said.setdefault(group, {}) if group else said)[key] = limit
        said |= {
            "values_before_offer": _whole(self.said.get("values_before_offer", "")),
            "holdout": _share(self.said.get("holdout", "")),
            "explicit_consent": [channel.value for channel in Channel if channel in self.consent],
            "channels": {p: [c.value for c in Channel if c in self.channels.get(p, ())] for p in Purpose},
        }
        try:
            return PolicyBody.model_validate(said)
        except ValidationError as error:
            found = [(".".join(map(str, each["loc"])), each["msg"]) for each in error.errors()]
            raise InvalidInput([f"{place}: {problem}" for place, problem in found]) from None

    def _duration(self, name: str) -> str:
        return f"{self.said.get(f'{name}.length', '')} {self.said.get(f'{name}.unit', '')}"


def _limit(policy: ContactPolicy, name: str) -> Limit:
    group, _, key = name.partition(".")
    found: Any = getattr(policy, group)
    limit: Limit = found[key] if key else found
    return limit


def _lasting(name: str, duration: timedelta) -> dict[str, str]:
    """A duration as a number of the largest unit that needs no fraction; what is finer is rounded to minutes."""
    seconds = duration.total_seconds()
    unit = next((unit for unit in IN if seconds and not seconds % UNITS[unit[:-1]]), IN[-1])
    return {f"{name}.length": f"{seconds / UNITS[unit[:-1]]:g}", f"{name}.unit": unit}


def _whole(written: str) -> int | str:
    return int(written) if written.removeprefix("-").isdecimal() else written


def _share(percent: str) -> float | str:
    try:
        return float(percent.replace(",", ".")) / 100
    except ValueError:
        return percent
