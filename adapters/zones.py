"""Where a customer lives, as far as their clock goes: their own zone, or what phone and country tell."""

import functools
from collections.abc import Mapping
from typing import Any

import phonenumbers
from phonenumbers import timezone

from domain.quiet_hours import known_zone


def zone_of(customer: Mapping[Any, Any], default: str) -> str:
    """A customer's time zone: as told, by their phone, by the attribute `country` (ISO 3166, "KZ"), or the default.

    Where a number or country spans several zones, the installation's own is taken if it is among them, else the first.
    """
    told, phone, attributes = customer["timezone"], customer["phone"], customer["attributes"]
    country = attributes.get("country") if isinstance(attributes, Mapping) else None
    if isinstance(told, str) and told:
        return told
    for found in (_by_phone(str(phone or "")), _by_country(country if isinstance(country, str) else "")):
        if found:
            return default if default in found else found[0]
    return default


@functools.lru_cache(maxsize=10_000)
def _by_phone(phone: str) -> tuple[str, ...]:
    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        return ()
    return _known(timezone.time_zones_for_number(number))


@functools.lru_cache(maxsize=300)
def _by_country(country: str) -> tuple[str, ...]:
    code = phonenumbers.country_code_for_region(country.upper())
    number = phonenumbers.example_number(country.upper()) if code else None
    if number is None:
        return ()
    return _known(timezone.time_zones_for_geographical_number(number))


def _known(zones: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(zone for zone in zones if known_zone(zone) and zone != "Etc/Unknown")
