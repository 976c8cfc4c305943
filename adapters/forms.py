"""Forms as data files: `templates/forms/<form>.toml`, and the files that they give beside them (S47)."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from adapters.message_toml import read_toml, wrong
from domain.events import EVENT_NAME
from domain.forms import TAKEN, Field, FieldKind, Form, Magnet, Words
from domain.visits import SIGNED_UP, problems_in_names

FOLDER = Path(__file__).parent.parent / "templates" / "forms"
LOCALES = ("en", "ru")
_SIGN_UP = re.compile(r"([a-z][a-z0-9_]{0,50}_)?signed_up")
_FIELD = {"name", "kind", "label", "required", "choices"}


def form_names(folder: Path = FOLDER) -> tuple[str, ...]:
    """The names of the forms that are there."""
    return tuple(sorted(file.stem for file in folder.glob("*.toml")))


def read_forms(names: Iterable[str], folder: Path = FOLDER) -> Mapping[str, Form]:
    """Forms by name. Raises InvalidDeclaration saying what is wrong and what is right."""
    return {name: read_form(name, folder) for name in names}


def read_form(name: str, folder: Path = FOLDER) -> Form:
    """One form. Raises InvalidDeclaration."""
    file = folder / f"{name}.toml"
    if not EVENT_NAME.fullmatch(name):
        raise wrong(file, "name", "name the file in snake_case: newsletter.toml")
    table = _table(file, "", read_toml(file), {"title", "event", "consent", "fields", "magnet"})
    consent = _table(file, "consent.", table.get("consent", {}), {"wording", "frequency"})
    return Form(
        name=name,
        title=_said(file, "title", table.get("title")),
        event=_event(file, table.get("event", SIGNED_UP)),
        wording=_said(file, "consent.wording", consent.get("wording")) if consent else {},
        frequency=_truth(file, "consent.frequency", consent.get("frequency", False)),
        fields=_fields(file, table.get("fields", [])),
        magnet=_magnet(file, table["magnet"]) if "magnet" in table else None,
    )


def _fields(file: Path, value: object) -> tuple[Field, ...]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise wrong(file, "fields", "write each as a table: [[fields]]")
    found: list[Field] = []
    for number, given in enumerate(value):
        where = f"fields[{number}]"
        _table(file, f"{where}.", given, _FIELD)
        name, kind = given.get("name"), given.get("kind")
        if not isinstance(name, str) or not EVENT_NAME.fullmatch(name) or name in TAKEN:
            raise wrong(file, f"{where}.name", f"write a name in snake_case, and none of {', '.join(sorted(TAKEN))}")
        if name in [field.name for field in found]:
            raise wrong(file, f"{where}.name", f"{name} stands there twice")
        if kind not in set(FieldKind):
            raise wrong(file, f"{where}.kind", f"write one of {', '.join(FieldKind)}")
        choices = given.get("choices")
        if (kind == FieldKind.CHOICE) != (isinstance(choices, dict) and bool(choices)):
            raise wrong(file, f"{where}.choices", "a choice has them, and nothing else: [fields.choices]")
        found.append(
            Field(
                name=name,
                kind=FieldKind(kind),
                label=_said(file, f"{where}.label", given.get("label")),
                required=_truth(file, f"{where}.required", given.get("required", False)),
                choices={each: _said(file, f"{where}.choices.{each}", label) for each, label in choices.items()}
                if choices
                else None,
            )
        )
    return tuple(found)


def _magnet(file: Path, value: object) -> Magnet:
    table = _table(file, "magnet.", value, {"name", "kind", "topic", "title", "link", "file"})
    kind = table.get("kind")
    if not isinstance(kind, str) or not EVENT_NAME.fullmatch(kind):
        raise wrong(file, "magnet.kind", "write what it is: guide, checklist, whitepaper")
    name, link, given = table.get("name"), table.get("link", ""), table.get("file", "")
    if not isinstance(name, str) or not EVENT_NAME.fullmatch(name):
        raise wrong(file, "magnet.name", "write a name in snake_case: the event tells it")
    if bool(link) == bool(given):
        raise wrong(file, "magnet", 'write where it is: link = "https://…", or file = "guide.pdf" beside this file')
    if link and (not isinstance(link, str) or urlsplit(link).scheme not in ("https", "http")):
        raise wrong(file, "magnet.link", "write a web address: https://…")
    if given and (not isinstance(given, str) or Path(given).name != given or given.endswith(".toml")):
        raise wrong(file, "magnet.file", "write the name of a file beside this one")
    if given and not (file.parent / given).is_file():
        raise wrong(file, "magnet.file", f"there is no {given} beside this file")
    topic = _said(file, "magnet.topic", table["topic"]) if "topic" in table else None
    title = _said(file, "magnet.title", table.get("title"))
    return Magnet(name=name, kind=kind, title=title, topic=topic, link=link, file=given)


def _event(file: Path, value: object) -> str:
    """What is told of those who agreed; nothing that restricts, counts, or is told by others."""
    if not isinstance(value, str) or (not _SIGN_UP.fullmatch(value) and problems_in_names([value])):
        raise wrong(file, "event", "write what they did by it: newsletter_signed_up")
    return value


def _table(file: Path, where: str, table: object, known: set[str]) -> dict[str, Any]:
    """A table with no other keys than these."""
    if not isinstance(table, dict):
        raise wrong(file, where.rstrip("."), "write a table")
    if unknown := table.keys() - known:
        raise wrong(file, f"{where}{min(unknown)}", f"there is no such key; the keys are {', '.join(sorted(known))}")
    return table


def _truth(file: Path, where: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise wrong(file, where, "write true or false")
    return value


def _said(file: Path, where: str, value: object) -> Words:
    if not isinstance(value, dict) or value.keys() != set(LOCALES) or not all(value.values()):
        raise wrong(file, where, f"write it in each language: {', '.join(LOCALES)}")
    return {locale: str(text) for locale, text in value.items()}
