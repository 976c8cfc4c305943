"""What msgspec found wrong, as `field: sentence`, without a value that was sent."""

import re

import msgspec

_PLACED = re.compile(r"^(.*) - at `\$\.?(.*)`$")


def told(error: Exception, thing: str) -> str:
    """The sentence. `thing` is named where no field can be: texts with bytes that are no UTF-8 have none."""
    if isinstance(error, UnicodeDecodeError):
        return f"{thing}: is not UTF-8"
    if isinstance(error, msgspec.DecodeError) and not isinstance(error, msgspec.ValidationError):
        return f"{thing}: is not JSON that can be read"
    if placed := _PLACED.match(str(error)):
        return f"{placed[2]}: {placed[1]}"
    return str(error)
