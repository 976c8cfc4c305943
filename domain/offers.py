"""Offers and their codes: what is off, until when, and how a code is written (S28, S35, S36, S52)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from domain.durations import days
from domain.money import money, percent
from domain.products import in_language

ALPHABET = "CDFGHJKMNPQRTVWXZ3479"
"""No letter or digit that looks like another one, and no vowel, so that no code is a word."""
DRAWN = 10  # characters: 44 bits


class OfferKind(StrEnum):
    """Where the codes of an offer come from: we make them, or the shop hands them over."""

    GENERATED = "generated"
    POOL = "pool"


@dataclass(frozen=True, kw_only=True)
class Discount:
    """What is off: `percent`, or an `amount` in a `currency`; `words`, by language, say it in their place."""

    percent: Decimal | None = None
    amount: Decimal | None = None
    currency: str | None = None
    words: Mapping[str, str] = field(default_factory=dict)

    def said(self, lang: str) -> str:
        """In a language: 5%, €10, or the shop's own words."""
        if self.words:
            return in_language(self.words, lang)
        if self.percent is not None:
            return percent(self.percent, lang)
        return money(self.amount, self.currency, lang) if self.amount is not None and self.currency else ""


@dataclass(frozen=True, kw_only=True)
class Offer:
    """An offer as it is set up. `valid_for` counts from the giving; None ties a code to its message's shelf life."""

    name: str
    kind: OfferKind
    discount: Discount
    prefix: str = ""
    valid_for: timedelta | None = None

    def good_until(self, given: datetime, *, expires: datetime, zone: str) -> datetime:
        """When a code that is given then ends, for a customer in `zone`; `expires` ends its message's shelf life.

        Whole days last to the end of the customer's day, so that the date in a letter is true to the last minute.
        """
        if self.valid_for is None:
            return expires
        if self.valid_for % days(1):
            return given + self.valid_for
        place = ZoneInfo(zone)
        after = (given + self.valid_for).astimezone(place).date() + timedelta(days=1)
        return datetime.combine(after, time(0), tzinfo=place).astimezone(UTC)


@dataclass(frozen=True, kw_only=True)
class Code:
    """What a text may say of the customer's code, in its own language."""

    text: str
    valid_until: str
    discount: str


def written(prefix: str, number: int) -> str:
    """A code from a large number, of which only the last part shows: WELCOME5-CDFGH-JKMNP."""
    drawn = ""
    for _ in range(DRAWN):
        number, place = divmod(number, len(ALPHABET))
        drawn += ALPHABET[place]
    return "-".join(part for part in (prefix, drawn[: DRAWN // 2], drawn[DRAWN // 2 :]) if part)


def key_of(code: str) -> str:
    """What makes a code that one, however it is typed: its letters and digits, in capitals."""
    return "".join(character for character in code.upper() if character.isalnum())
