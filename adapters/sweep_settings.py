"""TROPA_SWEEP: when silence says something and how RFM is read, as JSON with durations in words."""

from datetime import timedelta
from decimal import Decimal

import msgspec

from domain.durations import parse_duration
from domain.errors import InvalidInput
from domain.rfm import Bounds, RfmRules
from domain.sweep import SweepRules

Four = tuple[int, int, int, int]
_BOUNDS = Bounds()


class _Given(msgspec.Struct, forbid_unknown_fields=True):
    disengaged_after: str = "30 days"
    dormant_after: str = "90 days"
    gone_after: str = "180 days"
    nps_every: str = "91 days"
    rfm_window: str | None = None
    rfm_fixed: bool = False
    rfm_recency_days: Four = _BOUNDS.recency_days
    rfm_frequency: Four = _BOUNDS.frequency
    rfm_monetary: tuple[Decimal, Decimal, Decimal, Decimal] = _BOUNDS.monetary
    dates: dict[str, tuple[int, ...]] = {}


def read_sweep_rules(words: str) -> SweepRules:
    """The rules that a setting asks for; the defaults for what it leaves out. Raises InvalidInput."""
    try:
        given = msgspec.json.decode(words or "{}", type=_Given)
    except msgspec.MsgspecError as error:
        raise InvalidInput([str(error)]) from None
    bounds = Bounds(recency_days=given.rfm_recency_days, frequency=given.rfm_frequency, monetary=given.rfm_monetary)
    return SweepRules(
        disengaged_after=_duration("disengaged_after", given.disengaged_after),
        dormant_after=_duration("dormant_after", given.dormant_after),
        gone_after=_duration("gone_after", given.gone_after),
        nps_every=_duration("nps_every", given.nps_every),
        rfm=RfmRules(
            window=_duration("rfm_window", given.rfm_window) if given.rfm_window else None,
            fixed=given.rfm_fixed,
            bounds=bounds,
        ),
        dates=given.dates,
    )


def _duration(name: str, words: str) -> timedelta:
    try:
        return parse_duration(words)
    except InvalidInput as error:
        raise InvalidInput([f"{name}: {problem}" for problem in error.problems]) from None
