"""What single fields may hold, parsed once at the edge: addresses, languages, zones, instants."""

import re
from typing import Annotated, Any
from zoneinfo import available_timezones

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from fastapi import Path
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from api.limits import SLASH
from domain.clock import utc

_LOCALE = re.compile(r"^(en|ru)(?:[-_]([a-zA-Z]{2}))?$")
_ZONES = frozenset(available_timezones())


class Strict(BaseModel):
    """A body: no field that is not declared, no number where words belong."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _email(value: str) -> str:
    try:
        return validate_email(value, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError:
        raise ValueError("is no e-mail address") from None


def _phone(value: str) -> str:
    try:
        number = phonenumbers.parse(value)
    except phonenumbers.NumberParseException:
        raise ValueError("is no phone number; write it with its country, such as +49 30 901820") from None
    if not phonenumbers.is_possible_number(number):
        raise ValueError("is no possible phone number; write it with its country, such as +49 30 901820")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _locale(value: str) -> str:
    found = _LOCALE.match(value)
    if found is None:
        raise ValueError("must be en or ru, or a regional form such as ru-KZ")
    return f"{found[1]}-{found[2].upper()}" if found[2] else found[1]


def _zone(value: str) -> str:
    if value not in _ZONES:
        raise ValueError("is no time zone of the IANA data base; write for example Europe/Berlin or Asia/Almaty")
    return value


def _words(value: str) -> str:
    if any(character < " " or character == "\x7f" for character in value):
        raise ValueError("holds a control character")
    return value


def _paragraphs(value: str) -> str:
    """Words in lines."""
    _words(value.replace("\r\n", "").replace("\n", "").replace("\t", ""))
    return value.replace("\r\n", "\n").strip()


def _rfc3339(value: object) -> object:
    """RFC 3339 only: pydantic would also take numbers, and text that holds nothing else."""
    if not isinstance(value, str) or not re.match(r"^\d{4}-\d\d-\d\d[Tt ]", value):
        raise ValueError("must be an instant such as 2026-01-31T09:00:00Z")
    return value


Email = Annotated[
    str,
    Field(max_length=254, examples=["anna@example.com"], json_schema_extra={"format": "email"}),
    AfterValidator(_email),
]
Phone = Annotated[str, Field(max_length=40, examples=["+4930901820"]), AfterValidator(_phone)]
Locale = Annotated[str, Field(max_length=10, examples=["en"]), AfterValidator(_locale)]
Zone = Annotated[str, Field(max_length=64, examples=["Europe/Berlin"]), AfterValidator(_zone)]
Instant = Annotated[
    AwareDatetime,
    Field(strict=False, examples=["2026-01-31T09:00:00Z"]),
    BeforeValidator(_rfc3339),
    AfterValidator(utc),
]
CustomerId = Annotated[str, Field(min_length=1, max_length=200, examples=["anna@example.com"]), AfterValidator(_words)]
Words = Annotated[str, Field(max_length=200), AfterValidator(_words)]
Paragraphs = Annotated[str, AfterValidator(_paragraphs)]
CompanyId = Annotated[str, Field(min_length=1, max_length=200, examples=["acme-gmbh"]), AfterValidator(_words)]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$", description="ISO 4217.", examples=["EUR"])]
Attributes = dict[str, Any]


def _in_path(what: str) -> Any:
    return Path(description=f"Your own id of the {what}, URL-encoded.", min_length=1, max_length=200)


def _unescaped(value: str) -> str:
    return value.replace(SLASH, "/")


CustomerInPath = Annotated[str, _in_path("customer"), AfterValidator(_unescaped)]
CompanyInPath = Annotated[str, _in_path("company"), AfterValidator(_unescaped)]
DealInPath = Annotated[str, _in_path("deal"), AfterValidator(_unescaped)]
