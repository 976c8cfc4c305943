"""Cursors: where a page ended, as a word that only we can read."""

import base64
import binascii
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar, cast

import msgspec

from domain.errors import InvalidInput

T = TypeVar("T", bound=tuple[Any, ...])
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
NO_CURSOR = "cursor: is not one that an earlier page gave"


def cursor_of(*place: object) -> str:
    """A place as a cursor."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def place_of(cursor: str, kind: type[T]) -> T:
    """The place that a cursor stands for. Raises InvalidInput for one that is not ours."""
    try:
        packed = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        place = tuple(
            part.astimezone(UTC) if isinstance(part, datetime) else part
            for part in msgspec.json.decode(packed, type=kind)
        )
    except (binascii.Error, msgspec.MsgspecError, ValueError, OverflowError):
        raise InvalidInput([NO_CURSOR]) from None
    if any(isinstance(part, str) and not part.isprintable() for part in place):
        raise InvalidInput([NO_CURSOR])
    return cast(T, place)
