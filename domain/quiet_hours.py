"""Quiet hours in the customer's own zone."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


@dataclass(frozen=True, kw_only=True)
class QuietHours:
    """No marketing from `start` until `end`, local time; `start` may be later than `end` (over midnight)."""

    start: time = time(21)
    end: time = time(9)

    def end_after(self, at: datetime, zone: str) -> datetime | None:
        """When the quiet hours that `at` lies in end (UTC), or None when `at` lies outside them.

        The end is a local wall time: where the clocks skip it, it is moved on by the gap; where they repeat it, the
        first counts (PEP 495, fold 0).
        """
        local = at.astimezone(ZoneInfo(zone))
        now = local.time()
        over_midnight = self.start > self.end
        quiet = (now >= self.start or now < self.end) if over_midnight else (self.start <= now < self.end)
        if not quiet:
            return None
        day = local.date() + timedelta(days=1 if over_midnight and now >= self.start else 0)
        end = datetime.combine(day, self.end, tzinfo=ZoneInfo(zone)).astimezone(UTC)
        # Where clocks fall back over the end itself, its first occurrence may already lie behind `at`.
        return end if end > at else at.astimezone(UTC) + timedelta(minutes=1)


def known_zone(name: str | None) -> bool:
    """Whether this is a time zone of the IANA data base."""
    try:
        return bool(name) and bool(ZoneInfo(name or ""))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
