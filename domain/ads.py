"""Audiences for ads elsewhere: who may be shown there, and what of them leaves the house (S62).

Nothing but SHA-256 of an e-mail address or a phone number does: the address without space around it and in lower case,
the number as E.164 digits (Google wants the plus before them, Meta does not).
"""

import hashlib
from collections.abc import Mapping
from enum import StrEnum

from domain.customers import EVERY_CHANNEL, Consent, ConsentStatus
from domain.durations import days, minutes, parse_duration, spoken
from domain.errors import InvalidInput

MOST_OFTEN, LEAST_OFTEN = minutes(15), days(31)  # that an audience is written anew
ADS = f"{EVERY_CHANNEL}/ads"


class Platform(StrEnum):
    """Where ads are shown."""

    META = "meta"
    GOOGLE = "google"


HEADERS: Mapping[Platform, tuple[str, str]] = {Platform.META: ("email", "phone"), Platform.GOOGLE: ("Email", "Phone")}
"""What each calls its columns."""


def problems_in_export_every(words: str) -> list[str]:
    """What is wrong with how often audiences are written anew; nothing, when it can be."""
    try:
        every = parse_duration(words)
    except InvalidInput as error:
        return list(error.problems)
    if MOST_OFTEN <= every <= LEAST_OFTEN:
        return []
    return [f"must be from {spoken(MOST_OFTEN)} to {spoken(LEAST_OFTEN)}; got {spoken(every)}"]


def agreed(consents: Mapping[str, Consent], scope: str) -> bool:
    """Whether somebody said yes to exactly this scope, and no wider no came at the same time or later."""
    yes = consents.get(scope)
    if yes is None or yes.status is not ConsentStatus.GRANTED:
        return False
    channel, _, topic = scope.partition("/")
    wider = {EVERY_CHANNEL, channel, f"{EVERY_CHANNEL}/{topic}"} - {scope}
    words = [consents[each] for each in wider if each in consents]
    return not any(word.status is ConsentStatus.DENIED and word.at >= yes.at for word in words)


def hashed_email(address: str) -> str:
    """What stands for an e-mail address."""
    return _sha256(address.strip().lower())


def hashed_phone(number: str, platform: Platform) -> str:
    """What stands for a phone number, given as E.164."""
    digits = "".join(character for character in number if character.isdigit())
    return _sha256(f"+{digits}" if platform is Platform.GOOGLE else digits)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
