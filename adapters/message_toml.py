"""What `message.toml` may say, read into `domain.messages.Message`. Mistakes are told with what is right."""

import re
import tomllib
from collections.abc import Iterable
from datetime import time, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from domain.errors import InvalidDeclaration
from domain.messages import Channel, Limit, Message, Purpose
from domain.products import By, Listing, Of

Word = TypeVar("Word", bound=StrEnum)

_KEYS = {"purpose", "goal", "channels", "shelf_life", "limit", "why"}
_OPTIONAL = {"topic", "offer", "products", "survey"}
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_MOST = 20  # products of one list
_LISTINGS = {
    Of.EVENT: {"of", "most", "at_least"},
    Of.CATEGORY: {"of", "most", "at_least", "by", "category"},
    Of.ACCESSORIES: {"of", "most", "at_least"},
}
_UNTIL = re.compile(r"until ([01][0-9]|2[0-3]):([0-5][0-9])")
_DURATION = re.compile(r"([1-9][0-9]{0,3}) (minute|hour|day|week)s?")


def read_text(file: Path) -> str:
    """The file's text. Raises InvalidDeclaration when it is missing or not UTF-8."""
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise wrong(file, "file", "it is missing") from None
    except UnicodeDecodeError:
        raise wrong(file, "file", "it is not UTF-8 text") from None


def read_toml(file: Path) -> dict[str, object]:
    """The file's content as TOML. Raises InvalidDeclaration."""
    try:
        return tomllib.loads(read_text(file))
    except tomllib.TOMLDecodeError as error:
        raise wrong(file, "TOML", str(error)) from error


def wrong(file: Path, field: str, problem: str) -> InvalidDeclaration:
    """The error that sends an author to the right file and field."""
    return InvalidDeclaration(f"{'/'.join(file.parts[-3:])}, {field}: {problem}.")


def read_message(file: Path) -> tuple[Message, dict[str, str]]:
    """The declaration in `file`, and by language why people get the message. Raises InvalidDeclaration."""
    values = read_toml(file)
    for key in sorted(values.keys() - _KEYS - _OPTIONAL):
        raise wrong(file, key, f"there is no such field; the fields are {_listed(_KEYS | _OPTIONAL)}")
    for key in sorted(_KEYS - values.keys()):
        raise wrong(file, key, "it is missing, and every message needs it")
    for folder in (file.parent, file.parent.parent):
        if not _NAME.fullmatch(folder.name):
            raise wrong(file, "folder", f"{folder.name!r} is not in snake_case (a-z, 0-9 and _)")
    message = Message(
        journey=file.parent.parent.name,
        name=file.parent.name,
        purpose=_one_of(Purpose, file, "purpose", values["purpose"]),
        goal=_sentence(file, "goal", values["goal"]),
        channels=_channels(file, values["channels"]),
        shelf_life=_shelf_life(file, values["shelf_life"]),
        limit=_limit(file, values["limit"]),
        topic=_sentence(file, "topic", values["topic"]) if "topic" in values else "",
        offer=_offer(file, values["offer"]) if "offer" in values else "",
        survey=_sentence(file, "survey", values["survey"]) if "survey" in values else "",
        products=_products(file, values.get("products", {})),
    )
    if message.offer and message.purpose is not Purpose.OFFER:
        raise wrong(file, "offer", 'what gives a code is an offer: write purpose = "offer"')
    return message, _why(file, values["why"])


def _channels(file: Path, value: object) -> tuple[Channel, ...]:
    if not isinstance(value, list) or not value:
        raise wrong(file, "channels", f"write a list, the preferred first, of {_listed(Channel)}")
    channels = tuple(_one_of(Channel, file, "channels", item) for item in value)
    if len(set(channels)) < len(channels):
        raise wrong(file, "channels", "a channel stands there twice")
    return channels


def _limit(file: Path, value: object) -> Limit:
    if not isinstance(value, dict) or value.keys() != {"times", "within"}:
        raise wrong(file, "limit", 'write { times = 2, within = "30 days" }')
    times = value["times"]
    if type(times) is not int or times < 1:  # `type is`, because True is an int too
        raise wrong(file, "limit.times", f"{times!r} is not a whole number of 1 or more")
    return Limit(times=times, within=_duration(file, "limit.within", value["within"]))


def _why(file: Path, value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise wrong(file, "why", 'write a sentence for each language: { en = "...", ru = "..." }')
    return {locale: _sentence(file, f"why.{locale}", sentence) for locale, sentence in value.items()}


def _shelf_life(file: Path, value: object) -> timedelta | time:
    if isinstance(value, str) and value.startswith("until"):
        found = _UNTIL.fullmatch(value)
        if found is None:
            raise wrong(file, "shelf_life", f'{value!r} is no hour of the day; write for example "until 17:00"')
        return time(int(found[1]), int(found[2]))
    return _duration(file, "shelf_life", value)


def _offer(file: Path, value: object) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise wrong(file, "offer", f"{value!r} is no offer's name: a-z, 0-9 and _, such as welcome5")
    return value


def _products(file: Path, value: object) -> dict[str, Listing]:
    if not isinstance(value, dict):
        raise wrong(file, "products", 'write a line for each list: best = { of = "category", most = 5 }')
    for name in value:
        if not _NAME.fullmatch(name):
            raise wrong(file, f"products.{name}", "a list's name is of a-z, 0-9 and _")
    return {name: _listing(file, f"products.{name}", listing) for name, listing in value.items()}


def _listing(file: Path, field: str, value: object) -> Listing:
    if not isinstance(value, dict) or "of" not in value:
        raise wrong(file, field, f"write {{ of = …, most = 5 }}, of one of {_listed(Of)}")
    of = _one_of(Of, file, f"{field}.of", value["of"])
    for key in sorted(value.keys() - _LISTINGS[of]):
        raise wrong(file, f"{field}.{key}", f"a list of {of} knows only {_listed(_LISTINGS[of])}")
    most, at_least = value.get("most", _MOST if of is Of.EVENT else None), value.get("at_least", 0)
    if type(most) is not int or not 1 <= most <= _MOST:
        raise wrong(file, f"{field}.most", f"write how many products at most, from 1 to {_MOST}")
    if type(at_least) is not int or not 0 <= at_least <= most:
        raise wrong(file, f"{field}.at_least", f"write how many it needs, from 0 to {most}")
    category = _sentence(file, f"{field}.category", value["category"]) if "category" in value else ""
    by = _one_of(By, file, f"{field}.by", value["by"]) if "by" in value else By.RATING
    return Listing(of=of, most=most, by=by, category=category, at_least=at_least)


def _duration(file: Path, field: str, value: object) -> timedelta:
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        allowed = "write a whole number of minutes, hours, days or weeks"
        raise wrong(file, field, f'{value!r} is no duration; {allowed}, like "36 hours" or "3 days"')
    return timedelta(**{f"{found[2]}s": int(found[1])})


def _sentence(file: Path, field: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise wrong(file, field, "write one sentence")
    return value.strip()


def _one_of(words: type[Word], file: Path, field: str, value: object) -> Word:
    try:
        return words(str(value))
    except ValueError:
        raise wrong(file, field, f"{value!r} is not allowed; use one of {_listed(words)}") from None


def _listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(str(word) for word in words))
