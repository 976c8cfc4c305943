"""What staff read, in their language: tasks and notices, each in `templates/tasks|notices/<journey>/<name>.toml`."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from jinja2 import TemplateError
from sqlalchemy import RowMapping

from adapters.channels.mime import mailbox
from adapters.stage_sets import stage_label
from adapters.template_language import TextEnvironment
from domain.durations import parse_duration
from domain.errors import InvalidDeclaration, InvalidInput, NotFound

TEMPLATES = Path(__file__).parent.parent / "templates"
LANGUAGES = ("en", "ru")
# What the words of Tropa's own folders know besides the customer: shown to each when it is read, to find mistakes then.
OWN: dict[str, dict[str, object]] = {
    "replies": {"channel": "SMS", "words": "Where is my order?"},
    "tasks": {"task": {"title": "Call", "text": "Call them", "owner": None, "due": "02 Mar 10:00"}},
}


@dataclass(frozen=True, kw_only=True)
class Written:
    """A task or a notice, ready to read.

    A task's file may also say when it is due, whose it is when overdue, that it is the head's from the beginning, and
    that, once done, it settles the low score that it was made for.
    """

    title: str
    text: str
    due_within: timedelta | None = None
    escalate_to: str | None = None
    for_head: bool = False
    settles: bool = False


class StaffWords:
    """All words of a kind. Raises InvalidDeclaration for a file that is written wrongly."""

    def __init__(self, kind: Literal["task", "notice"], locale: str, folder: Path | None = None) -> None:
        self._kind, self.locale = kind, locale
        environment = TextEnvironment(autoescape=False)
        self._all = {}
        for file in sorted((folder or TEMPLATES / f"{kind}s").glob("*/*.toml")):
            said = _read(file)
            rules = {name: value for name, value in said.items() if name not in LANGUAGES}
            if kind == "notice" and rules:
                raise _wrong(file, f"a notice has no {', '.join(rules)}")
            words = {}
            try:
                for language in LANGUAGES:
                    words[language] = {part: environment.from_string(text) for part, text in said[language].items()}
                    for text in words[language].values():
                        text.render(_context(_NOBODY, "", language, OWN.get(file.parent.name, {})))
            except TemplateError as error:
                raise _wrong(file, str(error)) from None
            self._all[file.parent.name, file.stem] = (words[locale], _rules(file, rules))

    def write(
        self, folder: str, name: str, customer: Mapping[str, Any] | RowMapping, about: str = "", **more: object
    ) -> Written:
        """Words about a customer's row; `more` are those of `OWN`, and the `trail` of a notice. Raises NotFound."""
        if (folder, name) not in self._all:
            raise NotFound(self._kind, f"{folder}/{name}")
        own, rules = self._all[folder, name]
        said = _context(customer, about, self.locale, more)
        return Written(title=own["title"].render(said).strip(), text=own["text"].render(said).strip(), **rules)

    def title(self, folder: str, name: str) -> str:
        """What it is about, whoever the customer is. Raises NotFound."""
        return self.write(folder, name, _NOBODY, "", **OWN.get(folder, {})).title

    def names(self) -> tuple[tuple[str, str], ...]:
        """All of them as (journey's folder, name)."""
        return tuple(self._all)


_NOBODY: dict[str, Any] = {"attributes": {}, "needs": {}}


def _context(
    customer: Mapping[str, Any] | RowMapping, about: str, locale: str, more: Mapping[str, object]
) -> dict[str, object]:
    attributes = customer["attributes"]
    called = " ".join(str(n) for n in (attributes.get("first_name"), attributes.get("last_name")) if n)
    stage = stage_label(customer["stage"], locale) if customer.get("stage") else ""
    known = {"name": called, "attributes": _Known(attributes), "needs": _Known(customer["needs"]), "stage": stage}
    return {"trail": "", **more, "customer": known, "about": about}


class _Known(dict[str, Any]):
    """What is known of a customer. What is not is empty: a word to a colleague never fails for that."""

    def __missing__(self, key: str) -> str:
        return ""


def _read(file: Path) -> dict[str, Any]:
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise _wrong(file, str(error)) from None
    for language in LANGUAGES:
        words = said.get(language)
        if not isinstance(words, dict) or words.keys() != {"title", "text"}:
            raise _wrong(file, f"needs [{language}] with title and text")
    return said


def _rules(file: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    rules: dict[str, Any] = {}
    for name, value in given.items():
        try:
            if name == "due_within":
                rules[name] = parse_duration(value)
            elif name == "escalate_to":
                rules[name] = mailbox(value, name)
            elif name in ("for_head", "settles") and value is True:
                rules[name] = value
            else:
                known = "due_within, escalate_to, for_head = true and settles = true"
                raise _wrong(file, f"there is no {name}; a task may have {known}")
        except (InvalidInput, TypeError, AttributeError):
            kind = "a duration, such as “4 hours”" if name == "due_within" else "one e-mail address"
            raise _wrong(file, f"{name} must be {kind}") from None
    return rules


def _wrong(file: Path, why: str) -> InvalidDeclaration:
    return InvalidDeclaration(f"{'/'.join(file.parts[-3:])}: {why}.")
