"""Why something was or was not done, in words people read: a rule, its facts, and the sentence they make.

Every refusal, deferral, skip and choice is stored as a Decision (design 5). The sentence is made here, of the words in
`domain.rules`, and nowhere else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from domain.fact_words import in_words
from domain.rules import RULES


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One rule that spoke, with the facts it spoke from (JSON values; instants as aware datetimes)."""

    rule: str
    facts: Mapping[str, object] = field(default_factory=dict)

    def words(self, locale: str = "en", zone: str = "UTC") -> str:
        """The sentence in a language, its instants in a zone."""
        return tell(self.rule, self.facts, locale=locale, zone=zone)


def tell(rule: str, facts: Mapping[str, object], *, locale: str = "en", zone: str = "UTC") -> str:
    """A rule and its facts as one sentence. Instants may be datetimes or ISO text, as the database gives them back."""
    texts = RULES[rule]
    locale = locale if locale in texts else "en"  # the instants, too
    said = {name: _said(in_words(name, value, locale), locale, zone) for name, value in facts.items()}
    sentence = texts[locale].format_map(_Facts(said))
    return sentence[:1].upper() + sentence[1:]


class _Facts(dict[str, str]):
    """A fact that an old row lacks is shown as a dash rather than losing the sentence."""

    def __missing__(self, key: str) -> str:
        return "—"


def _said(value: object, locale: str, zone: str) -> str:
    if isinstance(value, dict) and "rule" in value:
        inner = tell(str(value["rule"]), value.get("facts", {}), locale=locale, zone=zone)
        return inner[:1].lower() + inner[1:]
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value) if value[:4].isdigit() and "T" in value else value
        except ValueError:
            return str(value)
    if isinstance(value, datetime):
        return value.astimezone(ZoneInfo(zone)).strftime("%d %b %H:%M" if locale == "en" else "%d.%m %H:%M")
    if isinstance(value, (list, tuple)):
        return ", ".join(str(item) for item in value)
    return str(value)
