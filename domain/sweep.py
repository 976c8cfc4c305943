"""The daily sweep: what time alone does to customers, told as events (design 4.8)."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from domain.customers import GONE_AFTER, SLEEPS_AFTER
from domain.durations import days, spoken
from domain.errors import InvalidInput
from domain.rfm import RfmRules

# The three clocks of silence (design 7, C4), the first two by what customers do, then by what they open, click, visit.
BECAME_DORMANT = "became_dormant"
BECAME_GONE = "became_gone"
ENGAGEMENT_LOST = "engagement_lost"
# The clock of purchases.
RFM_SEGMENT_ENTERED = "rfm_segment_entered"
BIRTHDAY = "birthday"
NPS_DUE = "nps_due"
DATE_NEAR = "date_near"
FARTHEST = 366  # days before a date, or after it
KNOWN_FOR = days(30)  # who is asked for a score has had time to form a view

LEAP_DAY, BEFORE_LEAP_DAY = "02-29", "02-28"


@dataclass(frozen=True, kw_only=True)
class SweepRules:
    """When silence says something, how often NPS is asked (S57), how RFM is read, and which dates of customers are told
    of: by attribute, so many days before; a negative number is after.

    Raises InvalidInput naming what cannot be.
    """

    disengaged_after: timedelta = days(30)
    dormant_after: timedelta = SLEEPS_AFTER
    gone_after: timedelta = GONE_AFTER
    nps_every: timedelta = days(91)
    rfm: RfmRules = field(default_factory=RfmRules)
    dates: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        silences = {"disengaged_after": self.disengaged_after, "dormant_after": self.dormant_after}
        problems = [
            f"{name}: must be at least a day; got {spoken(each)}" for name, each in silences.items() if each < days(1)
        ]
        if self.gone_after <= self.dormant_after:
            problems.append(f"gone_after: must be longer than dormant_after, {spoken(self.dormant_after)}")
        if not days(30) <= self.nps_every <= days(366):
            problems.append(f"nps_every: must be between 30 and 366 days; got {spoken(self.nps_every)}")
        if self.rfm.window is not None and self.rfm.window < days(1):
            problems.append(f"rfm_window: must be at least a day; got {spoken(self.rfm.window)}")
        problems += [
            f"dates.{name}: must be whole days from -{FARTHEST} to {FARTHEST}, each once; got {list(told)}"
            for name, told in self.dates.items()
            if not told or len({*told}) < len(told) or max(map(abs, told)) > FARTHEST
        ]
        if problems:
            raise InvalidInput(problems)


class Silent(StrEnum):
    """Why a sweep sets states without a word, so that no journey starts (design 4.7)."""

    FIRST = "first"
    RULES = "rules"
    IMPORT = "import"


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """A sweep that was done: when, by which rules, and whether RFM scores were `ranked` or taken by bounds.

    Imports received before `imports_until` had been applied by then; later ones concern the next sweep.
    """

    as_of: datetime
    rules: SweepRules
    ranked: bool
    imports_until: datetime


@dataclass(frozen=True, kw_only=True)
class Swept:
    """What a sweep did. `told` counts its events by name, `silently` those that set a state and start nothing.

    `customers` were looked at, `bought` of them have an RFM, and `moved` of these have another segment than before.
    `forgotten` visitors without a name had come no more.
    """

    as_of: datetime
    silent: Silent | None
    customers: int
    told: dict[str, int]
    silently: int
    bought: int
    moved: int
    forgotten: int = 0

    def words(self) -> str:
        """In one line."""
        why = f", silently ({self.silent.value})" if self.silent else ""
        told = ", ".join(f"{count:,} {name}" for name, count in sorted(self.told.items())) or "nothing to tell"
        return (
            f"{self.customers:,} customers as of {self.as_of:%Y-%m-%d %H:%M}{why}: {told}; "
            f"{self.silently:,} states set silently; RFM of {self.bought:,}, {self.moved:,} in another segment; "
            f"{self.forgotten:,} visitors without a name forgotten"
        )


def why_silent(last: Sweep | None, rules: SweepRules, *, imported: int, customers: int) -> Silent | None:
    """Why the next sweep is to be silent, if so. `imported` customers of all had history handed over since the last.

    An import of a hundredth of all customers counts; a small one each night must not silence every sweep.
    """
    if last is None:
        return Silent.FIRST
    if replace(last.rules, dates=rules.dates) != rules:  # a date is a day and no state: another changes no state
        return Silent.RULES
    return Silent.IMPORT if imported and imported * 100 >= customers else None


def celebrated_on(day: date) -> frozenset[str]:
    """The birthdays that fall on a day, as MM-DD. One of 29 February is celebrated a day earlier in other years."""
    own = f"{day:%m-%d}"
    born_on_a_leap_day = own == BEFORE_LEAP_DAY and (day + timedelta(days=1)).day == 1
    return frozenset({own, LEAP_DAY}) if born_on_a_leap_day else frozenset({own})


def birthdays_since(last: date | None, today: date) -> list[date]:
    """The days whose birthdays are due: today, and yesterday if no sweep of then or later has been."""
    if last is None or last >= today:
        return [today] if last is None else []
    yesterday = today - timedelta(days=1)
    return [today] if last >= yesterday else [yesterday, today]
