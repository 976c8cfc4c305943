"""How long a busy provider asks us to wait, read from what it says."""

from datetime import timedelta

import pytest

from adapters.channels.waits import asked_by, within_reason

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("7", 7 * SECOND),
        ("0", SECOND),
        ("99999999", HOUR),
        ("Fri, 01 Jan 2199 00:00:00 GMT", HOUR),
        ("Fri, 01 Jan 2199 00:00:00 -0000", HOUR),  # of no zone
        ("Thu, 01 Jan 2015 00:00:00 GMT", SECOND),
        ("Fri, 01 Jan 9999 00:00:00 GMT", None),
        ("9" * 5000, None),
        ("-7", None),
        ("٧", None),
        ("soon", None),
        ("", None),
    ],
)
def test_f17_what_a_header_asks_for_is_done_within_reason(header: str, wait: timedelta | None) -> None:
    assert asked_by(header) == wait


@pytest.mark.parametrize(("seconds", "wait"), [(-5, SECOND), (0.5, SECOND), (90, 90 * SECOND), (10**400, HOUR)])
def test_nobody_waits_less_than_a_second_or_more_than_an_hour(seconds: float, wait: timedelta) -> None:
    assert within_reason(seconds) == wait
