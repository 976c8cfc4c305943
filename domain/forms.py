"""Forms on the company's site: what they ask, and what waits until the address is proven (S13, S47)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

FORM = "form"  # the source of what forms tell: unproven, for anybody may send them
LONGEST = 500
EMAIL, CONSENT, FREQUENCY, VISITOR, LANGUAGE, THANKS, TRAP = (
    *("email", "consent", "frequency", "visitor", "lang", "thanks", "website"),
)
TAKEN = frozenset({EMAIL, CONSENT, FREQUENCY, VISITOR, LANGUAGE, THANKS, TRAP, "form", "title", "magnet", "site"})
"""What no field of a form's own can be called: every form has the first seven, its event tells the others."""

Words = Mapping[str, str]
"""Something said, by language."""


class FieldKind(StrEnum):
    """What a field takes."""

    TEXT = "text"
    NUMBER = "number"
    CHOICE = "choice"


class Wrong(StrEnum):
    """What is wrong with an answer; the page says it in the reader's language."""

    MISSING = "missing"
    TOO_LONG = "too_long"
    NO_NUMBER = "no_number"
    NO_CHOICE = "no_choice"
    NO_EMAIL = "no_email"
    NOT_OURS = "not_ours"


@dataclass(frozen=True, kw_only=True)
class Field:
    """A question beside the address. `choices` are words that the event tells, each with its label."""

    name: str
    kind: FieldKind
    label: Words
    required: bool = False
    choices: Mapping[str, Words] | None = None


@dataclass(frozen=True, kw_only=True)
class Magnet:
    """What people get for their address: at a `link`, or in a `file` beside the form's declaration.

    The event tells its `kind` (guide, checklist, whitepaper) and `topic`, by which journeys go on.
    """

    name: str
    kind: str
    title: Words
    topic: Words | None = None
    link: str = ""
    file: str = ""


@dataclass(frozen=True, kw_only=True)
class Form:
    """One form, as `templates/forms/<name>.toml` declares it.

    `wording` is what the tick says that allows letters; empty where there is none. `frequency`: whether they may choose
    how often (S91). `event` is told of those who ticked, once they confirmed it.
    """

    name: str
    title: Words
    wording: Words
    event: str = "signed_up"
    frequency: bool = False
    fields: tuple[Field, ...] = ()
    magnet: Magnet | None = None


def read_answers(form: Form, given: Mapping[str, str]) -> tuple[dict[str, str | float], dict[str, Wrong]]:
    """The answers to a form's own questions, and what is wrong, by field. What it does not ask is left out."""
    answers: dict[str, str | float] = {}
    wrong: dict[str, Wrong] = {}
    for field in form.fields:
        value = " ".join(given.get(field.name, "").split())
        if not value:
            if field.required:
                wrong[field.name] = Wrong.MISSING
            continue
        if problem := _problem(field, value):
            wrong[field.name] = problem
        else:
            answers[field.name] = float(value.replace(",", ".")) if field.kind is FieldKind.NUMBER else value
    return answers, wrong


def _problem(field: Field, value: str) -> Wrong | None:
    if len(value) > LONGEST:
        return Wrong.TOO_LONG
    if field.kind is FieldKind.CHOICE and value not in (field.choices or ()):
        return Wrong.NO_CHOICE
    if field.kind is FieldKind.NUMBER:
        try:
            number = float(value.replace(",", "."))
        except ValueError:
            return Wrong.NO_NUMBER
        return None if abs(number) < 10**12 else Wrong.NO_NUMBER  # NaN, too, is not smaller
    if not all(character.isprintable() for character in value):
        return Wrong.TOO_LONG
    return None
