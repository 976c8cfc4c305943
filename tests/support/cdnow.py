"""The purchases of CDNOW's customers: public data, see tests/data/README.md."""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

FILE = Path(__file__).parent.parent / "data" / "cdnow_master.txt.gz"
CUSTOMERS = 23_570
SEGMENTS = {
    "champions": 3_846,
    "loyal": 3_154,
    "potential": 5_983,
    "at_risk": 1_869,
    "hibernating": 6_978,
    "lost": 1_740,
}
"""By their codes, without the guard, as another program counted them over the same data."""


@dataclass(frozen=True, kw_only=True)
class Purchase:
    """One line. One day may have several of one customer."""

    customer: str
    day: date
    paid: Decimal


def purchases() -> Iterator[Purchase]:
    """All 69,659."""
    with gzip.open(FILE, "rt", encoding="ascii") as lines:
        for line in lines:
            customer, day, _, paid = line.split()
            if day.isdigit():
                yield Purchase(customer=customer, day=date.fromisoformat(day), paid=Decimal(paid))
