"""Audiences for ads elsewhere: who may be shown there, and what of them leaves the house (S62).

Nothing but SHA-256 of an e-mail address or a phone number does: the address without space around it and in lower case,
the number as E.164 digits (Google wants the plus before them, Meta does not).
"""

import hashlib
from collections.abc import Mapping
from enum import StrEnum

from domain.customers import EVERY_CHANNEL, Consent, ConsentStatus

ADS = f"{EVERY_CHANNEL}/ads"


class Platform(StrEnum):
    """Where ads are shown."""

    META = "meta"
    GOOGLE = "google"


HEADERS: Mapping[Platform, tuple[str, str]] = {Platform.META: ("email", "phone"), Platform.GOOGLE: ("Email", "Phone")}
"""What each calls its columns."""


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
