"""How long a busy provider asks us to wait, within reason: a second at least, an hour at most."""

import email.utils
from datetime import UTC, datetime, timedelta

from domain.clock import utc

SHORTEST, LONGEST = 1, 3600  # seconds


def within_reason(seconds: float) -> timedelta:
    """As many seconds as are asked for, and no fewer or more than make sense."""
    return timedelta(seconds=max(SHORTEST, min(seconds, LONGEST)))


def asked_by(header: str) -> timedelta | None:
    """What a Retry-After asks for: seconds, or a date (RFC 9110, 10.2.3). None for one that says neither."""
    try:
        if header.isascii() and header.isdigit():
            return within_reason(int(header))
        return within_reason((utc(email.utils.parsedate_to_datetime(header)) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None
