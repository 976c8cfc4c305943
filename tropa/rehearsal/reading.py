"""What a rehearsal is given: a persona and a script, in files that a marketer writes, TOML or JSON."""

import re
import tomllib
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, field_validator, model_validator

from api.fields import Attributes, CustomerId, Email, Locale, Phone, Strict, Words, Zone
from domain.durations import hours, parse_duration
from domain.errors import InvalidInput
from domain.events import EVENT_NAME
from domain.messages import Channel
from domain.tasks import TaskOutcome

LONGEST = 3 * 366  # days
REACTIONS = ("message_clicked", "message_opened", "message_read")
"""What a persona does to a message itself: told by the link, by the picture and by the provider, as in life."""
TASK_CLOSED = "task_closed"

_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
Read = TypeVar("Read", bound=Strict)


def _clock(value: object) -> object:
    found = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if found is None and not isinstance(value, time):
        raise ValueError("write a time of day as 09:30")
    return time(int(found[1]), int(found[2])) if found else value


def _duration(value: object) -> object:
    try:
        return value if isinstance(value, timedelta) else parse_duration(str(value))
    except InvalidInput as error:
        raise ValueError(str(error)) from None


def _begins(value: object) -> object:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError("write it as 2027-03-01 10:00, in the persona's time zone") from None


def _event(value: str) -> str:
    if not EVENT_NAME.fullmatch(value):
        raise ValueError("is no event name: lower case, digits and underscores")
    return value


class Persona(Strict):
    """Somebody invented. They say yes to every channel where they have an address, unless `consents` names fewer."""

    name: Words = "Anna"
    customer_id: CustomerId = "anna"
    language: Locale = "en"
    timezone: Zone = "Europe/Berlin"
    email: Email | None = "anna@example.com"
    phone: Phone | None = None
    telegram: Annotated[str, Field(pattern="^[0-9]{1,20}$")] | None = None
    prefers: Annotated[Channel, Field(strict=False)] | None = None
    consents: list[Annotated[Channel, Field(strict=False)]] | None = None
    attributes: Attributes = Field(default_factory=dict)

    @property
    def agrees(self) -> list[Channel]:
        """The channels that they said yes to."""
        if self.consents is not None:
            return self.consents
        has = {Channel.EMAIL: self.email, Channel.SMS: self.phone, Channel.WHATSAPP: self.phone}
        return [channel for channel, address in {**has, Channel.TELEGRAM: self.telegram}.items() if address]


class Deed(Strict):
    """Something that happens: on a day, counted from 0, or some time `after` a message or a task of the journey."""

    event: Annotated[str, AfterValidator(_event)]
    day: Annotated[int, Field(ge=0, le=LONGEST)] | None = None
    at: Annotated[time, BeforeValidator(_clock)] | None = None
    after: str = ""
    wait: Annotated[timedelta, BeforeValidator(_duration)] = hours(1)
    about: Words = ""
    properties: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _placed(self) -> "Deed":
        if (self.day is None) == (not self.after):
            raise ValueError('say when: either `day = 3`, or `after = "greeting"` with `wait = "2 hours"`')
        if self.after and self.at:
            raise ValueError('`at` goes with `day`; after a message write `wait = "2 hours"`')
        if self.event in (*REACTIONS, TASK_CLOSED) and not self.after:
            raise ValueError(f'{self.event} needs to know of what: write `after = "…"`')
        if self.event == TASK_CLOSED and self.properties.get("outcome", "done") not in set(TaskOutcome):
            raise ValueError(f"properties.outcome is one of {', '.join(TaskOutcome)}")
        return self


class Script(Strict):
    """How somebody behaves. Without an event that starts the journey, its first one comes at the very beginning."""

    start: Annotated[datetime, BeforeValidator(_begins)] | None = None
    days: Annotated[int, Field(ge=1, le=LONGEST)] = 120
    options: dict[str, Any] = Field(default_factory=dict)
    does: list[Deed] = Field(default_factory=list)

    @field_validator("start")
    @classmethod
    def _local(cls, start: datetime | None) -> datetime | None:
        if start and start.tzinfo:
            raise ValueError("is in the persona's own time zone; leave the offset out")
        return start


def read(kind: type[Read], file: Path) -> Read:
    """A persona or a script. Raises InvalidInput: file, field, what is wrong."""
    try:
        raw = file.read_bytes()
        told = msgspec.json.decode(raw) if file.suffix == ".json" else tomllib.loads(raw.decode())
    except OSError as error:
        raise InvalidInput([f"{file}: cannot be read ({error.strerror})"]) from None
    except (tomllib.TOMLDecodeError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput([f"{file}: is no {'JSON' if file.suffix == '.json' else 'TOML'} ({error})"]) from None
    try:
        return kind.model_validate(told)
    except ValidationError as error:
        raise InvalidInput([f"{file}: {_told(each)}" for each in error.errors()]) from None


def _told(error: Any) -> str:
    where = ""
    for step in error["loc"]:
        where += f" {step + 1}" if isinstance(step, int) else f".{step}" if where else str(step)
    if error["type"] == "extra_forbidden":
        return f"{where}: there is no such field"
    return f"{where}: {error['msg'].removeprefix('Value error, ')}".removeprefix(": ")
