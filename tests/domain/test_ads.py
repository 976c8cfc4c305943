"""Audiences for ads: who agreed, and how an address is hashed."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.ads import ADS, Platform, agreed, hashed_email, hashed_phone
from domain.customers import Consent, ConsentStatus

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
# printf anna@example.com | sha256sum, and so on
ANNA = "f7d54c22dda5b1780276601cd005909b70543fc4a6ba72d735b4cb9bbb611f01"
DIGITS = "c03f76216358b07b09a300613908002987efc1ae9a2ef2a85d57d5a971bf821a"
WITH_PLUS = "4db5829924ee5c466cbd9ac69b2a6af527f758614fa3b3aec8c89b16a709a678"


def yes(hour: int = 0) -> Consent:
    return Consent(status=ConsentStatus.GRANTED, at=NOON + timedelta(hours=hour), source="test")


def no(hour: int = 0) -> Consent:
    return Consent(status=ConsentStatus.DENIED, at=NOON + timedelta(hours=hour), source="test")


@pytest.mark.parametrize(
    ("consents", "scope", "expected"),
    [
        ({}, ADS, False),
        ({"all": yes()}, ADS, False),  # no yes to ads in particular
        ({ADS: yes()}, ADS, True),
        ({ADS: no()}, ADS, False),
        ({ADS: yes(), "all": no(1)}, ADS, False),
        ({ADS: yes(), "all": no()}, ADS, False),  # at the same time the no counts
        ({ADS: yes(1), "all": no()}, ADS, True),
        ({ADS: yes(), "email": no(1)}, ADS, True),
        ({"email/promotions": yes(), "email": no(1)}, "email/promotions", False),
        ({"email/promotions": yes(), "all/promotions": no(1)}, "email/promotions", False),
        ({"email/promotions": yes(), "sms": no(1)}, "email/promotions", True),
    ],
)
def test_only_a_yes_of_its_own_that_nothing_took_back_agrees(
    consents: dict[str, Consent], scope: str, expected: bool
) -> None:
    assert agreed(consents, scope) is expected


def test_an_address_is_hashed_as_the_platforms_do() -> None:
    assert hashed_email(" Anna@Example.COM ") == ANNA
    assert hashed_phone("+4930901820", Platform.META) == DIGITS
    assert hashed_phone("+4930901820", Platform.GOOGLE) == WITH_PLUS
