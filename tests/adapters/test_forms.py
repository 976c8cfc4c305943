"""Forms as data files: what ships is right, and a mistake is told with what is right (S47)."""

from pathlib import Path

import pytest

from adapters.forms import form_names, read_form, read_forms
from domain.errors import InvalidDeclaration
from domain.forms import FieldKind, Form, Wrong, read_answers

TITLE = 'title = { en = "News", ru = "Новости" }\n'
ASKED = """
[[fields]]
name = "size"
kind = "number"
required = true
label = { en = "Size", ru = "Размер" }
[[fields]]
name = "use"
kind = "choice"
label = { en = "Use", ru = "Для чего" }
choices = { work = { en = "Work", ru = "Работа" } }
"""


def declared(folder: Path, text: str) -> Form:
    (folder / "news.toml").write_text(TITLE + text)
    return read_form("news", folder)


def test_what_ships_can_be_read() -> None:
    assert set(read_forms(form_names())) == {"newsletter", "laptop_guide"}


MISTAKES = [
    ("colour = 1", "there is no such key"),
    ('event = "order_placed"', "write what they did by it"),
    ('[magnet]\nname = "guide"', "write what it is"),
    ("[consent]\nfrequency = true", "consent.wording"),
    ('[consent]\nwording = { en = "Yes" }', "each language"),
    ('[[fields]]\nname = "email"\nkind = "text"', "none of"),
    ('[[fields]]\nname = "a"\nkind = "colour"', "text, number, choice"),
    ('[[fields]]\nname = "a"\nkind = "choice"\nlabel = { en = "A", ru = "А" }', "fields.choices"),
    (ASKED + ASKED, "twice"),
    ('[magnet]\nname = "guide"\nkind = "guide"\ntitle = { en = "A", ru = "А" }', "where it is"),
    ('[magnet]\nname = "guide"\nkind = "guide"\nlink = "javascript:alert(1)"', "a web address"),
    ('[magnet]\nname = "guide"\nkind = "guide"\nfile = "../newsletter.toml"', "beside this one"),
    ('[magnet]\nname = "guide"\nkind = "guide"\nfile = "none.pdf"', "there is no none.pdf"),
]


@pytest.mark.parametrize(("text", "told"), MISTAKES)
def test_a_mistake_is_told(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(InvalidDeclaration, match=r"news\.toml") as error:
        declared(tmp_path, text)

    assert told in str(error.value)


ANSWERS = [
    ({"size": " 12,5 "}, {"size": 12.5}, {}),
    ({"size": "3", "use": "work", "more": "x"}, {"size": 3.0, "use": "work"}, {}),
    ({}, {}, {"size": Wrong.MISSING}),
    ({"size": "nan"}, {}, {"size": Wrong.NO_NUMBER}),
    ({"size": "inf"}, {}, {"size": Wrong.NO_NUMBER}),
    ({"size": "many"}, {}, {"size": Wrong.NO_NUMBER}),
    ({"size": "1", "use": "war"}, {"size": 1.0}, {"use": Wrong.NO_CHOICE}),
    ({"size": "1" * 501}, {}, {"size": Wrong.TOO_LONG}),
]


@pytest.mark.parametrize(("given", "answers", "wrong"), ANSWERS)
def test_answers_are_kept_or_told(
    tmp_path: Path, given: dict[str, str], answers: dict[str, object], wrong: dict[str, Wrong]
) -> None:
    form = declared(tmp_path, ASKED)

    assert form.fields[0].kind is FieldKind.NUMBER
    assert read_answers(form, given) == (answers, wrong)
