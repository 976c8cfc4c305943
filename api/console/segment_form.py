"""A segment as a form: its names in both languages, and its rule as JSON; and back into what the API takes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError
from starlette.datastructures import FormData

from api.console.segment_words import WORDS
from api.console.session import Language
from api.routes.segments import SegmentBody
from domain.errors import InvalidInput
from services.segment_catalogue import SegmentNow

PARTS = ("label", "description")
TEXTS = ("label.en", "label.ru", "description.en", "description.ru")
STARTER = '{\n  "all": [\n    {"segment": "vip"},\n    {"segment": "sleeping"}\n  ]\n}'
WIDE = 90  # columns of a rule that is written out


@dataclass(frozen=True, kw_only=True)
class Filled:
    """A form as it stands. `version` is the one its author saw, none for a new segment."""

    said: Mapping[str, str]

    @classmethod
    def empty(cls) -> "Filled":
        """A new one, with a rule to begin from (S75)."""
        return cls(said={"rule": STARTER})

    @classmethod
    def of(cls, now: SegmentNow) -> "Filled":
        """A segment, ready to be changed."""
        segment = now.segment
        texts = {f"{part}.{lang}": words[lang] for part, words in _parts(now).items() for lang in ("en", "ru")}
        return cls(said={**texts, "name": segment.name, "version": str(now.version), "rule": written(segment.rule)})

    @classmethod
    def read(cls, form: FormData) -> "Filled":
        """What somebody wrote, as it is."""
        return cls(said={name: value.strip() for name, value in form.items() if isinstance(value, str)})

    @property
    def name(self) -> str:
        """The segment's."""
        return self.said.get("name", "")

    @property
    def version(self) -> int | None:
        """The version that was in force when the form was opened; None for a new segment."""
        written = self.said.get("version", "")
        return int(written) if written.isdecimal() else None

    def body(self, lang: Language) -> SegmentBody:
        """What it means. Raises InvalidInput, in this language, naming every field that cannot be."""
        says = WORDS[lang]
        problems = [f"{says[each]}: {says['needed']}" for each in TEXTS if not self.said.get(each)]
        try:
            rule = self._rule(lang)
        except InvalidInput as error:
            raise InvalidInput([*problems, *error.problems]) from None
        if problems:
            raise InvalidInput(problems)
        told = {part: {each: self.said[f"{part}.{each}"] for each in ("en", "ru")} for part in PARTS}
        try:
            return SegmentBody.model_validate({**told, "rule": rule})
        except ValidationError as error:
            found = [(".".join(map(str, each["loc"])), each["msg"]) for each in error.errors()]
            raise InvalidInput([f"{says.get(place, place)}: {problem}" for place, problem in found]) from None

    def _rule(self, lang: Language) -> object:
        line, column = 1, 1
        try:
            rule = json.loads(self.said.get("rule", ""))
            written(rule).encode()  # half a character cannot be shown, nor kept
            return rule
        except json.JSONDecodeError as error:
            line, column = error.lineno, error.colno
        except (ValueError, RecursionError):
            pass
        told = WORDS[lang]["not_json"].format(line=line, column=column)
        raise InvalidInput([f"{WORDS[lang]['rule']}: {told}"])


def written(rule: object, indent: str = "") -> str:
    """JSON as people write it: what fits a line stands in one."""
    short = _json(rule)
    if not isinstance(rule, (dict, list)) or not rule or len(indent) + len(short) <= WIDE:
        return short
    inner = indent + "  "
    if isinstance(rule, dict):
        lines = [
            f"{inner}{json.dumps(name, ensure_ascii=False)}: {written(each, inner)}" for name, each in rule.items()
        ]
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    return "[\n" + ",\n".join(f"{inner}{written(each, inner)}" for each in rule) + f"\n{indent}]"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _parts(now: SegmentNow) -> Mapping[str, Mapping[str, str]]:
    return {"label": now.segment.label, "description": now.segment.description}
