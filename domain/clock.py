"""Business time: the one clock by which everything about people is decided.

    business = anchor + (real − anchor) × pace

Pace 1 in production. A demo sets it so that a day lasts five seconds. Machinery (leases, timeouts, retries) uses
real time and does not ask this clock.
"""

from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where business time comes from."""

    def now(self) -> datetime:
        """The business instant now, aware, UTC."""
        ...


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How real time maps to business time in one installation.

    `anchor` is the instant at which both agree; `pace` is business seconds per real second, above zero.
    """

    anchor: datetime
    pace: float = 1.0

    def business(self, real: datetime) -> datetime:
        """The business instant at a real one."""
        return self.anchor + (real - self.anchor) * self.pace

    def real(self, business: datetime) -> datetime:
        """The real instant at a business one."""
        return self.anchor + (business - self.anchor) / self.pace

    def lasting(self, business: timedelta) -> timedelta:
        """How long a business duration lasts in real time."""
        return business / self.pace


def utc(said: datetime) -> datetime:
    """An instant in UTC; one that names no zone is UTC.

    Raises ValueError in the first and the last year that a program can hold: in some zone it would be another.
    """
    if not MINYEAR < said.year < MAXYEAR:
        raise ValueError("is out of range")
    return said.astimezone(UTC) if said.tzinfo else said.replace(tzinfo=UTC)
