"""Quiet hours in the customer's own zone."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


@dataclass(frozen=True, kw_only=True)
class QuietHours:
    """No marketing from `start` until `end`, local time; `start` may be later than `end` (over midnight)."""

    start: time = time(21)
    end: time = time(9)

    @property
    def lasting(self) -> timedelta:
        """How long they last on a day without a change of clocks."""
        day = timedelta(days=1)
        start, end = (timedelta(hours=at.hour, minutes=at.minute) for at in (self.start, self.end))
        return (end - start) % day

    def end_after(self, at: datetime, zone: str) -> datetime | None:
        """When the quiet hours that `at` lies in end (UTC), or None when `at` lies outside them.

        Start and end are local wall times: where the clocks skip one, it is moved on by the gap; where they repeat it,
        the first counts (PEP 495, fold 0). Between the two it is quiet, whatever the clocks show meanwhile.
        """
        place = ZoneInfo(zone)
        today = at.astimezone(place).date()
        for ago in range(3):  # today's, last night's, and one more: a zone may leave a whole day out (Apia, 2011)
            day = today - timedelta(days=ago)
            morning = day + timedelta(days=1) if self.start > self.end else day
            begin = datetime.combine(day, self.start, tzinfo=place).astimezone(UTC)
            end = datetime.combine(morning, self.end, tzinfo=place).astimezone(UTC)
            if begin <= at < end:
                return end
        return None


def known_zone(name: str | None) -> bool:
    """Whether this is a time zone of the IANA data base."""
    try:
        return bool(name) and bool(ZoneInfo(name or ""))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
