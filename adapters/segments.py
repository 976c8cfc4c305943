"""Segments that come with Tropa, as data files: `templates/segments/<name>.json`, written as for PUT (S72–S74)."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from domain.errors import InvalidDeclaration, InvalidInput
from domain.segment_rules import read_rule
from domain.segments import NAME, Rule, Segment, resolved

FOLDER = Path(__file__).parent.parent / "templates" / "segments"
LOCALES = {"en", "ru"}


def shipped_segments(folder: Path = FOLDER) -> Mapping[str, Segment]:
    """All of them, by name. Raises InvalidDeclaration for a file that is written wrongly."""
    found = {file.stem: _read(file) for file in sorted(folder.glob("*.json"))}
    rules: dict[str, Rule] = {}
    for name, segment in found.items():
        rules[name] = _checked(name, lambda segment=segment: read_rule(segment.rule, known=found))  # type: ignore[misc]
    for name, rule in rules.items():
        _checked(name, lambda name=name, rule=rule: resolved(name, rule, rules.get))  # type: ignore[misc]
    return found


@cache
def segment_label(name: str, locale: str) -> str:
    """What a segment that comes with Tropa is called; another's bare name."""
    found = _shipped().get(name)
    return found.label[locale] if found else name.replace("_", " ")


def _checked(name: str, read: Callable[[], Rule]) -> Rule:
    try:
        return read()
    except InvalidInput as error:
        raise InvalidDeclaration(f"templates/segments/{name}.json: {error}") from None


def _read(file: Path) -> Segment:
    try:
        told: dict[str, Any] = msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise InvalidDeclaration(f"templates/segments/{file.name}: {error}") from None
    if told.keys() != {"label", "description", "rule"} or not NAME.fullmatch(file.stem):
        raise InvalidDeclaration(
            f"templates/segments/{file.name}: needs label, description and rule, and a plain name."
        )
    for words in ("label", "description"):
        if not isinstance(told[words], dict) or told[words].keys() != LOCALES:
            raise InvalidDeclaration(
                f"templates/segments/{file.name}: {words} must be in {' and '.join(sorted(LOCALES))}."
            )
    return Segment(name=file.stem, **told)


_shipped = cache(shipped_segments)
