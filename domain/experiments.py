"""Experiments: who gets which variant, and who is held out, by a hash: sticky, without a memory (analytics 5.1, 5.3).

The same customer always falls into the same bucket of the same salt, and the buckets of two salts have nothing to do
with each other.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

BUCKETS = 10_000
MOST_HELD_OUT = 0.5


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """Variants with their weights. A `winner` ends it: everybody new gets that one, and nobody is counted."""

    salt: str
    weights: Mapping[str, int]
    winner: str = ""

    def variant_of(self, customer: str) -> str:
        """A customer's variant. Raises ValueError when no variant has any weight."""
        if self.winner:
            return self.winner
        total = sum(self.weights.values())
        place, reached = bucket(self.salt, customer) * total, 0
        for variant, weight in self.weights.items():
            reached += weight * BUCKETS
            if place < reached:
                return variant
        raise ValueError("an experiment needs a variant with a weight")


def bucket(salt: str, customer: str) -> int:
    """From 0 to 9,999."""
    return int.from_bytes(hashlib.sha256(f"{salt}/{customer}".encode()).digest()[:8]) % BUCKETS


def held_out(customer: str, share: float, *, journey: str = "", entered_at: datetime) -> bool:
    """Whether a customer belongs to the control group of everything, or of one journey, in the quarter in which they
    entered: the groups are drawn anew each quarter, and nobody changes sides in the middle of a walk.
    """
    quarter = f"{entered_at.year}Q{(entered_at.month + 2) // 3}"
    return bucket(f"holdout/{journey}/{quarter}", customer) < share * BUCKETS
